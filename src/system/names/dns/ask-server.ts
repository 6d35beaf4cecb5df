import type { Resolver } from 'node:dns';
import type { HostAddress } from '../address.ts';

/** What DNS says of a name. */
export type DnsAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly HostAddress[] }
  /** There is no such name, or it has no address: a server said so. */
  | { readonly kind: 'none' }
  /** A server answered, or was not to be reached, and cannot tell; one line why. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nobody has answered. */
  | { readonly kind: 'silent' };

/** How a server is asked. */
export interface ServerQuestion {
  /** In full, without a dot at its end. */
  readonly name: string;
  /** How long its answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** How long, once one family has addresses, those of the other are waited for. */
  readonly settleMs: number;
  readonly families: readonly HostAddress['family'][];
}

/** Of one family: addresses, no such address, no such name, or why it cannot be told; undefined where nothing came. */
type FamilyAnswer = readonly HostAddress[] | 'no data' | 'no name' | { readonly fault: string } | undefined;

/**
 * Asks one server (an address, or `address:port`) once for the addresses of a name: by c-ares, which waits on sockets and uses no
 * thread. With what has come when `signal` aborts, `silent` where that is nothing. Never rejects. Source: RFC 1035, ares_query(3).
 */
export function askServer(server: string, question: ServerQuestion, signal: AbortSignal): Promise<DnsAnswer> {
  const { name, timeoutMs, settleMs, families } = question;
  return new Promise((resolve) => {
    // Not an import: most daemons never ask.
    const dns = process.getBuiltinModule('node:dns');
    const resolver = new dns.Resolver({ timeout: Math.max(Math.round(timeoutMs), 1), tries: 1 });
    const answers = new Map<HostAddress['family'], FamilyAnswer>();
    let settling: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      clearTimeout(settling);
      signal.removeEventListener('abort', end);
      resolver.cancel();
      resolve(judge([...answers.values()], server));
    };
    const take = (family: HostAddress['family'], answer: FamilyAnswer): void => {
      if (ended) return;
      answers.set(family, answer);
      // That there is no such name is said of all its addresses.
      if (answers.size === families.length || answer === 'no name') end();
      else if (Array.isArray(answer)) settling = setTimeout(end, settleMs);
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

/** By Node's error codes; all others tell of a fault. EBADNAME: no server can be asked for such a name. */
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
  // One family's word is not the other's.
  return answers.length > 0 && answers.every((answer) => answer === 'no data') ? { kind: 'none' } : { kind: 'silent' };
}
