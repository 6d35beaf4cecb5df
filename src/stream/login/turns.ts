// Limits how often something may be done.

import type { Clock } from '../../core/clock.ts';

/** How fast turns come. */
interface TurnsOptions {
  readonly clock: Clock;
  /** When it aborts, no more turns come. */
  readonly ending: AbortSignal;
  /** How many turns are available at once. After a pause they come back one by one. */
  readonly free: number;
  /** Milliseconds from one turn to the next beyond those. */
  readonly intervalMs: number;
}

/** Turns that come at a limited rate. The newest waiting caller is first: a new caller does not wait behind many that guess. */
export class Turns {
  readonly #options: TurnsOptions;
  /** The number of turns that may be taken, with the elapsed part of the next one's wait. */
  #left: number;
  #countedAtMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<(isTurn: boolean) => void>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#left = options.free;
    this.#countedAtMs = options.clock.monotonicMs();
  }

  /** True if the next caller must wait. */
  get isUsedUp(): boolean {
    this.#refill();
    return this.#left < 1;
  }

  get isAtRest(): boolean {
    this.#refill();
    return this.#left >= this.#options.free && this.#waiting.size === 0;
  }

  /**
   * Resolves to true when it is the caller's turn; to false if that takes longer than `longestMs`, or if `gone` aborts before.
   */
  take(gone: AbortSignal, longestMs: number): Promise<boolean> {
    this.#refill();
    if (this.#left >= 1 && this.#waiting.size === 0) {
      this.#left--;
      return Promise.resolve(true);
    }
    const { clock, ending } = this.#options;
    return new Promise((resolve) => {
      const served = new AbortController();
      const finish = (isTurn: boolean): void => {
        served.abort();
        resolve(isTurn);
      };
      this.#waiting.add(finish);
      if (this.#waiting.size === 1) void this.#serve();
      void clock.sleep(longestMs, AbortSignal.any([ending, gone, served.signal])).then(() => {
        if (this.#waiting.delete(finish)) finish(false);
      });
    });
  }

  /** Does not count the last turn. */
  giveBack(): void {
    this.#left = Math.min(this.#left + 1, this.#options.free);
  }

  async #serve(): Promise<void> {
    const { clock, ending, intervalMs } = this.#options;
    while (this.#waiting.size > 0 && !ending.aborted) {
      await clock.sleep((1 - this.#left) * intervalMs, ending);
      this.#refill();
      const newest = this.#left >= 1 ? [...this.#waiting].at(-1) : undefined;
      if (newest === undefined) continue;
      this.#left--;
      this.#waiting.delete(newest);
      newest(true);
    }
  }

  #refill(): void {
    const { clock, free, intervalMs } = this.#options;
    const now = clock.monotonicMs();
    this.#left = Math.min(this.#left + (now - this.#countedAtMs) / intervalMs, free);
    this.#countedAtMs = now;
  }
}
