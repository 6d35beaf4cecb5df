import type { Clock } from '../../core/clock.ts';

/** How fast turns come. */
interface TurnsOptions {
  readonly clock: Clock;
  /** Once it aborts nobody's turn comes any more. */
  readonly ending: AbortSignal;
  /** So many come at once; who rests gets them back one by one. */
  readonly free: number;
  /** Milliseconds from one to the next beyond those. */
  readonly intervalMs: number;
}

/** Turns that come at a pace, to the newest of those who wait first: who came just now has not waited behind a crowd that guesses. */
export class Turns {
  readonly #options: TurnsOptions;
  /** Turns that may be taken, with what part of the next one's wait is over. */
  #left: number;
  #countedAtMs: number;
  /** In the order in which they came. */
  readonly #waiting = new Set<(isTurn: boolean) => void>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#left = options.free;
    this.#countedAtMs = options.clock.monotonicMs();
  }

  /** Whether the next one has to wait. */
  get isUsedUp(): boolean {
    this.#refill();
    return this.#left < 1;
  }

  get isAtRest(): boolean {
    this.#refill();
    return this.#left >= this.#options.free && this.#waiting.size === 0;
  }

  /** True once it is the caller's turn; false where that takes longer than `longestMs`, or `gone` aborts before. */
  take(gone: AbortSignal, longestMs: number): Promise<boolean> {
    this.#refill();
    if (this.#left >= 1 && this.#waiting.size === 0) {
      this.#left--;
      return Promise.resolve(true);
    }
    const { clock, ending } = this.#options;
    return new Promise((resolve) => {
      const served = new AbortController();
      const settle = (isTurn: boolean): void => {
        served.abort();
        resolve(isTurn);
      };
      this.#waiting.add(settle);
      if (this.#waiting.size === 1) void this.#serve();
      void clock.sleep(longestMs, AbortSignal.any([ending, gone, served.signal])).then(() => {
        if (this.#waiting.delete(settle)) settle(false);
      });
    });
  }

  /** The last one is not counted. */
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
