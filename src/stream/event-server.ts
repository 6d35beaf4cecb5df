import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { configuredSeconds } from '../core/duration.ts';
import { errorMessage } from '../core/errors.ts';
import { hostPortName } from '../core/host-port.ts';
import type { Logger } from '../core/logger.ts';
import type { ProcessEvent } from '../core/process-event.ts';
import { groupId } from '../system/files/account-id.ts';
import { listenOnSocket, type SocketFile } from '../system/files/socket-file.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import { Broadcast } from './broadcast.ts';
import { EventClient } from './event-client.ts';
import type { EventDescriber } from './event-describer.ts';
import { EventFeed } from './event-feed.ts';
import type { EventStreamOptions } from './parse-events.ts';
import { hangUp, TcpLogin } from './tcp-login.ts';

/** What the stream's server is given. */
export interface EventServerOptions extends EventStreamOptions {
  readonly source: ProcessEventSource;
  readonly describer: EventDescriber;
  readonly names: NameResolver;
  readonly clock: Clock;
  readonly log: Logger;
  /** The events begin to come, or come again: what was remembered does not hold. */
  readonly onOpen: () => void;
}

/** The server of the event stream. */
export interface EventServer {
  /**
   * Tries the source, then listens. `unavailable`: there are no events here, in one line; nothing listens then. Rejects where a
   * socket or port cannot be had.
   */
  start(): Promise<{ readonly kind: 'open' } | { readonly kind: 'unavailable'; readonly reason: string }>;
  /** Closes all connections, removes the socket file. Idempotent. */
  stop(): Promise<void>;
  /** Clients, lines that were dropped for those who were too slow, and logins that failed. */
  counters(): { readonly clients: number; readonly dropped: number; readonly failedLogins: number };
}

/** A server that opens nothing before `start`. */
export function createEventServer(options: EventServerOptions): EventServer {
  return new Stream(options);
}

class Stream implements EventServer {
  readonly #options: EventServerOptions;
  readonly #broadcast: Broadcast;
  readonly #feed: EventFeed;
  readonly #clients = new Set<EventClient>();
  /** Places that are taken: also by clients for whom the source is being opened. */
  #taken = 0;
  #dropped = 0;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #file: SocketFile | undefined;
  #login: TcpLogin | undefined;
  readonly #stopping = new AbortController();

  constructor(options: EventServerOptions) {
    const { source, clock, onOpen, describer, types } = options;
    this.#options = options;
    this.#broadcast = new Broadcast(describer, types);
    const onEvents = (events: readonly ProcessEvent[]): void => this.#broadcast.tell(events);
    this.#feed = new EventFeed({ source, clock, onOpen, onEvents });
  }

  async start(): ReturnType<EventServer['start']> {
    const opened = await this.#feed.acquire();
    if (opened.kind === 'unavailable') return opened;
    this.#feed.release();
    const { socket, tcp } = this.#options;
    try {
      if (socket !== undefined) await this.#listenOnSocket(socket);
      if (tcp !== undefined) await this.#listenOnTcp(tcp);
    } catch (error) {
      await this.stop();
      throw error;
    }
    void this.#cutStuck();
    return { kind: 'open' };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#file?.remove();
    this.#file = undefined;
    this.#login?.stop();
    const closed = this.#servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...closed, this.#feed.close()]);
  }

