import type { Clock } from '../core/clock.ts';

/**
 * When a password that somebody on this machine gives is looked at. Nobody is refused: five wrong ones are looked at at once, further
 * ones one every two seconds, however many connections they come by, the newest first; who rests has five again after ten seconds. A
 * right one costs nothing. Each user has a pace of his own, so that who guesses holds up himself alone. At rest nothing is remembered.
 */
export class LoginPace {
  readonly #clock: Clock;
  /** Once it aborts nobody's turn comes any more. */
  readonly #ending: AbortSignal;
  readonly #paces = new Map<string, Pace>();

  constructor(clock: Clock, ending: AbortSignal) {
    this.#clock = clock;
    this.#ending = ending;
  }

  /** True once a password of `who` may be looked at; false where that takes longer than 30 s, or `gone` aborts before. */
  turn(who: string, gone: AbortSignal): Promise<boolean> {
    const pace = this.#paceOf(who);
    if (pace.left >= 1 && pace.waiting.size === 0) {
      pace.left--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const served = new AbortController();
      const settle = (isTurn: boolean): void => {
        served.abort();
        resolve(isTurn);
      };
      pace.waiting.add(settle);
      if (pace.waiting.size === 1) void this.#serve(pace);
      void this.#clock.sleep(LONGEST_WAIT_MS, AbortSignal.any([this.#ending, gone, served.signal])).then(() => {
        if (pace.waiting.delete(settle)) settle(false);
      });
    });
  }

  /** Whether the next password of `who` has to wait. */
  isSlow(who: string): boolean {
    return this.#paceOf(who).left < 1;
  }

  /** The password was right. */
  right(who: string): void {
    const pace = this.#paceOf(who);
    pace.left = Math.min(pace.left + 1, FREE);
  }

  async #serve(pace: Pace): Promise<void> {
    while (pace.waiting.size > 0 && !this.#ending.aborted) {
      await this.#clock.sleep((1 - pace.left) * INTERVAL_MS, this.#ending);
      this.#refill(pace);
      // Somebody who came just now has not waited behind a crowd that guesses.
      const newest = pace.left >= 1 ? [...pace.waiting].at(-1) : undefined;
      if (newest === undefined) continue;
      pace.left--;
      pace.waiting.delete(newest);
      newest(true);
    }
  }

  #paceOf(who: string): Pace {
    const known = this.#paces.get(who);
    if (known !== undefined) {
      this.#refill(known);
      return known;
    }
    if (this.#paces.size >= MAX_REMEMBERED) this.#forget();
    const pace: Pace = { left: FREE, countedAtMs: this.#clock.monotonicMs(), waiting: new Set() };
    this.#paces.set(who, pace);
    return pace;
  }

  #refill(pace: Pace): void {
    const now = this.#clock.monotonicMs();
    pace.left = Math.min(pace.left + (now - pace.countedAtMs) / INTERVAL_MS, FREE);
    pace.countedAtMs = now;
  }

  /** Those at rest; if nobody is, the one that was met first. */
  #forget(): void {
    for (const [who, pace] of this.#paces) {
      this.#refill(pace);
      if (pace.left >= FREE && pace.waiting.size === 0) this.#paces.delete(who);
    }
    const [first] = this.#paces.keys();
    if (this.#paces.size >= MAX_REMEMBERED && first !== undefined) this.#paces.delete(first);
  }
}

interface Pace {
  /** Passwords that may be looked at, with what part of the next one's wait is over. */
  left: number;
  countedAtMs: number;
  /** In the order in which they came. */
  readonly waiting: Set<(isTurn: boolean) => void>;
}

const FREE = 5;
const INTERVAL_MS = 2000;
const LONGEST_WAIT_MS = 30_000;
const MAX_REMEMBERED = 1024;
