// The sockets that the event stream listens on.

import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { hostPortName } from '../core/text/host-port.ts';
import type { NameResolver } from '../system/names/resolver.ts';
import { KeptListener, type Listening } from '../system/sockets/kept-listener.ts';
import { OpenServers } from '../system/sockets/open-servers.ts';
import { PortHolders } from '../system/sockets/port-holder.ts';
import { UnixPlace } from '../system/sockets/unix-place.ts';
import type { EventStreamOptions } from './parse-events.ts';

/** An address of the stream, and its current state. */
export interface ListenerStatus {
  readonly kind: 'unix' | 'tcp';
  /** The socket's path, or `HOST:PORT`. */
  readonly address: string;
  readonly state: 'open' | 'unavailable';
  /** Why nobody listens there, in one line; null while it is open. */
  readonly reason: string | null;
}

/** What the listeners need. */
interface StreamListenersOptions extends Pick<EventStreamOptions, 'socket' | 'tcp'> {
  readonly names: NameResolver;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called for each new connection, before encryption and login. */
  readonly onConnection: (socket: Socket, kind: ListenerStatus['kind']) => void;
}

interface Place {
  readonly kind: ListenerStatus['kind'];
  readonly address: string;
  /** For people. */
  readonly label: string;
  readonly kept: KeptListener;
}

/**
 * The Unix socket and the TCP port of a stream, independent of each other: one that is not available is tried again and delays
 * nothing.
 */
export class StreamListeners {
  readonly #options: StreamListenersOptions;
  readonly #places: readonly Place[];
  readonly #servers: OpenServers;
  readonly #stopping = new AbortController();
  readonly #holders = new PortHolders();

  constructor(options: StreamListenersOptions) {
    this.#options = options;
    const { socket, tcp, log } = options;
    this.#servers = new OpenServers(log);
    const places: Place[] = [];
    if (socket !== undefined) {
      const { path } = socket;
      const place = new UnixPlace({ what: 'event socket', cure: CURE, ...socket, servers: this.#servers, log });
      places.push({ kind: 'unix', address: path, label: path, kept: this.#keep(path, () => place.open(this.#server('unix'))) });
    }
    if (tcp !== undefined) {
      const address = hostPortName(tcp);
      const label = `${address}${tcp.tls === undefined ? '' : ' with TLS'}`;
      places.push({ kind: 'tcp', address, label, kept: this.#keep(address, () => this.#openTcp(address, tcp)) });
    }
    this.#places = places;
  }

  /** Tries each of them once; from then on they are kept open. Never rejects. */
  async start(): Promise<void> {
    await Promise.all(this.#places.map(({ kept }) => kept.start()));
    const open = this.#places.filter(({ kept }) => kept.state?.kind === 'open').map(({ label }) => label);
    if (open.length > 0) this.#options.log.info(`Event stream open: ${open.join(', ')}`);
  }

  /** `otherwise`: why an address that was never tried is not open. */
  status(otherwise: string): ListenerStatus[] {
    return this.#places.map(({ kind, address, kept: { state } }) =>
      state?.kind === 'open'
        ? { kind, address, state: 'open', reason: null }
        : { kind, address, state: 'unavailable', reason: state?.reason ?? otherwise },
    );
  }

  /** Accepts no more connections and removes the socket file. Resolves when the existing connections have ended. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#places.map(({ kept }) => kept.stop()));
    await this.#servers.ended();
  }

  #keep(address: string, open: () => Promise<Listening>): KeptListener {
    const { clock, log } = this.#options;
    return new KeptListener({
      open,
      clock,
      lookMs: LOOK_MS,
      retryMs: RETRY_MS,
      onChange: (state, before) => {
        if (state.kind === 'unavailable')
          log.error(`Event stream off on ${address}, tried again every ${RETRY_MS / 1000} s: ${state.reason}`);
        else if (before?.kind === 'open') log.warning(`Event stream: ${address} was missing and has been created again`);
        // What is open from the start is logged in one line.
        else if (before !== undefined) log.info(`Event stream open: ${address}`);
      },
    });
  }

  async #openTcp(name: string, { host, port }: NonNullable<EventStreamOptions['tcp']>): Promise<Listening> {
    const answer = await this.#options.names.resolve(host, RESOLVE_MS, this.#stopping.signal);
    if (answer.kind === 'unresolved') throw new Error(`${host} could not be resolved: ${answer.reason}`);
    const address = answer.addresses[0]?.address ?? host;
    const server = this.#server('tcp');
    const error = await new Promise<Error | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen({ host: address, port, backlog: 511 }, () => resolve(undefined));
    });
    if (error !== undefined) throw new Error(await this.#bindFailure(error, address, port), { cause: error });
    this.#servers.follow(server, `Event stream ${name}`);
    return { isThere: () => true, close: () => server.close() };
  }

  async #bindFailure(error: NodeJS.ErrnoException, address: string, port: number): Promise<string> {
    const failure = Object.hasOwn(BIND_FAILURES, error.code ?? '') ? BIND_FAILURES[error.code ?? ''] : undefined;
    if (failure === undefined) return errorMessage(error);
    const holder = error.code === 'EADDRINUSE' ? await this.#holders.words(address, port) : undefined;
    return `${failure} (${error.code})${holder === undefined ? '' : `: ${holder}`}`;
  }

  #server(kind: ListenerStatus['kind']): Server {
    return createServer(CONNECTION, (socket) => this.#options.onConnection(socket, kind));
  }
}

/** For a user other than root. */
const CURE = 'set [events] socket to a place where this user may write';

const LOOK_MS = 10_000;
const RETRY_MS = 30_000;
const RESOLVE_MS = 5000;
const CONNECTION = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, allowHalfOpen: true };

/** The usual errors, with what to do about them. Source: bind(2), ip(7). */
const BIND_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on this port',
  EADDRNOTAVAIL: 'no interface of this machine has this address now',
  EACCES: 'no permission to listen on this port (below 1024: CAP_NET_BIND_SERVICE)',
};
