import { lstatSync, readlinkSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';

/**
 * The machine's time zone, which may be changed while we run (timedatectl(1)): Node reads it only once, date(1) each time.
 * Source: localtime(5).
 */
export class TimeZone {
  readonly #clock: Clock;
  readonly #path: string;
  #dueMs = 0;
  /** Undefined at first: we do not know which zone Node has read. */
  #seen: string | undefined;

  constructor(clock: Clock, path = '/etc/localtime') {
    this.#clock = clock;
    this.#path = path;
  }

  /**
   * Adopts a changed time zone; local times follow it from then on. Does nothing if TZ sets the zone. Looks at most once in ten
   * seconds, however often it is called. Never throws.
   */
  refresh(): void {
    if (this.#clock.monotonicMs() < this.#dueMs) return;
    this.#dueMs = this.#clock.monotonicMs() + BETWEEN_LOOKS_MS;
    const now = stateOf(this.#path);
    if (now === this.#seen || process.env.TZ !== undefined) return;
    this.#seen = now;
    // Node takes that as a change of TZ, whether it was set or not, and reads the zone again.
    delete process.env.TZ;
  }
}

const BETWEEN_LOOKS_MS = 10_000;

/** The state of a link to a zone file, or of a copy of one. */
function stateOf(path: string): string | undefined {
  try {
    const entry = lstatSync(path);
    return [entry.ino, entry.mtimeMs, entry.size, entry.isSymbolicLink() ? readlinkSync(path) : ''].join();
  } catch {
    return undefined;
  }
}
