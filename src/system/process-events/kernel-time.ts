import { type Clock, systemClock } from '../../core/clock.ts';

/**
 * Turns times of CLOCK_MONOTONIC into times of day. The difference of the two clocks changes when the time of day is set and
 * when the machine sleeps, so `synchronise` has to be called now and then.
 */
export class KernelTime {
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#offsetMs = this.#measure();
  }

  synchronise(): void {
    const measured = this.#measure();
    // The time of day comes cut to whole milliseconds: the highest of many differences is the nearest to the true one.
    this.#offsetMs = Math.abs(measured - this.#offsetMs) > CUT_MS ? measured : Math.max(measured, this.#offsetMs);
  }

  /** Milliseconds of the epoch. */
  dateMs(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs;
  }

  nowMs(): number {
    return this.dateMs(this.#clock.monotonicMs());
  }

  #measure(): number {
    return this.#clock.date().getTime() - this.#clock.monotonicMs();
  }
}

const CUT_MS = 2;
