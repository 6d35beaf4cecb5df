/**
 * The state of a circuit breaker that outlives the daemon. Monotonic times are CLOCK_MONOTONIC milliseconds of the boot in
 * which they were taken.
 */
export interface BreakerSnapshot {
  readonly state: 'closed' | 'open' | 'half_open';
  /** Failed recoveries in a row. */
  readonly failures: number;
  /** When an open breaker lets one recovery through; 0 while it is closed. */
  readonly reopenAtMs: number;
  /** Times of successful recoveries within the flap window, oldest first. */
  readonly successesMs: readonly number[];
  /** Times of unexpected exits within the exit window, oldest first. */
  readonly exitsMs: readonly number[];
}
