import { readPieces } from './read-pieces.ts';

/** Which IPv6 addresses this machine has itself. */
export interface OwnIpv6 {
  /** `::1`. */
  readonly loopback: boolean;
  /** One that reaches beyond its link. */
  readonly global: boolean;
}

/**
 * Read of the kernel's list, and not asked for through netlink: the unit's sandbox has none. Neither, where there is no such list: then
 * IPv6 is off. Source: proc_pid_net(5), if_inet6: address, interface, prefix, scope (00 global, 10 host, 20 link), flags, name.
 */
export function ownIpv6(path = '/proc/net/if_inet6'): OwnIpv6 {
  const lines = [...readPieces(path, MOST_BYTES)].join('').split('\n');
  const scopes = new Set(lines.map((line) => line.split(/\s+/)[3]));
  return { loopback: scopes.has('10'), global: scopes.has('00') };
}

/** Some 20,000 addresses. */
const MOST_BYTES = 1024 * 1024;
