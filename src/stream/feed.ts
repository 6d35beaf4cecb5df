import type { Clock } from '../core/clock.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../system/process-events/source.ts';

/** What a feed is given. */
interface EventFeedOptions {
  readonly source: ProcessEventSource;
  readonly clock: Clock;
  /** Called when the events begin to come. */
  readonly onOpen: () => void;
  readonly onEvents: (events: readonly ProcessEvent[]) => void;
}

/** The events of a source for as long as somebody wants them: while nobody does, they cost nothing. */
export class EventFeed {
  readonly #options: EventFeedOptions;
  #users = 0;
  #subscription: Promise<ProcessEventSubscription> | undefined;
  #lingering = new AbortController();
  #closed = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  /** One user more, to be released where the answer is `open`. */
  async acquire(): Promise<{ readonly kind: 'open' } | { readonly kind: 'unavailable'; readonly reason: string }> {
    if (this.#closed) return { kind: 'unavailable', reason: 'the stream ends' };
    this.#users++;
    this.#lingering.abort();
    this.#subscription ??= this.#subscribe();
    const subscription = await this.#subscription;
    if (subscription.kind === 'open') return { kind: 'open' };
    this.#users--;
    this.#subscription = undefined;
    return subscription;
  }

  /** One user less. After the last one it stays open for 5 s: clients that come and go again and again must not cost much. */
  release(): void {
    this.#users--;
    if (this.#users === 0 && !this.#closed) void this.#linger();
  }

  /** Idempotent. */
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
