// The HTTP server of the control socket.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { createServer } from '../system/builtin-http.ts';
import { peerOf, peerUid } from '../system/native/peer.ts';
import type { Connections, ReachedLimit } from '../system/sockets/connections.ts';
import { holderOf } from '../system/sockets/holder.ts';
import { whoIs } from '../system/who.ts';
import { type Answer, errorAnswer } from './answer.ts';
import type { Orders } from './orders.ts';
import { readInput, requestPath } from './read-request.ts';
import { refusalAnswer } from './reply.ts';
import { routes } from './routes.ts';
import { type ClientLimits, giveUpSlowClients } from './slow-clients.ts';

/** What the HTTP server of the control socket needs. */
interface HttpServerOptions {
  /** The orders, given by the user and program that `by` names (whoIs). */
  readonly orders: (by: string) => Orders;
  readonly log: Logger;
  /** The connections of this server and of all earlier ones: the limits hold for them together. */
  readonly connections: Connections;
  readonly limits: ClientLimits;
}

/** Creates the HTTP server that answers the clients of the control socket; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { connections, limits } = options;
  const server = createServer(LIMITS, (request, response) => {
    void serve(request, response, options);
  });
  // A second request on a connection would be carried out but never answered.
  server.maxRequestsPerSocket = 1;
  server.on('connection', (connection: Socket) => connections.add(connection, holderOf(peerUid(connection))));
  giveUpSlowClients(server, limits);
  server.on('clientError', (error: NodeJS.ErrnoException, connection: Socket) => {
    // While an order is being carried out, the client would take bytes that we send for its answer.
    if (connections.isBusy(connection)) connection.destroy();
    else refuseBytes(error, connection);
  });
  return server;
}

const LIMITS = {
  maxHeaderSize: 8 * 1024,
  // We look for slow clients ourselves: see giveUpSlowClients.
  connectionsCheckingInterval: 2 ** 31 - 1,
  // The Host header means nothing on a Unix socket.
  requireHostHeader: false,
} as const;

async function serve(request: IncomingMessage, response: ServerResponse, around: HttpServerOptions): Promise<void> {
  const { answerMs } = around.limits;
  try {
    const answer = await answerTo(request, around);
    if (answer !== undefined) send(response, answer, answerMs);
  } catch (error) {
    around.log.error(`Internal error in the control socket: ${errorMessage(error)}`, { err: error });
    send(response, errorAnswer(500, 'internal', 'internal error; the log says more'), answerMs);
  }
}

async function answerTo(request: IncomingMessage, { orders, connections }: HttpServerOptions): Promise<Answer | undefined> {
  const path = requestPath(request);
  const candidates = routes.filter((route) => route.path === path);
  if (candidates.length === 0) return errorAnswer(404, 'no_such_path', 'there is no such path');
  const route = candidates.find(({ method }) => method === request.method);
  if (route === undefined) {
    const allow = candidates.map(({ method }) => method).join(', ');
    return { ...errorAnswer(405, 'method_not_allowed', `expected ${allow}`), allow };
  }
  if (route.rootOnly && holderOf(peerUid(request.socket)).kind !== 'root')
    return errorAnswer(403, 'denied', 'only root may give this order, whoever else may use the socket');
  // A query is not logged, so nobody needs the name of the client.
  const by = route.method === 'POST' ? giverOf(request.socket) : undefined;
  const read = await readInput(request);
  switch (read.kind) {
    case 'input': {
      const exceeded = connections.markBusy(request.socket);
      if (exceeded !== undefined) return tooMany(exceeded);
      return route.handle(read.input, orders((await by) ?? SOMEBODY));
    }
    case 'refused':
      return read.answer;
    case 'gone':
      return undefined;
    default:
      return read satisfies never;
  }
}

/** Who gives the order. It is read at once: the client may not wait for its answer. */
async function giverOf(connection: Socket): Promise<string> {
  const peer = peerOf(connection);
  return peer === undefined ? SOMEBODY : whoIs(peer);
}

const SOMEBODY = 'somebody';

function tooMany({ kind, limit }: ReachedLimit): Answer {
  const whose = kind === 'user' ? 'orders of one user' : 'orders';
  return refusalAnswer({
    kind: 'refused',
    code: 'conflict',
    reason: `${limit} ${whose} are under way, which is the limit; try again when one has ended`,
  });
}

function send(response: ServerResponse, { status, body, allow }: Answer, limitMs: number): void {
  if (response.headersSent || response.destroyed) return;
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  const timer = setTimeout(() => response.destroy(), limitMs);
  response.on('close', () => clearTimeout(timer));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
    Connection: 'close',
    ...(allow === undefined ? {} : { Allow: allow }),
  });
  response.end(text);
}

/** Answers bytes that are not HTTP, or that came too slowly. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, words, code] = BYTE_ERRORS[error.code ?? ''] ?? ([400, 'Bad Request', 'bad_request'] as const);
  const body = `${JSON.stringify(errorAnswer(status, code, 'cannot read this as an HTTP request').body)}\n`;
  const head = `HTTP/1.1 ${status} ${words}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

const BYTE_ERRORS: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'too_large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'timeout'],
};
