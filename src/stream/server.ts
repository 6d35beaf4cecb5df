// The server of the event stream.

import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ProcessEvent } from '../core/process/event.ts';
import { configuredSeconds } from '../core/text/duration.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { peerUid } from '../system/native/peer.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../system/process-events/source.ts';
import { Connections, type ReachedLimit } from '../system/sockets/connections.ts';
import { holderOf } from '../system/sockets/holder.ts';
import { Broadcast } from './broadcast.ts';
import { EventClient } from './client.ts';
import type { EventDescriber } from './describer.ts';
import { type ListenerStatus, StreamListeners } from './listeners.ts';
import { hangUp, TcpLogin } from './login/tcp.ts';
import type { EventStreamOptions } from './parse-events.ts';

/** What the stream's server needs. */
interface EventServerOptions extends EventStreamOptions {
  readonly source: ProcessEventSource;
  readonly describer: EventDescriber;
  readonly names: NameResolver;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when events begin to come, or come again: what was remembered is outdated. */
  readonly onOpen: () => void;
}

/** The server of the event stream. */
interface EventServer {
  /**
   * Tries the source, then listens. A socket or port that is not available is tried again, and that is logged. `unavailable`:
   * there are no events on this machine, with one line why; nothing listens then. Never rejects.
   */
  start(): Promise<{ readonly kind: 'started' } | { readonly kind: 'unavailable'; readonly reason: string }>;
  /** Its addresses, open or not, and why not. */
  listeners(): readonly ListenerStatus[];
  /** Closes all connections and removes the socket file. Idempotent. */
  stop(): Promise<void>;
  /** The numbers of clients, of lines dropped for slow clients, and of failed logins. */
  counters(): { readonly clients: number; readonly dropped: number; readonly failedLogins: number };
}

/** Creates a server. It opens nothing before `start`. */
export function createEventServer(options: EventServerOptions): EventServer {
  return new Stream(options);
}

class Stream implements EventServer {
  readonly #options: EventServerOptions;
  readonly #broadcast: Broadcast;
  readonly #clients = new Map<Socket, EventClient>();
  /** The connections of the Unix socket, and of TCP clients that are logged in. */
  readonly #connections: Connections;
  #dropped = 0;
  readonly #listeners: StreamListeners;
  readonly #sockets = new Set<Socket>();
  #problem = 'it has not been started';
  #login: TcpLogin | undefined;
  readonly #stopping = new AbortController();
  /** Ends the subscription that lingers. */
  #lingering = new AbortController();

  constructor(options: EventServerOptions) {
    const { describer, types, clients } = options;
    this.#options = options;
    this.#connections = new Connections({ open: clients + MAX_REFUSED, busy: clients, busyOfUser: Math.ceil(clients / 2) });
    this.#broadcast = new Broadcast(describer, types);
    this.#listeners = new StreamListeners({ ...options, onConnection: (socket, kind) => this.#receive(socket, kind) });
  }

  async start(): ReturnType<EventServer['start']> {
    const subscription = await this.#subscribe();
    if (subscription.kind === 'unavailable') {
      this.#problem = subscription.reason;
      return subscription;
    }
    this.#endLater(subscription);
    const { tcp } = this.#options;
    if (tcp !== undefined) this.#login = await this.#createLogin(tcp);
    await this.#listeners.start();
    void this.#disconnectStuck();
    return { kind: 'started' };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#login?.stop();
    const closed = this.#listeners.stop();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  listeners(): readonly ListenerStatus[] {
    return this.#listeners.status(this.#problem);
  }

