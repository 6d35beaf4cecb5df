// A listener that is opened again if its place becomes free or its socket file is removed.
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';

/** Something that accepts connections. */
export interface Listening {
  /** False if clients cannot reach it any more: its socket file was removed or replaced. */
  isThere(): boolean;
  /** Accepts no more connections; existing ones stay open. */
  close(): void;
}

/** Whether connections are accepted. `error` is what the attempt to open it threw, `reason` the same in one line. */
type ListenerState =
  | { readonly kind: 'open' }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly error: unknown };

/** Options of a KeptListener. */
interface KeptListenerOptions {
  /** Begins to listen. Rejects with the reason if that is not possible now. */
  readonly open: () => Promise<Listening>;
  readonly clock: Clock;
  /** How often an open listener is checked. */
  readonly lookMs: number;
  /** How often a closed listener is tried again. */
  readonly retryMs: number;
  /**
   * Called after the first try (then `before` is undefined), each time the listener was opened, also to replace one that was
   * gone (then `before` is open too), and when it is unavailable: once for each reason until it is open again.
   */
  readonly onChange: (state: ListenerState, before: ListenerState | undefined) => void;
}

/**
 * A listener that is opened as soon as its place is available, and opened again if it is gone. Clients of the old one stay
 * connected.
 */
export class KeptListener {
  readonly #options: KeptListenerOptions;
  readonly #stopping = new AbortController();
  readonly #reportedReasons = new Set<string>();
  #state: ListenerState | undefined;
  #current: Listening | undefined;
  /** The listener that was replaced: a client may just have connected to it. It is closed at the next check. */
  #retired: Listening | undefined;
  #trying: Promise<void> = Promise.resolve();

  constructor(options: KeptListenerOptions) {
    this.#options = options;
  }

  /** The current state; undefined until the first try has ended. */
  get state(): ListenerState | undefined {
    return this.#state;
  }

  /** Tries for the first time, and keeps the listener open from then on. Never rejects. */
  async start(): Promise<ListenerState> {
    await this.#try();
    void this.#keepOpen();
    return this.#state ?? { kind: 'unavailable', reason: 'the daemon is stopping', error: undefined };
  }

  /** Accepts no more connections. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#trying;
    this.#retired?.close();
    this.#current?.close();
    this.#retired = undefined;
    this.#current = undefined;
  }

  async #keepOpen(): Promise<void> {
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
      this.#reportedReasons.clear();
      this.#setState({ kind: 'open' });
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#setState({ kind: 'unavailable', reason: errorMessage(error), error });
    }
  }

  #setState(state: ListenerState): void {
    const before = this.#state;
    this.#state = state;
    if (state.kind === 'unavailable') {
      if (this.#reportedReasons.has(state.reason) || this.#reportedReasons.size >= MAX_REPORTED) return;
      this.#reportedReasons.add(state.reason);
    }
    this.#options.onChange(state, before);
  }
}

/** A reason may contain something that changes each time. */
const MAX_REPORTED = 10;
