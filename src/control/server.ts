import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { Connections } from '../system/sockets/connections.ts';
import { KeptListener } from '../system/sockets/kept-listener.ts';
import { OpenServers } from '../system/sockets/open-servers.ts';
import { UnixPlace } from '../system/sockets/unix-place.ts';
import { createDoor } from './http-server.ts';
import type { Orders } from './orders.ts';
import type { ControlOptions } from './parse-control.ts';

/** What the control server is given. */
export interface ControlServerOptions extends ControlOptions {
  /** The orders as they are given by somebody (whoIs). */
  readonly orders: (by: string) => Orders;
  readonly log: Logger;
  readonly clock: Clock;
}

/** The daemon's one door for orders: HTTP with JSON on a Unix socket. */
export interface ControlServer {
  /**
   * Listens. Rejects with a SocketFileError where the socket cannot be had. From then on its file is looked for every 10 s, and made
   * anew if it is gone; who is connected stays so.
   */
  start(): Promise<void>;
  /** Ends idle connections at once, lets answers under way out for a second, removes the socket file. Idempotent. */
  stop(): Promise<void>;
}

/**
 * A server that opens nothing before `start`. Every connection carries one request: a client that asks nothing, asks slowly or
 * does not read its answer costs a connection for some seconds, and when there are too many the oldest of those goes. Who has too many
 * orders under way is told to come again; root has places of its own.
 */
export function createControlServer(options: ControlServerOptions): ControlServer {
  const { socket, mode, group, orders, log, clock } = options;
  const connections = new Connections(CONNECTION_LIMITS);
  const servers = new OpenServers(log);
  const place = new UnixPlace({ what: 'control socket', path: socket, cure: CURE, mode, group, servers, log });
  const listener = new KeptListener({
    open: () => place.open(createDoor({ orders, log, connections })),
    clock,
    lookMs: LOOK_MS,
    retryMs: LOOK_MS,
    onChange: (state, before) => {
      // How the first try ended is told by who starts us.
      if (before === undefined) return;
      if (state.kind === 'open') log.warning(`Control socket ${socket} was gone and has been made anew`);
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

/** It is the first of its places that a daemon cannot do without. */
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
