// Addresses of hosts.

import { isIP } from 'node:net';

/** One address of a host. An IPv6 address includes its zone if it has one: `fe80::1%eth0`. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Parses an address, without brackets around IPv6; undefined if `text` is not an address. */
export function hostAddress(text: string): HostAddress | undefined {
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const family = isIP(address);
  return family === 4 || family === 6 ? { address, family } : undefined;
}

/**
 * Returns each address once, those of family `first` before the others, otherwise in their order; at most 32, because a server
 * may return any number.
 */
export function inOrder(addresses: readonly HostAddress[], first: HostAddress['family']): HostAddress[] {
  const byText = new Map(addresses.map((entry) => [entry.address, entry]));
  const all = [...byText.values()].slice(0, MOST_ADDRESSES);
  return [...all.filter(({ family }) => family === first), ...all.filter(({ family }) => family !== first)];
}

const MOST_ADDRESSES = 32;
