// The slots for restart commands.
import { setImmediate as turn } from 'node:timers/promises';
import { Slots } from '../../core/slots.ts';

/** Who goes first when a slot becomes free. */
interface SlotRank {
  /** True for an operator's order: it waits for no alarm. */
  readonly ordered: boolean;
  /** True for a second attempt, or for a process whose last recovery failed: it waits for all first attempts. */
  readonly repeated: boolean;
  /** Higher first. */
  readonly priority: number;
  /** True for a process with a section of its own: however many names a database has in alarm, it comes before them. */
  readonly configured: boolean;
  /** Monotonic time at which the alarm was first seen: the longest in alarm next. */
  readonly sinceMs: number;
}

/** Limits how many restart commands run at once. Slots are given by rank, and to equals in order of arrival. */
export class RestartSlots {
  readonly #slots: Slots<SlotRank>;

  /** `limit` is read whenever a slot is wanted or becomes free, so that a reload takes effect. */
  constructor(limit: () => number) {
    this.#slots = new Slots(limit, comesBefore);
  }

  /** Resolves with the function that returns the slot (idempotent), or undefined once `signal` aborts. */
  async acquire(rank: SlotRank, signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted || !(await this.#slots.take(Number.POSITIVE_INFINITY, signal, rank))) return undefined;
    // Where nothing has to be waited for, thousands of attempts that fail at once would follow each other in one turn of the event loop.
    await turn();
    let held = true;
    return () => {
      if (held) this.#slots.release();
      held = false;
    };
  }
}

function comesBefore(a: SlotRank, b: SlotRank): boolean {
  if (a.ordered !== b.ordered) return a.ordered;
  if (a.repeated !== b.repeated) return b.repeated;
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.configured !== b.configured) return a.configured;
  return a.sinceMs < b.sinceMs;
}
