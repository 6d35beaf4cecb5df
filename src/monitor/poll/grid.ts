/**
 * When polls are due: at the multiples of the interval, counted from a phase of this daemon's own. A stall
 * of a database that many daemons share does not line up their polls for ever. An early poll does not move the regular ones.
 */
export class PollGrid {
  /** A share of the interval, 0 to 1. */
  readonly #phase: number;

  constructor(phase: number) {
    this.#phase = phase;
  }

  /** Milliseconds from `nowMs` (monotonic) to the next poll; at least 1, at most `intervalMs` and 1. */
  pauseMs(nowMs: number, intervalMs: number): number {
    const since = (nowMs + (1 - this.#phase) * intervalMs) % intervalMs;
    const pause = intervalMs - since;
    // A timer may fire slightly too soon: that poll has been made.
    return pause < 1 ? pause + intervalMs : pause;
  }
}
