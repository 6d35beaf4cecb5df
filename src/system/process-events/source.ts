import type { ProcessEvent, ProcessEventType } from '../../core/process/event.ts';

/** The source of the events of all processes of this machine, as they happen: one for the whole program. */
export interface ProcessEventSource {
  /**
   * From now on `listener` receives everything that comes, in the kernel's order for each processor. It is called
   * synchronously, so it must be quick, and must not throw. A listener that has several subscriptions is called once. The first
   * subscription opens the source, the end of the last one closes it. `unavailable`: there are no events here (the kernel has no
   * connector, another pid namespace, a missing right), in one line. Never rejects.
   */
  subscribe(listener: (events: readonly ProcessEvent[]) => void): Promise<ProcessEventSubscription>;
  counters(): ProcessEventCounters;
  /** Closes it even if there are listeners. Idempotent. */
  close(): void;
}

/** Counted since the program's start, in events of the kernel: including those of threads and of kinds that nobody wanted. */
export interface ProcessEventCounters {
  readonly received: number;
  /** Events that the kernel could not deliver, as far as that is known. */
  readonly lost: number;
}

/** The result of `subscribe`. */
export type ProcessEventSubscription =
  /** `isFirst`: the listener had no other one, so that events begin to come. `end` is idempotent. */
  { readonly kind: 'open'; readonly isFirst: boolean; end(): void } | { readonly kind: 'unavailable'; readonly reason: string };

/** Options of a source. */
export interface ProcessEventSourceOptions {
  /** The kinds that are wanted; others may be reported all the same. */
  readonly types: ReadonlySet<ProcessEventType>;
}
