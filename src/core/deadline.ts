// Time limits for several steps together.
import type { Clock } from './clock.ts';

/** A common time limit for several steps. */
export interface Deadline {
  /** Aborts when the time is over, or with the parent signal. */
  readonly signal: AbortSignal;
  /** Whole milliseconds that are left; 0 once it is over. */
  remainingMs(): number;
  /** Removes the timer. Call it when the steps are done, however they went. */
  end(): void;
}

/** Starts a deadline of `limitMs` milliseconds by `clock`; `parent`: what ends the steps before, if anything does. */
export function startDeadline(clock: Clock, limitMs: number, parent?: AbortSignal): Deadline {
  const overAtMs = clock.monotonicMs() + limitMs;
  const over = new AbortController();
  const done = new AbortController();
  void clock.sleep(limitMs, done.signal).then(() => {
    if (!done.signal.aborted) over.abort();
  });
  return {
    signal: parent === undefined ? over.signal : AbortSignal.any([parent, over.signal]),
    remainingMs: () => Math.max(Math.ceil(overAtMs - clock.monotonicMs()), 0),
    // Without a reason each abort would create an error with a stack.
    end: () => done.abort('done'),
  };
}

/** Runs `run` with a deadline, as of startDeadline, and removes its timer however that ends. */
export async function withDeadline<T>(
  clock: Clock,
  limitMs: number,
  parent: AbortSignal | undefined,
  run: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(clock, limitMs, parent);
  try {
    return await run(deadline);
  } finally {
    deadline.end();
  }
}
