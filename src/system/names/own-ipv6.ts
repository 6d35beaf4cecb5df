// Reads which IPv6 addresses this machine has.

import { readPieces } from './read-pieces.ts';

/** Which IPv6 addresses this machine has itself. */
export interface OwnIpv6 {
  /** `::1`. */
  readonly loopback: boolean;
  /** An address that reaches beyond its link. */
  readonly global: boolean;
}

/**
 * Reads the kernel's list. Does not ask by netlink, which the unit's sandbox forbids; not by /proc/net either, which ProcSubset=pid
 * hides. Without such a list IPv6 is off, and both are false. Source: proc_pid_net(5), if_inet6: address, interface, prefix, scope (00
 * global, 10 host, 20 link), flags, name.
 */
export function ownIpv6(path = '/proc/self/net/if_inet6'): OwnIpv6 {
  const lines = [...readPieces(path, MOST_BYTES)].join('').split('\n');
  const scopes = new Set(lines.map((line) => line.split(/\s+/)[3]));
  return { loopback: scopes.has('10'), global: scopes.has('00') };
}

/** Some 20,000 addresses. */
const MOST_BYTES = 1024 * 1024;
