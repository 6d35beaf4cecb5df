import { systemClock } from '../../../core/clock.ts';
import type { HostAddress } from '../address.ts';
import { askServer, type DnsAnswer, type ServerQuestion } from './ask-server.ts';
import { fullNames, readResolvConf } from './resolv-conf.ts';

/** How DNS is asked for a host. */
interface DnsQuestion {
  /** ASCII; with a dot at its end it is not searched for in other domains. */
  readonly name: string;
  /** How much time there is, in milliseconds. */
  readonly timeoutMs: number;
  /** How long, once one family has addresses, those of the other are waited for. */
  readonly settleMs: number;
  /** resolv.conf. */
  readonly file?: string | undefined;
  /** To be asked instead of those of the file: addresses, or `address:port`. */
  readonly servers?: readonly string[] | undefined;
}

/**
 * Asks DNS as resolv.conf says at this moment: its servers, its domains for short names, its patience, which the time there is may
 * shorten. Where nobody answers for one full name, nobody will for another but the name as it stands. Never rejects.
 */
export async function askDns(question: DnsQuestion, signal: AbortSignal): Promise<DnsAnswer> {
  const { name, timeoutMs, settleMs } = question;
  const conf = readResolvConf(question.file);
  let servers = question.servers ?? conf.servers;
  const stepMs = Math.min(conf.timeoutMs, timeoutMs / (servers.length * conf.attempts));
  const families: readonly HostAddress['family'][] = conf.noIpv6 ? [4] : [4, 6];
  let said: DnsAnswer = { kind: 'none' };
  for (const full of fullNames(name, conf)) {
    if (signal.aborted) return { kind: 'silent' };
    if (said.kind === 'silent' && full !== name) continue;
    const asked = { name: full, servers, attempts: conf.attempts, stepMs, timeoutMs: conf.timeoutMs, settleMs, families };
    const { answer, by } = await askServers(asked, signal);
    if (answer.kind === 'found') return answer;
    // Who has answered is asked first from now on.
    if (by !== undefined) servers = [by, ...servers.filter((server) => server !== by)];
    // That one of the names exists nowhere says nothing of another that could not be asked for.
    if (said.kind === 'none') said = answer;
  }
  return said;
}

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
async function askServers(question: ServersQuestion, signal: AbortSignal): Promise<ServersAnswer> {
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
