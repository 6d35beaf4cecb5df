// Resolves host names without Node's threads.

import { systemClock } from '../../core/clock.ts';
import { withinWords } from '../../core/text/duration.ts';
import { isLoopback } from '../../core/text/host-port.ts';
import { type HostAddress, hostAddress, inOrder } from './address.ts';
import { askDns } from './dns/ask.ts';
import type { DnsAnswer } from './dns/ask-server.ts';
import { type GetentAnswer, SharedGetent } from './getent.ts';
import { asciiHostName, isLocalhost } from './host-name.ts';
import { addressesInHosts } from './hosts-file.ts';
import { type OwnIpv6, ownIpv6 } from './own-ipv6.ts';

/** What a resolver asks; by default this machine's own sources. */
interface NameResolverOptions {
  /** The most getent children at once; default 3. The database's host has a fourth one for itself. */
  readonly children?: number;
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  /** DNS servers instead of those in resolv.conf: addresses, or `address:port`. */
  readonly servers?: readonly string[];
  /** The program getent. */
  readonly getent?: string;
}

/** The result for a name. */
export type NameAnswer =
  /** At least one, in the order in which they are to be tried. */
  | { readonly kind: 'resolved'; readonly addresses: readonly HostAddress[] }
  /** The name is unknown, or nobody answered in time; one line why. `code`: as dns.lookup has it. */
  | { readonly kind: 'unresolved'; readonly code: 'ENOTFOUND' | 'EAI_AGAIN' | 'ETIMEOUT'; readonly reason: string };

/**
 * Resolves host names without a thread of Node: getaddrinfo(3) has four in all, and one silent DNS server takes them all. Asks
 * in this order: the name itself, if it is an address; /etc/hosts; for localhost, the machine's loopback addresses; DNS
 * (c-ares); getent(1), which asks everything else in nsswitch.conf, if DNS does not know the name or is silent for half a
 * second. The order in nsswitch.conf itself does not count. Every look-up reads all sources again; nothing is cached.
 */
export class NameResolver {
  readonly #options: NameResolverOptions;
  readonly #getent: SharedGetent;

  constructor(options: NameResolverOptions = {}) {
    this.#options = options;
    this.#getent = new SharedGetent(options.children ?? CHILDREN, options.getent);
  }

  /**
   * Returns IPv6 first if this machine has a suitable address, as getaddrinfo does, else IPv4. Ends within `timeoutMs` or when
   * `signal` aborts. Never rejects.
   */
  async resolve(name: string, timeoutMs: number, signal: AbortSignal): Promise<NameAnswer> {
    const literal = hostAddress(name);
    if (literal !== undefined) return { kind: 'resolved', addresses: [literal] };
    const ascii = asciiHostName(name);
    if (ascii === undefined) return { kind: 'unresolved', code: 'ENOTFOUND', reason: 'it is not a valid host name' };
    const own = ownIpv6();
    const listed = await this.#listed(ascii.toLowerCase().replace(/\.$/, ''), own);
    if (listed.length > 0) return resolved(listed, own);
    const over = new AbortController();
    const timer = setTimeout(() => over.abort('its time is over'), timeoutMs);
    try {
      return await this.#ask(ascii, timeoutMs, own, AbortSignal.any([signal, over.signal]));
    } finally {
      clearTimeout(timer);
      over.abort('answered');
    }
  }

  /** Returns the addresses that the machine knows by itself. */
  async #listed(name: string, own: OwnIpv6): Promise<readonly HostAddress[]> {
    const listed = await addressesInHosts(name, this.#options.hostsFile);
    if (!isLocalhost(name)) return listed;
    const loopback = listed.filter(({ address }) => isLoopback(address));
    if (loopback.length > 0) return loopback;
    return own.loopback ? [IPV4_LOOPBACK, { address: '::1', family: 6 }] : [IPV4_LOOPBACK];
  }

  async #ask(name: string, timeoutMs: number, own: OwnIpv6, limit: AbortSignal): Promise<NameAnswer> {
    const { resolvConf, servers } = this.#options;
    const resolutionDelayMs = own.global ? Math.min(LONGEST_RESOLUTION_DELAY_MS, timeoutMs / 4) : SHORT_RESOLUTION_DELAY_MS;
    const dns = askDns({ name, timeoutMs, resolutionDelayMs, file: resolvConf, servers }, limit);
    const early = await Promise.race([dns, systemClock.sleep(Math.min(HEAD_START_MS, timeoutMs / 4), limit)]);
    if (early?.kind === 'found') return resolved(early.addresses, own);
    // Only if DNS has answered that it does not know, getent may get another answer from DNS. A silent DNS would keep getent
    // waiting.
    const getent = this.#getent.ask({ name, dns: early?.kind === 'failed' }, limit);
    const found = await firstFound(dns, getent);
    return found === undefined ? unresolved(await dns, await getent, limit, timeoutMs) : resolved(found, own);
  }
}

const CHILDREN = 3;
/** How much later than DNS getent is asked, if DNS has not answered by then. */
const HEAD_START_MS = 500;
/** How long to wait for the other family's addresses: if there is IPv6, and if only a local service might listen there. */
const LONGEST_RESOLUTION_DELAY_MS = 1000;
const SHORT_RESOLUTION_DELAY_MS = 100;

const IPV4_LOOPBACK: HostAddress = { address: '127.0.0.1', family: 4 };

function resolved(addresses: readonly HostAddress[], own: OwnIpv6): NameAnswer {
  const isIpv6First = addresses.every(({ address }) => isLoopback(address)) ? own.loopback : own.global;
  return { kind: 'resolved', addresses: inOrder(addresses, isIpv6First ? 6 : 4) };
}

/** Returns the addresses of the source that finds some first; undefined when neither has any. */
function firstFound(
  dns: Promise<DnsAnswer>,
  getent: Promise<GetentAnswer | undefined>,
): Promise<readonly HostAddress[] | undefined> {
  const byDns = dns.then((answer) => (answer.kind === 'found' ? answer.addresses : []));
  const byGetent = getent.then((answer) => (answer?.kind === 'answered' ? answer.addresses : []));
  return new Promise((resolve) => {
    for (const source of [byDns, byGetent])
      void source.then((addresses) => {
        if (addresses.length > 0) resolve(addresses);
      });
    void Promise.all([byDns, byGetent]).then(() => resolve(undefined));
  });
}

function unresolved(dns: DnsAnswer, getent: GetentAnswer | undefined, limit: AbortSignal, timeoutMs: number): NameAnswer {
  const also = getent?.kind === 'failed' ? `; ${getent.reason}` : '';
  if (dns.kind === 'failed') return { kind: 'unresolved', code: 'EAI_AGAIN', reason: `${dns.reason}${also}` };
  if (dns.kind === 'none' && getent !== undefined)
    return { kind: 'unresolved', code: 'ENOTFOUND', reason: `there is no such name${also}` };
  const whose = dns.kind === 'silent' ? 'no DNS server has answered' : 'the sources in nsswitch.conf have not answered';
  const when = limit.aborted ? ` ${withinWords(timeoutMs)}` : '';
  return { kind: 'unresolved', code: 'ETIMEOUT', reason: `${whose}${when}${also}` };
}
