import { setImmediate as turn } from 'node:timers/promises';

/**
 * Keeps long work from blocking the event loop: `if (pause.isDue) await pause.take()` between two steps. It goes by time and
 * not by count, because other programs determine how long one step takes.
 */
export class LoopPause {
  #sinceMs = performance.now();

  /** True once 10 ms have passed since the last `take`. */
  get isDue(): boolean {
    return performance.now() - this.#sinceMs >= DUE_AFTER_MS;
  }

  /** Lets the event loop run once. */
  async take(): Promise<void> {
    await turn();
    this.#sinceMs = performance.now();
  }
}

const DUE_AFTER_MS = 10;
