import { type Clock, systemClock } from '../../core/clock.ts';

/**
 * Converts times of CLOCK_MONOTONIC to times of day. The difference of the two clocks changes when the time of day is set and
 * when the machine sleeps, so `synchronise` has to be called from time to time.
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
    // The time of day is truncated to whole milliseconds: the largest of many differences is the closest to the true one.
    this.#offsetMs = Math.abs(measured - this.#offsetMs) > TRUNCATED_MS ? measured : Math.max(measured, this.#offsetMs);
  }

  /** The time of day in milliseconds since the epoch. */
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

const TRUNCATED_MS = 2;
