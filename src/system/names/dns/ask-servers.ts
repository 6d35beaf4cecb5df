import { systemClock } from '../../../core/clock.ts';
import type { DnsAnswer } from './answer.ts';
import { askServer, type ServerQuestion } from './ask-server.ts';

/** How several servers are asked for one name. */
interface ServersQuestion extends ServerQuestion {
  /** In the order in which they are asked: addresses, or `address:port`. */
  readonly servers: readonly string[];
  /** How often each of them is asked. */
  readonly attempts: number;
  /** After so many milliseconds without an answer the next one is asked too; at once, where one fails. */
  readonly stepMs: number;
}

/** What they say, and who said it. */
interface ServersAnswer {
  readonly answer: DnsAnswer;
  /** Undefined where nobody has given an answer that counts. */
  readonly by: string | undefined;
}

/**
 * Asks one server after the other; the first that knows the name, or that there is none, is believed. Those that were asked before
 * are still listened to: one that is dead holds nobody up, one that is slow is heard. Never rejects.
 */
export async function askServers(question: ServersQuestion, signal: AbortSignal): Promise<ServersAnswer> {
  const { servers, attempts, stepMs } = question;
  const over = new AbortController();
  const limit = AbortSignal.any([signal, over.signal]);
  const { promise: believed, resolve: believe } = Promise.withResolvers<ServersAnswer>();
  let failure: DnsAnswer = { kind: 'silent' };
  const asked: Promise<unknown>[] = [];
  try {
    for (const server of Array.from({ length: attempts }, () => servers).flat()) {
      if (limit.aborted) break;
      const heard = askServer(server, question, limit).then((answer) => {
        if (answer.kind === 'failed') failure = answer;
        if (answer.kind !== 'found' && answer.kind !== 'none') return undefined;
        believe({ answer, by: server });
        return { answer, by: server };
      });
      asked.push(heard);
      const early = await Promise.race([believed, heard, systemClock.sleep(stepMs, limit)]);
      if (early) return early;
    }
    const ended = Promise.all(asked).then(() => ({ answer: failure, by: undefined }));
    return await Promise.race([believed, ended]);
  } finally {
    over.abort();
  }
}
