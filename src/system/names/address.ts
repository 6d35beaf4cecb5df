import { isIP } from 'node:net';

/** One address of a host; of IPv6 with its zone where it has one: `fe80::1%eth0`. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** `text` as an address, brackets around IPv6 left out; undefined where it is none. */
export function hostAddress(text: string): HostAddress | undefined {
  const address = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  const family = isIP(address);
  return family === 4 || family === 6 ? { address, family } : undefined;
}

/** Each address once, those of `first` before the others, otherwise as they came; at most 32: whoever answers may name any number. */
export function inOrder(addresses: readonly HostAddress[], first: HostAddress['family']): HostAddress[] {
  const byText = new Map(addresses.map((entry) => [entry.address, entry]));
  const all = [...byText.values()].slice(0, MOST_ADDRESSES);
  return [...all.filter(({ family }) => family === first), ...all.filter(({ family }) => family !== first)];
}

const MOST_ADDRESSES = 32;
