/**
 * When polls are due: at the multiples of the interval, counted from a phase of this daemon's own. However many daemons share a database,
 * one stall that wakes them all at once does not line them up for ever; a poll that comes early does not move those after it.
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
    // A timer may fire a hair too soon: the poll of that point has been.
    return pause < 1 ? pause + intervalMs : pause;
  }
}
