// Asks one DNS server for the addresses of a name.

import type { Resolver } from 'node:dns';
import type { HostAddress } from '../address.ts';

/** What DNS answers for a name. */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly HostAddress[] }
  /** A server said that there is no such name, or that it has no address. */
  | { readonly kind: 'none' }
  /** A server answered that it does not know, or could not be reached; one line why. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** No server has answered. */
  | { readonly kind: 'silent' };

/** How a server is asked. */
export interface ServerQuestion {
  /** The full name, without a dot at its end. */
  readonly name: string;
  /** How long to wait for its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How long to wait for the other family's addresses when one family has some, in milliseconds. */
  readonly resolutionDelayMs: number;
  readonly families: readonly HostAddress['family'][];
}

/** The answer for one family: addresses, no such address, no such name, or the fault; undefined if nothing came. */
type FamilyAnswer = readonly HostAddress[] | 'no data' | 'no name' | { readonly fault: string } | undefined;

/**
 * Asks one server (an address, or `address:port`) once for the addresses of a name, by c-ares, which waits on sockets and uses
 * no thread. When `signal` aborts, returns what has come, or `silent` if that is nothing. Never rejects. Source: RFC 1035,
 * ares_query(3).
 */
export function askServer(server: string, question: ServerQuestion, signal: AbortSignal): Promise<DnsAnswer> {
  const { name, timeoutMs, resolutionDelayMs, families } = question;
  return new Promise((resolve) => {
    // Not an import: most daemons never ask DNS.
    const dns = process.getBuiltinModule('node:dns');
    const resolver = new dns.Resolver({ timeout: Math.max(Math.round(timeoutMs), 1), tries: 1 });
    const answers = new Map<HostAddress['family'], FamilyAnswer>();
    let delay: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      clearTimeout(delay);
      signal.removeEventListener('abort', end);
      resolver.cancel();
      resolve(judge([...answers.values()], server));
    };
    const take = (family: HostAddress['family'], answer: FamilyAnswer): void => {
      if (ended) return;
      answers.set(family, answer);
      // `no such name` applies to all addresses of the name.
      if (answers.size === families.length || answer === 'no name') end();
      else if (Array.isArray(answer)) delay = setTimeout(end, resolutionDelayMs);
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      resolver.setServers([server]);
      for (const family of families) ask(resolver, name, family, (answer) => take(family, answer));
    } catch (error) {
      for (const family of families) take(family, { fault: (error as Error).message });
    }
    if (signal.aborted) end();
  });
}

function ask(resolver: Resolver, name: string, family: HostAddress['family'], take: (answer: FamilyAnswer) => void): void {
  const receive = (error: NodeJS.ErrnoException | null, addresses: readonly string[]): void => {
    if (error === null) take(addresses.length === 0 ? 'no data' : addresses.map((address) => ({ address, family })));
    else
      take(
        FAMILY_ANSWERS.has(error.code ?? '')
          ? FAMILY_ANSWERS.get(error.code ?? '')
          : { fault: (error.code ?? 'no code').replace(/^E(?=SERVFAIL|REFUSED|FORMERR|NOTIMP)/, '') },
      );
  };
  if (family === 4) resolver.resolve4(name, receive);
  else resolver.resolve6(name, receive);
}

/** Answers by Node's error codes. All other codes mean a fault. EBADNAME: no server can be asked for such a name. */
const FAMILY_ANSWERS: ReadonlyMap<string, FamilyAnswer> = new Map([
  ['ENODATA', 'no data'],
  ['ENOTFOUND', 'no name'],
  ['EBADNAME', 'no name'],
  ['ETIMEOUT', undefined],
  ['ECANCELLED', undefined],
]);

function judge(answers: readonly FamilyAnswer[], server: string): DnsAnswer {
  const addresses = answers.flatMap((answer) => (Array.isArray(answer) ? (answer as readonly HostAddress[]) : []));
  if (addresses.length > 0) return { kind: 'found', addresses };
  if (answers.includes('no name')) return { kind: 'none' };
  for (const answer of answers)
    if (typeof answer === 'object' && 'fault' in answer)
      return { kind: 'failed', reason: `DNS server ${server}: ${answer.fault}` };
  // The answer for one family does not apply to the other.
  return answers.length > 0 && answers.every((answer) => answer === 'no data') ? { kind: 'none' } : { kind: 'silent' };
}
