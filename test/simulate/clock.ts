import type { Clock } from '../../src/core/clock.ts';

interface Due {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it has been taken back. */
  act: (() => void) | undefined;
}

/** Takes back what is due later. */
export type TakeBack = () => void;

/** The time of the simulated world: it stands still while anything runs, and jumps to what is due next. */
export class WorldClock {
  nowMs = 1_000_000;
  #heap: Due[] = [];
  #order = 0;

  /** `act` is called in `ms` milliseconds; what is due at the same moment, in the order in which it was asked for. */
  in(ms: number, act: () => void): TakeBack {
    const due: Due = { atMs: this.nowMs + Math.max(Math.ceil(ms), 0), order: this.#order++, act };
    this.#push(due);
    return () => {
      due.act = undefined;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.in(ms, resolve));
  }

  /** Lets `ms` milliseconds pass; whatever can go on without the clock goes on before it moves. */
  async pass(ms: number, after: () => void = () => {}): Promise<void> {
    const endMs = this.nowMs + ms;
    await everythingRuns();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.act?.();
      await everythingRuns();
      after();
    }
    this.nowMs = endMs;
  }

  #next(endMs: number): Due | undefined {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= endMs; first = this.#heap[0]) {
      this.#pop();
      if (first.act !== undefined) return first;
    }
    return undefined;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(due, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}

/** The second turn is for whoever waits for one turn of the loop himself (Breath). */
async function everythingRuns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

/** The world's time as one life of the daemon sees it: from its death on nobody of it wakes. */
export function clockOf(world: WorldClock, isAlive: () => boolean, enter: () => void): Clock {
  return {
    monotonicMs: () => world.nowMs,
    date: () => new Date(1_750_000_000_000 + world.nowMs),
    sleep: (ms, signal) => {
      if (!isAlive()) return new Promise(() => {});
      enter();
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const end = (): void => {
          takeBack();
          signal?.removeEventListener('abort', end);
          if (isAlive()) resolve();
        };
        const takeBack = world.in(ms, end);
        signal?.addEventListener('abort', end, { once: true });
      });
    },
  };
}
