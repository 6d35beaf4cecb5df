import { setImmediate as turn } from 'node:timers/promises';

/**
 * Keeps long work from holding up the event loop: `if (breath.isDue) await breath.take()` between two of its steps. By time and
 * not by count: what one step costs is up to those who are looked at.
 */
export class Breath {
  #sinceMs = performance.now();

  /** True once 10 ms have passed since the last breath. */
  get isDue(): boolean {
    return performance.now() - this.#sinceMs >= BREATH_MS;
  }

  /** Lets the loop turn once. */
  async take(): Promise<void> {
    await turn();
    this.#sinceMs = performance.now();
  }
}

const BREATH_MS = 10;
