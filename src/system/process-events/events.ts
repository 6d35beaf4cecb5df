import type { ProcessEvent } from '../../core/process/event.ts';
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
  readonly #listeners = new Set<Listener>();
  #feed: ConnectorFeed | undefined;
  /** Resolves to undefined if the kernel serves `#feed`, else to the reason why it does not. */
  #started: Promise<string | undefined> = Promise.resolve(undefined);
  /** The counters of the feeds that are closed. */
  #former: ProcessEventCounters = { received: 0, lost: 0 };

  constructor(options: ProcessEventSourceOptions) {
    this.#options = options;
  }

  async subscribe(onEvents: (events: readonly ProcessEvent[]) => void): Promise<ProcessEventSubscription> {
    const problem = this.#feed === undefined ? this.#open() : undefined;
    if (problem !== undefined) return { kind: 'unavailable', reason: problem };
    const [feed, listener] = [this.#feed, { onEvents }];
    this.#listeners.add(listener);
    const reason = await this.#started;
    if (reason === undefined && this.#listeners.has(listener)) return { kind: 'open', end: () => this.#end(listener) };
    this.#listeners.delete(listener);
    if (this.#feed === feed) this.#closeFeed();
    return { kind: 'unavailable', reason: reason ?? 'the source of process events has been closed' };
  }

  counters(): ProcessEventCounters {
    const { received, lost } = this.#feed?.counters() ?? { received: 0, lost: 0 };
    return { received: this.#former.received + received, lost: this.#former.lost + lost };
  }

  close(): void {
    this.#listeners.clear();
    this.#closeFeed();
  }

  /** Opens the feed; returns why that is not possible, or undefined. */
  #open(): string | undefined {
    const opened = openConnectorSocket();
    if (opened.kind === 'failed') return connectorProblem(opened.call, opened.code);
    this.#feed = new ConnectorFeed(opened.socket, this.#options.types, (events) => {
      for (const { onEvents } of this.#listeners) onEvents(events);
    });
    this.#started = this.#feed.start();
    return undefined;
  }

  #end(listener: Listener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#closeFeed();
  }

  #closeFeed(): void {
    this.#former = this.counters();
    const feed = this.#feed;
    this.#feed = undefined;
    feed?.close();
  }
}

/** One object for each subscription: the same function may subscribe twice. */
interface Listener {
  readonly onEvents: (events: readonly ProcessEvent[]) => void;
}