  counters(): ReturnType<EventServer['counters']> {
    const dropped = [...this.#clients.values()].reduce((sum, { queue }) => sum + queue.dropped, this.#dropped);
    return { clients: this.#clients.size, dropped, failedLogins: this.#login?.failed ?? 0 };
  }

  async #createLogin({ auth, tls }: NonNullable<EventStreamOptions['tcp']>): Promise<TcpLogin> {
    const { clock, log } = this.#options;
    return new TcpLogin({
      auth,
      clock,
      log,
      secure: tls === undefined ? undefined : (await import('./secure-socket.ts')).createSecure(tls),
      onLoggedIn: (socket, { name, holder }, accept) => {
        this.#connections.add(socket, holder);
        void this.#join(socket, name, accept);
      },
    });
  }

  #receive(socket: Socket, kind: ListenerStatus['kind']): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // It came while the listeners were being closed.
    if (this.#stopping.signal.aborted) socket.destroy();
    else if (kind === 'tcp') this.#login?.receive(socket);
    else {
      this.#connections.add(socket, holderOf(peerUid(socket)));
      void this.#join(socket, 'a local client', () => {});
    }
  }

  /** From here on the client gets events, if there is room for it. */
  async #join(socket: Socket, name: string, accept: () => void): Promise<void> {
    const { clock, log } = this.#options;
    socket.on('error', () => {});
    const excess = this.#connections.markBusy(socket, (other) => this.#clients.get(other)?.mayHaveGone === true);
    if (excess !== undefined) {
      hangUp(socket, `${tooMany(excess)}. Disconnecting.`, clock);
      return;
    }
    const subscription = await this.#subscribe();
    if (subscription.kind === 'unavailable') {
      hangUp(socket, `Events are not available: ${subscription.reason}. Disconnecting.`, clock);
      return;
    }
    if (socket.destroyed || this.#stopping.signal.aborted) {
      this.#endLater(subscription);
      return;
    }
    const regroup = (): void => this.#broadcast.regroup(this.#clients.values());
    const client = new EventClient({ socket, name, clock, onFilter: regroup });
    this.#clients.set(socket, client);
    regroup();
    log.debug(`Event stream: ${name} connected (${this.#clients.size} connected now)`);
    socket.once('close', () => {
      this.#clients.delete(socket);
      regroup();
      this.#dropped += client.queue.dropped;
      this.#endLater(subscription);
      log.debug(`Event stream: ${name} disconnected`);
    });
    accept();
  }

  /** One subscription for each client: the source is open while anybody needs it, and costs nothing while nobody does. */
  async #subscribe(): Promise<ProcessEventSubscription> {
    if (this.#stopping.signal.aborted) return { kind: 'unavailable', reason: 'the stream is stopping' };
    const subscription = await this.#options.source.subscribe(this.#onEvents);
    if (subscription.kind === 'open' && subscription.isFirst) this.#options.onOpen();
    return subscription;
  }

  readonly #onEvents = (events: readonly ProcessEvent[]): void => this.#broadcast.send(events);

  /**
   * Ends the subscription of a client that has gone after some seconds: clients that connect and disconnect repeatedly must not
   * cost much. The one that lingered until now ends at once.
   */
  #endLater(subscription: { end(): void }): void {
    this.#lingering.abort('followed by another');
    this.#lingering = new AbortController();
    const signal = AbortSignal.any([this.#lingering.signal, this.#stopping.signal]);
    void this.#options.clock.sleep(LINGER_MS, signal).then(() => subscription.end());
  }

  /**
   * Disconnects a client that has read nothing for half a minute although something waits: it has gone without closing the
   * connection, or it hangs.
   */
  async #disconnectStuck(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal);
      for (const client of this.#clients.values()) {
        client.probe();
        if (client.queue.stuckMs() < STUCK_MS) continue;
        log.warning(`Event stream: ${client.name} has read nothing for ${configuredSeconds(STUCK_MS)}: disconnected`);
        client.disconnect();
      }
    }
  }
}

function tooMany({ kind, limit }: ReachedLimit): string {
  return `Too many clients${kind === 'user' ? ' of one user' : ''} (${limit} at most)`;
}

const LINGER_MS = 5000;
const LOOK_MS = 5000;
const STUCK_MS = 30_000;
/**
 * The most connections that get the message that there is no room; if there are more, the oldest are closed without it.
 */
const MAX_REFUSED = 320;
