import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';

/** Something that takes connections. */
export interface Listening {
  /** False if nobody finds it any more: its socket file is gone, or is another's. */
  isThere(): boolean;
  /** Takes no more connections; those there are go on. */
  close(): void;
}

/** Whether connections are taken. `error` is what opening it threw, `reason` that in one line. */
type ListenerState =
  | { readonly kind: 'open' }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly error: unknown };

/** What a listener that is looked after is given. */
interface KeptListenerOptions {
  /** Begins to listen. Rejects with why that cannot be done now. */
  readonly open: () => Promise<Listening>;
  readonly clock: Clock;
  /** One that is open is looked for so often. */
  readonly lookMs: number;
  /** One that is not open is tried again so often. */
  readonly retryMs: number;
  /**
   * Hears how the first try ended (`before` is undefined), that it was opened, also anew in place of one that was gone (then `before`
   * is open too), and that it cannot be had: each reason once until it is open again.
   */
  readonly onChange: (state: ListenerState, before: ListenerState | undefined) => void;
}

/** A place to listen on that is opened as soon as it can be had, and again where it has gone. Clients of one that has gone stay. */
export class KeptListener {
  readonly #options: KeptListenerOptions;
  readonly #stopping = new AbortController();
  readonly #told = new Set<string>();
  #state: ListenerState | undefined;
  #current: Listening | undefined;
  /** In whose place another stands: somebody may just have come to it. Closed at the next look. */
  #retired: Listening | undefined;
  #trying: Promise<void> = Promise.resolve();

  constructor(options: KeptListenerOptions) {
    this.#options = options;
  }

  /** Undefined until the first try has ended. */
  get state(): ListenerState | undefined {
    return this.#state;
  }

  /** The first try; from then on it is looked after. Never rejects. */
  async start(): Promise<ListenerState> {
    await this.#try();
    void this.#lookAfter();
    return this.#state ?? { kind: 'unavailable', reason: 'it ends', error: undefined };
  }

  /** Takes no more connections. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#trying;
    this.#retired?.close();
    this.#current?.close();
    this.#retired = undefined;
    this.#current = undefined;
  }

  async #lookAfter(): Promise<void> {
    const { clock, lookMs, retryMs } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(this.#state?.kind === 'open' ? lookMs : retryMs, signal);
      if (signal.aborted) return;
      this.#retired?.close();
      this.#retired = undefined;
      if (this.#state?.kind !== 'open' || this.#current?.isThere() !== true) await this.#try();
    }
  }

  #try(): Promise<void> {
    this.#trying = this.#open();
    return this.#trying;
  }

  async #open(): Promise<void> {
    try {
      const opened = await this.#options.open();
      if (this.#stopping.signal.aborted) {
        opened.close();
        return;
      }
      this.#retired = this.#current;
      this.#current = opened;
      this.#told.clear();
      this.#become({ kind: 'open' });
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#become({ kind: 'unavailable', reason: errorMessage(error), error });
    }
  }

  #become(state: ListenerState): void {
    const before = this.#state;
    this.#state = state;
    if (state.kind === 'unavailable') {
      if (this.#told.has(state.reason) || this.#told.size >= MAX_TOLD) return;
      this.#told.add(state.reason);
    }
    this.#options.onChange(state, before);
  }
}

/** Reasons may hold what changes each time. */
const MAX_TOLD = 10;
