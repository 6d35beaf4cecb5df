import { ConnectorFeed } from './feed.ts';
import { openConnectorSocket } from './netlink.ts';
import { connectorProblem } from './problem.ts';
import type {
  ProcessEventCounters,
  ProcessEventSource,
  ProcessEventSourceOptions,
  ProcessEventSubscription,
} from './source.ts';

/**
 * Creates a source of process events from the kernel's proc connector. Nothing is opened before the first subscription. If the
 * first thread of a process ends before the others, the end of the process is reported when its last thread ends. A
 * subscription keeps the program alive.
 */
export function createProcessEventSource(options: ProcessEventSourceOptions): ProcessEventSource {
  return new SharedConnector(options);
}

/** One feed that all listeners share. */
class SharedConnector implements ProcessEventSource {
  readonly #options: ProcessEventSourceOptions;
  /** Each listener with the number of its subscriptions. */
  readonly #listeners = new Map<Listener, number>();
  #feed: ConnectorFeed | undefined;
  /** Resolves to undefined if the kernel serves `#feed`, else to the reason why it does not. */
  #started: Promise<string | undefined> = Promise.resolve(undefined);
  /** The counters of the feeds that are closed. */
  #former: ProcessEventCounters = { received: 0, lost: 0 };

  constructor(options: ProcessEventSourceOptions) {
    this.#options = options;
  }

  async subscribe(listener: Listener): Promise<ProcessEventSubscription> {
    const problem = this.#feed === undefined ? this.#open() : undefined;
    if (problem !== undefined) return { kind: 'unavailable', reason: problem };
    const feed = this.#feed;
    const others = this.#listeners.get(listener) ?? 0;
    this.#listeners.set(listener, others + 1);
    const reason = await this.#started;
    if (reason !== undefined && this.#feed === feed) this.close();
    if (this.#feed !== feed) return { kind: 'unavailable', reason: reason ?? 'the source of process events has been closed' };
    let hasEnded = false;
    const end = (): void => {
      // Closed in the meantime, and perhaps opened again by others.
      if (hasEnded || this.#feed !== feed) return;
      hasEnded = true;
      this.#end(listener);
    };
    return { kind: 'open', isFirst: others === 0, end };
  }

  counters(): ProcessEventCounters {
    const { received, lost } = this.#feed?.counters() ?? { received: 0, lost: 0 };
    return { received: this.#former.received + received, lost: this.#former.lost + lost };
  }

  close(): void {
    this.#listeners.clear();
    this.#former = this.counters();
    const feed = this.#feed;
    this.#feed = undefined;
    feed?.close();
  }

  /** Opens the feed; returns why that is not possible, or undefined. */
  #open(): string | undefined {
    const opened = openConnectorSocket();
    if (opened.kind === 'failed') return connectorProblem(opened.call, opened.code);
    this.#feed = new ConnectorFeed(opened.socket, this.#options.types, (events) => {
      for (const listener of this.#listeners.keys()) listener(events);
    });
    this.#started = this.#feed.start();
    return undefined;
  }

  #end(listener: Listener): void {
    const others = (this.#listeners.get(listener) ?? 0) - 1;
    if (others > 0) this.#listeners.set(listener, others);
    else this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.close();
  }
}

type Listener = Parameters<ProcessEventSource['subscribe']>[0];
