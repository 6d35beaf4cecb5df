// The looks at one target, one after the other.
import { type Clock, soon } from '../../core/clock.ts';
import type { CheckTarget, Reading } from './check.ts';

/** Never looks twice at once. */
export class LookQueue {
  readonly #target: CheckTarget;
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();

  constructor(target: CheckTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Resolves when what is under way now has ended. */
  get ended(): Promise<unknown> {
    return this.#last;
  }

  /** One look of at most `timeoutMs`, after those before it. Never rejects. */
  look(timeoutMs: number, signal: AbortSignal): Promise<Reading> {
    return this.#queue(() => this.#look(timeoutMs, signal, false));
  }

  /**
   * One look of at most `lookMs`, in all with the look before it `limitMs`; `isAside`: CheckTarget.look. `unknown` if there is no result in
   * time. Never rejects.
   */
  async lookWithin(limitMs: number, lookMs: number, signal: AbortSignal, isAside = false): Promise<Reading> {
    const end = this.#clock.monotonicMs() + limitMs;
    const late: Reading = { kind: 'unknown', reason: 'no result in time' };
    const looking = this.#queue(() => {
      const leftMs = Math.min(end - this.#clock.monotonicMs(), lookMs);
      // Nobody waits for it any more.
      return leftMs <= 0 || signal.aborted ? Promise.resolve(late) : this.#look(leftMs, signal, isAside);
    });
    const reading = await soon(this.#clock, limitMs, looking, signal);
    return reading === 'late' ? late : reading;
  }

  async #look(timeoutMs: number, signal: AbortSignal, isAside: boolean): Promise<Reading> {
    const limitMs = Math.max(timeoutMs, 1);
    const reading = await soon(this.#clock, limitMs + OVERDUE_MS, this.#target.look(limitMs, signal, isAside));
    return reading === 'late' ? { kind: 'unknown', reason: 'the look did not end in time' } : reading;
  }

  #queue<T>(look: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(look);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** A look ends by itself; one that does not is given up after this time, in milliseconds. */
export const OVERDUE_MS = 2000;
