import type { ProcessEvent, ProcessEventType } from '../core/process-event.ts';

/** Where the events of all processes of this machine come from, as they happen. */
export interface ProcessEventSource {
  /**
   * Begins to listen. `unavailable`: they cannot be had here (no connector in the kernel, another pid namespace, no right), in one
   * line; then nothing is open. Never rejects.
   */
  start(): Promise<{ readonly kind: 'open' } | { readonly kind: 'unavailable'; readonly reason: string }>;
  /** Since the start; `lost`: events that the kernel could not deliver, as far as that is known. */
  counters(): { readonly received: number; readonly lost: number };
  /** Nothing is told any more. Idempotent. */
  stop(): void;
}

/** What a source is made of. */
export interface ProcessEventSourceOptions {
  /** What is wanted; others may be told all the same. */
  readonly types: ReadonlySet<ProcessEventType>;
  /** Hears of what came, in the kernel's order per processor. Must not throw, and is called synchronously, so it must be quick. */
  readonly onEvents: (events: readonly ProcessEvent[]) => void;
}
