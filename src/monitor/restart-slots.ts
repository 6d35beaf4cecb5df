/** Who goes first when a slot falls free. */
export interface SlotRank {
  /** True for a second attempt, or for a process whose last recovery failed: it waits for all first attempts. */
  readonly repeated: boolean;
  /** Higher first. */
  readonly priority: number;
  /** Monotonic time at which the alarm was first seen: the longest in alarm next. */
  readonly sinceMs: number;
}

interface Waiting {
  readonly rank: SlotRank;
  readonly order: number;
  readonly grant: (release: () => void) => void;
}

/** At most so many restart commands at once; who waits is served by rank, equals in order of arrival. */
export class RestartSlots {
  readonly #limit: () => number;
  readonly #waiting: Waiting[] = [];
  #busy = 0;
  #order = 0;

  /** `limit` is read whenever a slot is asked for or falls free, so that a reload takes effect. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Resolves with the function that gives the slot back (idempotent), or undefined once `signal` aborts. */
  acquire(rank: SlotRank, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        resolve(undefined);
      };
      const waiting: Waiting = {
        rank,
        order: this.#order++,
        grant: (release) => {
          signal.removeEventListener('abort', onAbort);
          resolve(release);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#insert(waiting);
      this.#serve();
    });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  #serve(): void {
    while (this.#busy < this.#limit()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#busy++;
      let held = true;
      next.grant(() => {
        if (!held) return;
        held = false;
        this.#busy--;
        this.#serve();
      });
    }
  }

  #insert(waiting: Waiting): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#waiting[middle];
      if (other !== undefined && comesBefore(other, waiting)) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, waiting);
  }
}

function comesBefore(a: Waiting, b: Waiting): boolean {
  if (a.rank.repeated !== b.rank.repeated) return b.rank.repeated;
  if (a.rank.priority !== b.rank.priority) return a.rank.priority > b.rank.priority;
  if (a.rank.sinceMs !== b.rank.sinceMs) return a.rank.sinceMs < b.rank.sinceMs;
  return a.order < b.order;
}
