// Asks DNS for a host, as resolv.conf says.

import { systemClock } from '../../../core/clock.ts';
import type { HostAddress } from '../address.ts';
import { askServer, type DnsAnswer, type ServerQuestion } from './ask-server.ts';
import { fullNames, readResolvConf } from './resolv-conf.ts';

/** How DNS is asked for a host. */
interface DnsQuestion {
  /** In ASCII. A name with a dot at its end is not searched for in other domains. */
  readonly name: string;
  /** The time limit, in milliseconds. */
  readonly timeoutMs: number;
  /** How long to wait for the other family's addresses when one family has some, in milliseconds. */
  readonly resolutionDelayMs: number;
  /** The path of resolv.conf. */
  readonly file?: string | undefined;
  /** Servers to ask instead of those in the file: addresses, or `address:port`. */
  readonly servers?: readonly string[] | undefined;
}

/**
 * Asks DNS as resolv.conf says at this moment: its servers, its domains for short names, its time limits, shortened to the time
 * available. If nobody answers for one full name, only the name as it stands is still asked for. Never rejects.
 */
export async function askDns(question: DnsQuestion, signal: AbortSignal): Promise<DnsAnswer> {
  const { name, timeoutMs, resolutionDelayMs } = question;
  const conf = readResolvConf(question.file);
  let servers = question.servers ?? conf.servers;
  const stepMs = Math.min(conf.timeoutMs, timeoutMs / (servers.length * conf.attempts));
  const families: readonly HostAddress['family'][] = conf.noIpv6 ? [4] : [4, 6];
  let result: DnsAnswer = { kind: 'none' };
  for (const full of fullNames(name, conf)) {
    if (signal.aborted) return { kind: 'silent' };
    if (result.kind === 'silent' && full !== name) continue;
    const asked = {
      name: full,
      servers,
      attempts: conf.attempts,
      stepMs,
      timeoutMs: conf.timeoutMs,
      resolutionDelayMs,
      families,
    };
    const { answer, by } = await askServers(asked, signal);
    if (answer.kind === 'found') return answer;
    // The server that has answered is asked first from now on.
    if (by !== undefined) servers = [by, ...servers.filter((server) => server !== by)];
    // That one of the names does not exist says nothing about another one that could not be asked for.
    if (result.kind === 'none') result = answer;
  }
  return result;
}

/** How several servers are asked for one name. */
interface ServersQuestion extends ServerQuestion {
  /** In the order in which they are asked: addresses, or `address:port`. */
  readonly servers: readonly string[];
  /** How often each of them is asked. */
  readonly attempts: number;
  /** After how many milliseconds without an answer the next one is asked too. After a failure it is asked at once. */
  readonly stepMs: number;
}

/** What the servers answer, and which of them did. */
interface ServersAnswer {
  readonly answer: DnsAnswer;
  /** Undefined if no server has given an answer that counts. */
  readonly by: string | undefined;
}

/**
 * Asks one server after the other. The first one that knows the name, or says that it does not exist, is trusted. Servers asked
 * earlier may still answer: a dead one delays nothing, and a slow one still counts. Never rejects.
 */
async function askServers(question: ServersQuestion, signal: AbortSignal): Promise<ServersAnswer> {
  const { servers, attempts, stepMs } = question;
  const done = new AbortController();
  const limit = AbortSignal.any([signal, done.signal]);
  const { promise: trusted, resolve: trust } = Promise.withResolvers<ServersAnswer>();
  let failure: DnsAnswer = { kind: 'silent' };
  const asked: Promise<unknown>[] = [];
  try {
    for (const server of Array.from({ length: attempts }, () => servers).flat()) {
      if (limit.aborted) break;
      const answering = askServer(server, question, limit).then((answer) => {
        if (answer.kind === 'failed') failure = answer;
        if (answer.kind !== 'found' && answer.kind !== 'none') return undefined;
        trust({ answer, by: server });
        return { answer, by: server };
      });
      asked.push(answering);
      const early = await Promise.race([trusted, answering, systemClock.sleep(stepMs, limit)]);
      if (early) return early;
    }
    const ended = Promise.all(asked).then(() => ({ answer: failure, by: undefined }));
    return await Promise.race([trusted, ended]);
  } finally {
    done.abort();
  }
}
