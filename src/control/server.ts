// The control socket of the daemon.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { Connections } from '../system/sockets/connections.ts';
import { KeptListener } from '../system/sockets/kept-listener.ts';
import { OpenServers } from '../system/sockets/open-servers.ts';
import { UnixPlace } from '../system/sockets/unix-place.ts';
import { createHttpServer } from './http-server.ts';
import type { Orders } from './orders.ts';
import type { ControlOptions } from './parse-control.ts';
import { CLIENT_LIMITS, type ClientLimits } from './slow-clients.ts';

/** What the control server needs. */
interface ControlServerOptions extends ControlOptions {
  /** The orders, given by the user and program that `by` names (whoIs). */
  readonly orders: (by: string) => Orders;
  readonly log: Logger;
  readonly clock: Clock;
  /** How long clients may take; CLIENT_LIMITS unless given. */
  readonly limits?: ClientLimits;
}

/** The daemon's only interface for orders: HTTP with JSON on a Unix socket. */
interface ControlServer {
  /**
   * Listens. Rejects with a SocketFileError if it cannot listen on the socket. From then on it checks every 10 s that the
   * socket file is there, and creates it again if it is gone; connected clients stay connected.
   */
  start(): Promise<void>;
  /** Ends idle connections at once, gives answers under way one second, removes the socket file. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Creates a server that opens nothing before `start`. Every connection carries one request. A client that asks nothing, asks
 * slowly or does not read its answer uses up a connection for some seconds; if there are too many, the oldest of those is
 * closed. A user with too many orders under way is refused until one has ended; some connections are reserved for root.
 */
export function createControlServer(options: ControlServerOptions): ControlServer {
  const { socket, mode, group, orders, log, clock, limits = CLIENT_LIMITS } = options;
  const connections = new Connections(CONNECTION_LIMITS);
  const servers = new OpenServers(log);
  const place = new UnixPlace({ what: 'control socket', path: socket, cure: CURE, mode, group, servers, log });
  const listener = new KeptListener({
    open: () => place.open(createHttpServer({ orders, log, connections, limits })),
    clock,
    lookMs: LOOK_MS,
    retryMs: LOOK_MS,
    onChange: (state, before) => {
      // The caller of `start` reports how the first try ended.
      if (before === undefined) return;
      if (state.kind === 'open') log.warning(`Control socket ${socket} was gone and has been created again`);
      else log.error(`Control socket is gone, tried again every ${LOOK_MS / 1000} s: ${state.reason}`);
    },
  });
  let stopping: Promise<void> | undefined;
  return {
    start: async () => {
      const state = await listener.start();
      if (state.kind === 'open') return;
      await listener.stop();
      throw state.error;
    },
    stop: () => {
      stopping ??= stop(listener, connections, servers);
      return stopping;
    },
  };
}

/**
 * What to do if the socket cannot be opened: it is the first place where the daemon has to write, so the others are named too.
 */
const CURE = 'run as root, or set [control] socket, [monitor] state_dir and [logging] file to places where this user may write';

const LOOK_MS = 10_000;
const CONNECTION_LIMITS = { open: 256, busy: 192, busyOfUser: 64 } as const;

async function stop(listener: KeptListener, connections: Connections, servers: OpenServers): Promise<void> {
  await listener.stop();
  connections.endIdle();
  const timer = setTimeout(() => connections.endAll(), LAST_ANSWERS_MS);
  await servers.ended();
  clearTimeout(timer);
}

const LAST_ANSWERS_MS = 1000;
