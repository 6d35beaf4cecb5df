// The stack of steps that close what a start has opened.
import { errorMessage } from './errors.ts';
import { withTimeout } from './with-timeout.ts';

/** A named step that undoes something, pushed as soon as that was done. */
interface StopStep {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

/**
 * The parts that have been opened, in order; `stop()` closes them in reverse. Every step runs even if others fail; a step that
 * exceeds the rest of the common deadline is abandoned. Used for a failed start and for a normal end.
 */
export class StopStack {
  #steps: StopStep[] = [];
  #stopping: Promise<void> | undefined;

  /** Registers how to close a part that has just been opened. */
  push(name: string, stop: () => void | Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /**
   * Runs all steps, last opened first, within `deadlineMs` milliseconds in total. Idempotent: later calls get the result of the
   * first one. Throws an AggregateError that names each step that failed or timed out.
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
        const ms = Math.max(end - performance.now(), MIN_STEP_MS);
        await withTimeout(ms, Promise.resolve().then(step.stop), () => new Error(`not ended after ${Math.round(ms)} ms`));
      } catch (error) {
        errors.push(new Error(`${step.name}: ${errorMessage(error)}`, { cause: error }));
      }
    }
    this.#steps = [];
    if (errors.length > 0) throw new AggregateError(errors, `stop: ${errors.map((e) => e.message).join('; ')}`);
  }
}

/** A step that begins after the deadline still gets a moment, so that a slow step cannot prevent that a file is closed. */
const MIN_STEP_MS = 100;
