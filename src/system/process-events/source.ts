import type { ProcessEvent, ProcessEventType } from '../../core/process/event.ts';

/** Where the events of all processes of this machine come from, as they happen: one for the whole program. */
export interface ProcessEventSource {
  /**
   * From now on `listener` hears of everything that comes, in the kernel's order per processor. It is called synchronously, so it
   * must be quick, and must not throw. The first listener opens the source, the last one that goes closes it. `unavailable`: the
   * events cannot be had here (no connector in the kernel, another pid namespace, no right), in one line. Never rejects.
   */
  subscribe(listener: (events: readonly ProcessEvent[]) => void): Promise<ProcessEventSubscription>;
  counters(): ProcessEventCounters;
  /** Closes it, whoever listens. Idempotent. */
  close(): void;
}

/** Since the program's start, in events of the kernel: of threads and of kinds that nobody wanted, too. */
export interface ProcessEventCounters {
  readonly received: number;
  /** That the kernel could not deliver, as far as it is known. */
  readonly lost: number;
}

/** What `subscribe` gives. */
export type ProcessEventSubscription =
  /** `end` is idempotent. */
  { readonly kind: 'open'; end(): void } | { readonly kind: 'unavailable'; readonly reason: string };

/** What a source is made of. */
export interface ProcessEventSourceOptions {
  /** What is wanted; others may be told all the same. */
  readonly types: ReadonlySet<ProcessEventType>;
}
