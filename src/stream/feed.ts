// The shared subscription to the process events.

import type { Clock } from '../core/clock.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../system/process-events/source.ts';

/** What a feed needs. */
interface EventFeedOptions {
  readonly source: ProcessEventSource;
  readonly clock: Clock;
  /** Called when the events begin to come. */
  readonly onOpen: () => void;
  readonly onEvents: (events: readonly ProcessEvent[]) => void;
}

/** Subscribes to the events of a source while anybody needs them: while nobody does, they cost nothing. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  #users = 0;
  #subscription: Promise<ProcessEventSubscription> | undefined;
  #lingering = new AbortController();
  #closed = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** Adds a user. If the answer is `open`, it must be released. */
  async acquire(): Promise<{ readonly kind: 'open' } | { readonly kind: 'unavailable'; readonly reason: string }> {
    if (this.#closed) return { kind: 'unavailable', reason: 'the stream is stopping' };
    this.#users++;
    this.#lingering.abort();
    this.#subscription ??= this.#subscribe();
    const subscription = await this.#subscription;
    if (subscription.kind === 'open') return { kind: 'open' };
    this.#users--;
    this.#subscription = undefined;
    return subscription;
  }

  /**
   * Removes a user. After the last one the subscription stays open for 5 s: clients that connect and disconnect repeatedly must
   * not cost much.
   */
  release(): void {
    this.#users--;
    if (this.#users === 0 && !this.#closed) void this.#linger();
  }

  /** Ends the subscription. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#lingering.abort();
    await this.#end();
  }

  async #subscribe(): Promise<ProcessEventSubscription> {
    const subscription = await this.#options.source.subscribe(this.#options.onEvents);
    if (subscription.kind === 'open') this.#options.onOpen();
    return subscription;
  }

  async #linger(): Promise<void> {
    const lingering = new AbortController();
    this.#lingering = lingering;
    await this.#options.clock.sleep(LINGER_MS, lingering.signal);
    if (!lingering.signal.aborted && this.#users === 0) await this.#end();
  }

  async #end(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    const opened = await subscription;
    if (opened?.kind === 'open') opened.end();
  }
}

const LINGER_MS = 5000;
