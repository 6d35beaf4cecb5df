import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Gives up clients of `server` that ask too slowly: the head of a request must arrive within 5 s of the connection, the whole
 * request within 10 s. The server then emits `clientError` with Node's code for it. Node itself would look for such clients
 * each second, even while nobody is connected; this function makes that unnecessary.
 */
export function giveUpSlowClients(server: Server): void {
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
    limit(connection, HEAD_MS, () => false);
    connection.once('close', () => clearTimeout(timers.get(connection)));
  });
  server.on('request', (request: IncomingMessage) => {
    const sinceMs = performance.now() - (openedAtMs.get(request.socket) ?? 0);
    limit(request.socket, ALL_MS - sinceMs, () => request.complete);
  });
}

const HEAD_MS = 5_000;
const ALL_MS = 10_000;
