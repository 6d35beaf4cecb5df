import { soon, systemClock } from './clock.ts';
import { errorMessage } from './errors.ts';

/** A named thing to undo, pushed the moment it was done. */
interface StopStep {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

/**
 * What has been opened, in order; `stop()` closes it in reverse. Every step runs whatever the others do; a step that
 * outlives what is left of the common deadline is given up. Serves a failed start and an orderly end alike.
 */
export class StopStack {
  #steps: StopStep[] = [];
  #stopping: Promise<void> | undefined;

  /** Registers the undoing of a part that has just been opened. */
  push(name: string, stop: () => void | Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /**
   * Runs all steps, last opened first, within `deadlineMs` milliseconds in all. Idempotent: later calls share the first one's end.
   * Throws an AggregateError naming each step that failed or ran out of time.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#run(deadlineMs);
    return this.#stopping;
  }

  async #run(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    const errors: Error[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await within(Math.max(end - performance.now(), MIN_STEP_MS), step.stop);
      } catch (error) {
        errors.push(new Error(`${step.name}: ${errorMessage(error)}`, { cause: error }));
      }
    }
    this.#steps = [];
    if (errors.length > 0) throw new AggregateError(errors, `stop: ${errors.map((e) => e.message).join('; ')}`);
  }
}

/** A step whose turn comes after the deadline still gets a moment: closing a file must not be lost to a slow neighbour. */
const MIN_STEP_MS = 100;

async function within(ms: number, run: () => void | Promise<void>): Promise<void> {
  const ended = await soon(systemClock, ms, Promise.resolve().then(run));
  if (ended === 'late') throw new Error(`not ended after ${Math.round(ms)} ms`);
}
