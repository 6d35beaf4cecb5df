import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may take, in milliseconds. */
export interface ClientLimits {
  /** From the connection until the head of the request has arrived. */
  readonly headMs: number;
  /** From the connection until the whole request has arrived. */
  readonly requestMs: number;
  /** From the answer until the client has read it. */
  readonly answerMs: number;
}

/** The limits for the clients of the control socket. */
export const CLIENT_LIMITS: ClientLimits = { headMs: 5_000, requestMs: 10_000, answerMs: 10_000 };

/**
 * Gives up clients of `server` that ask more slowly than `limits` allow. The server then emits `clientError` with Node's code for it. Node itself would look for such clients
 * each second, even while nobody is connected; this function makes that unnecessary.
 */
export function giveUpSlowClients(server: Server, limits: ClientLimits): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const openedAtMs = new WeakMap<Socket, number>();
  const limit = (connection: Socket, ms: number, isInTime: () => boolean): void => {
    clearTimeout(timers.get(connection));
    const giveUp = (): void => {
      if (isInTime()) return;
      const error = Object.assign(new Error('the request came too slowly'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      server.emit('clientError', error, connection);
    };
    timers.set(connection, setTimeout(giveUp, ms).unref());
  };
  server.on('connection', (connection: Socket) => {
    openedAtMs.set(connection, performance.now());
    limit(connection, limits.headMs, () => false);
    connection.once('close', () => clearTimeout(timers.get(connection)));
  });
  server.on('request', (request: IncomingMessage) => {
    const sinceMs = performance.now() - (openedAtMs.get(request.socket) ?? 0);
    limit(request.socket, limits.requestMs - sinceMs, () => request.complete);
  });
}