  counters(): ReturnType<EventServer['counters']> {
    const dropped = [...this.#clients].reduce((sum, { queue }) => sum + queue.dropped, this.#dropped);
    return { clients: this.#clients.size, dropped, failedLogins: this.#login?.failed ?? 0 };
  }

  async #listenOnSocket({ path, mode, group }: NonNullable<EventStreamOptions['socket']>): Promise<void> {
    const { log } = this.#options;
    const onGroupProblem = (problem: string): void =>
      log.warning(`Event socket ${path} could not be given to the group ${group}: ${problem}`);
    const gid = group === undefined ? undefined : groupId(group);
    if (group !== undefined && gid === undefined) onGroupProblem('there is no such group');
    const server = this.#server(path, (socket) => void this.#join(socket, 'a local client', () => {}));
    this.#file = await listenOnSocket(server, { what: 'event socket', path, mode, gid, onGroupProblem });
    this.#servers.push(server);
  }

  async #listenOnTcp({ host, port, auth, tls }: NonNullable<EventStreamOptions['tcp']>): Promise<void> {
    const { clock, log, names } = this.#options;
    const login = new TcpLogin({
      auth,
      clock,
      log,
      secure: tls === undefined ? undefined : (await import('./secure-socket.ts')).createSecure(tls),
      onLoggedIn: (socket, address, accept) => void this.#join(socket, address, accept),
    });
    this.#login = login;
    const name = hostPortName({ host, port });
    const answer = await names.resolve(host, RESOLVE_MS, this.#stopping.signal);
    if (answer.kind === 'unresolved') throw new Error(`event stream ${name}: ${host} could not be resolved: ${answer.reason}`);
    const server = this.#server(name, (socket) => login.receive(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new Error(`event stream ${name}: ${errorMessage(error)}`)));
      server.listen({ host: answer.addresses[0]?.address, port, backlog: 511 }, resolve);
    });
    this.#servers.push(server);
  }

  #server(name: string, receive: (socket: Socket) => void): Server {
    const server = createServer(CONNECTION, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      receive(socket);
    });
    // Those who are only being told that they cannot stay count too, for a moment.
    server.maxConnections = this.#options.clients + MAX_GUESTS;
    server.on('error', (error) => this.#options.log.error(`Event stream ${name}: ${errorMessage(error)}`));
    return server;
  }

  /** From here on the client gets events, where there is a place for it. */
  async #join(socket: Socket, name: string, accept: () => void): Promise<void> {
    const { clock, log, clients: limit } = this.#options;
    socket.on('error', () => {});
    if (this.#taken >= limit && !this.#makePlace()) {
      hangUp(socket, `Too many clients (${limit} at most). Disconnecting.`, clock);
      return;
    }
    this.#taken++;
    const opened = await this.#feed.acquire();
    const leave = (): void => {
      this.#taken--;
      if (opened.kind === 'open') this.#feed.release();
    };
    if (opened.kind === 'unavailable' || socket.destroyed || this.#stopping.signal.aborted) {
      leave();
      if (opened.kind === 'unavailable') hangUp(socket, `There are no events: ${opened.reason}. Disconnecting.`, clock);
      return;
    }
    const client = new EventClient({ socket, name, clock, onFilter: () => this.#broadcast.regroup(this.#clients) });
    this.#clients.add(client);
    this.#broadcast.regroup(this.#clients);
    log.debug(`Event stream: ${name} has connected (${this.#clients.size} of ${limit})`);
    socket.once('close', () => {
      this.#clients.delete(client);
      this.#broadcast.regroup(this.#clients);
      this.#dropped += client.queue.dropped;
      leave();
      log.debug(`Event stream: ${name} has gone`);
    });
    accept();
  }

  /** Where places are short, one that may have gone gives way. */
  #makePlace(): boolean {
    const gone = [...this.#clients].find((client) => client.mayHaveGone);
    gone?.cut();
    return gone !== undefined;
  }

  /** A client that takes nothing for half a minute though something waits has hung up without saying so, or hangs itself. */
  async #cutStuck(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal);
      for (const client of this.#clients) {
        client.feel();
        if (client.queue.stuckMs() < STUCK_MS) continue;
        log.warning(`Event stream: ${client.name} has read nothing for ${configuredSeconds(STUCK_MS)} and is cut`);
        client.cut();
      }
    }
  }
}

const LOOK_MS = 5000;
const RESOLVE_MS = 5000;
const STUCK_MS = 30_000;
const CONNECTION = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, allowHalfOpen: true };
const MAX_GUESTS = 320;
