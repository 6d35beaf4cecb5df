import { lstatSync, readlinkSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';

/**
 * The machine's time zone, which may be changed while we run (timedatectl(1)): Node asks for it once, date(1) each time. Source:
 * localtime(5).
 */
export class TimeZone {
  readonly #clock: Clock;
  readonly #path: string;
  #dueMs = 0;
  /** At the first look nothing is known of what Node saw. */
  #seen: string | undefined;

  constructor(clock: Clock, path = '/etc/localtime') {
    this.#clock = clock;
    this.#path = path;
  }

  /**
   * Takes up another zone, where there is one; local times are of it from then on. Nothing where TZ says which. Looks once in ten
   * seconds, however often it is asked. Never throws.
   */
  refresh(): void {
    if (this.#clock.monotonicMs() < this.#dueMs) return;
    this.#dueMs = this.#clock.monotonicMs() + BETWEEN_LOOKS_MS;
    const now = stateOf(this.#path);
    if (now === this.#seen || process.env.TZ !== undefined) return;
    this.#seen = now;
    // To Node that is a change of TZ, whether it was set or not: it asks anew.
    delete process.env.TZ;
  }
}

const BETWEEN_LOOKS_MS = 10_000;

/** A link into the zones, or a copy of one. */
function stateOf(path: string): string | undefined {
  try {
    const entry = lstatSync(path);
    return [entry.ino, entry.mtimeMs, entry.size, entry.isSymbolicLink() ? readlinkSync(path) : ''].join();
  } catch {
    return undefined;
  }
}
