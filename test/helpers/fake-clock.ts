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
      if (next !== undefined) this.#wake(next);
      // Nobody waits for the clock: a real program may be waited for, such as getent(1).
      else if (!(await holdsSoon(done))) throw new Error(`not reached within ${limitMs} ms of the fake clock`);
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

/** Whether it holds within 10 s of the real clock. */
async function holdsSoon(done: () => boolean): Promise<boolean> {
  const endMs = performance.now() + 10_000;
  while (!done() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  return done();
}

/** Lets all promises that can settle without the clock settle; also those that wait for real files, which take their time. */
async function breathe(): Promise<void> {
  for (let idle = 0; idle < 5; idle = isAtWork() ? 0 : idle + 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Something reads files, or goes on at the next turn of the loop: a round through /proc takes a turn for each 10 ms (LoopPause). */
function isAtWork(): boolean {
  return process.getActiveResourcesInfo().some((resource) => resource.startsWith('FSReq') || resource === 'Immediate');
}
