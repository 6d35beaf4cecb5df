import type { Clock } from '../../src/core/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is told to move: `until` lets everything run and jumps from sleeper to sleeper. */
export class FakeClock implements Clock {
  #nowMs = 1_000_000;
  #sleepers: Sleeper[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(1_750_000_000_000 + this.#nowMs);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper: Sleeper = {
        atMs: this.#nowMs + Math.max(ms, 0),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves on by `ms`, waking in order whoever's time has come. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await breathe();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#wake(next);
      await breathe();
    }
    this.#nowMs = end;
    await breathe();
  }

  /** Lets everything run, jumping from sleeper to sleeper, until `done` holds; fails after `limitMs` of its own time. */
  async until(done: () => boolean, limitMs = 3_600_000): Promise<void> {
    const end = this.#nowMs + limitMs;
    await breathe();
    while (!done()) {
      const next = this.#next(end);
      if (next === undefined) throw new Error(`not reached within ${limitMs} ms of the fake clock`);
      this.#wake(next);
      await breathe();
    }
  }

  #next(endMs: number): Sleeper | undefined {
    const due = this.#sleepers.filter(({ atMs }) => atMs <= endMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }

  #wake(sleeper: Sleeper): void {
    this.#nowMs = Math.max(this.#nowMs, sleeper.atMs);
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    sleeper.wake();
  }
}

/** Lets all promises that can settle without the clock settle. */
async function breathe(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
