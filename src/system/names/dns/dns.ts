import type { HostAddress } from '../address.ts';
import type { DnsAnswer } from './answer.ts';
import { askServers } from './ask-servers.ts';
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
