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
 * Process events from the kernel's proc connector. Nothing is opened before the first subscription. A process whose first thread
 * ends before the others is told as ended when its last one ends. While somebody is subscribed it keeps the program alive.
 */
export function createProcessEventSource(options: ProcessEventSourceOptions): ProcessEventSource {
  return new SharedConnector(options);
}

/** One feed for all who listen. */
class SharedConnector implements ProcessEventSource {
  readonly #options: ProcessEventSourceOptions;
  readonly #listeners = new Set<Listener>();
  #feed: ConnectorFeed | undefined;
  /** Undefined where the kernel serves `#feed`, or why it does not. */
  #started: Promise<string | undefined> = Promise.resolve(undefined);
  /** Of the feeds that are closed. */
  #former: ProcessEventCounters = { received: 0, lost: 0 };

  constructor(options: ProcessEventSourceOptions) {
    this.#options = options;
  }

  async subscribe(tell: (events: readonly ProcessEvent[]) => void): Promise<ProcessEventSubscription> {
    const problem = this.#feed === undefined ? this.#open() : undefined;
    if (problem !== undefined) return { kind: 'unavailable', reason: problem };
    const [feed, listener] = [this.#feed, { tell }];
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

  /** Undefined, or why it cannot be opened. */
  #open(): string | undefined {
    const opened = openConnectorSocket();
    if (opened.kind === 'failed') return connectorProblem(opened.call, opened.code);
    this.#feed = new ConnectorFeed(opened.socket, this.#options.types, (events) => {
      for (const { tell } of this.#listeners) tell(events);
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

/** An object of its own for each subscription: the same function may subscribe twice. */
interface Listener {
  readonly tell: (events: readonly ProcessEvent[]) => void;
}
