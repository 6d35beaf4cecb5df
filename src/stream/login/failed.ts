import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';

/**
 * Failed logins from other machines, by address: an address that fails 5 times within 5 minutes is refused for 5 minutes. An
 * IPv6 address counts as its /64 network, because whoever has one address has all of them. At most 4,096 are remembered; the
 * oldest is forgotten first.
 */
export class FailedLogins {
  readonly #clock: Clock;
  readonly #addresses = new Map<string, { failures: number; sinceMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isRefused(address: string): boolean {
    return (this.#entry(address)?.failures ?? 0) >= MAX_FAILURES;
  }

  /** Counts a failure. Returns true if the address is refused from now on. */
  add(address: string): boolean {
    const failures = (this.#entry(address)?.failures ?? 0) + 1;
    const key = networkOf(address);
    // At the end of the map, as the newest. The time begins with the first failure, and again when it is refused.
    const sinceMs =
      failures >= MAX_FAILURES ? this.#clock.monotonicMs() : (this.#entry(address)?.sinceMs ?? this.#clock.monotonicMs());
    this.#addresses.delete(key);
    this.#addresses.set(key, { failures, sinceMs });
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > MAX_ADDRESSES && oldest !== undefined) this.#addresses.delete(oldest);
    return failures === MAX_FAILURES;
  }

  #entry(address: string): { readonly failures: number; readonly sinceMs: number } | undefined {
    const key = networkOf(address);
    const entry = this.#addresses.get(key);
    if (entry === undefined || this.#clock.monotonicMs() - entry.sinceMs < WINDOW_MS) return entry;
    this.#addresses.delete(key);
    return undefined;
  }
}

const MAX_FAILURES = 5;
const WINDOW_MS = 300_000;
const MAX_ADDRESSES = 4096;

/**
 * Returns the key for an address: `192.0.2.7`, also for `::ffff:192.0.2.7`; `2001:db8:0:1` for all of 2001:db8:0:1::/64, and
 * for itself.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? 0 : tail.split(':').length;
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - behind);
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...(tail ?? '').split(':')];
  return all.slice(0, 4).join(':');
}
