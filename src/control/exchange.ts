import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../core/errors.ts';
import { formatDuration } from '../core/text/duration.ts';
import { request } from '../system/builtin-http.ts';
import { whyNotBelieved } from '../system/sockets/server-peer.ts';

/**
 * The order was not carried out, as far as is known.
 * - `CONTROL_NOT_RUNNING`: no daemon listens on the socket; an untrusted process may listen there
 * - `CONTROL_SOCKET_GONE`: no daemon listens there, although one runs; an untrusted process may listen there
 * - `CONTROL_ELSEWHERE`: a daemon runs and listens on another socket
 * - `CONTROL_FORBIDDEN`: a daemon may listen there, but we have no permission to ask it
 * - `CONTROL_NO_ANSWER`: the daemon took the request and gave no answer, or not in time: what it did is not known
 * - `CONTROL_BUSY`: the daemon has too much to do at the moment
 * - `CONTROL_BAD_ANSWER`: the answer is not understood (another version, or not our daemon)
 */
export class ControlError extends Error {
  readonly code: ControlErrorCode;
  /** Why the process that listens on the socket is not trusted (whyNotBelieved); undefined if no such process listens. */
  readonly stranger: string | undefined;

  constructor(code: ControlErrorCode, message: string, cause?: unknown, stranger?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ControlError';
    this.code = code;
    this.stranger = stranger;
  }
}

type ControlErrorCode =
  | 'CONTROL_NOT_RUNNING'
  | 'CONTROL_SOCKET_GONE'
  | 'CONTROL_ELSEWHERE'
  | 'CONTROL_FORBIDDEN'
  | 'CONTROL_NO_ANSWER'
  | 'CONTROL_BUSY'
  | 'CONTROL_BAD_ANSWER';

/** One request to the daemon. */
interface ExchangeOptions {
  readonly socket: string;
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** undefined: without a limit. */
  readonly timeoutMs: number | undefined;
}

/**
 * Sends one request over a Unix socket and returns its answer; the answer's JSON is not checked. Nothing is sent to an
 * untrusted process (whyNotBelieved). Rejects with a ControlError.
 */
export async function exchange(options: ExchangeOptions): Promise<{ readonly status: number; readonly json: unknown }> {
  const { socket, method, path, timeoutMs } = options;
  const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const connection = await reachPatiently(options, signal);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(asControlError(error, options));
      asked.destroy();
    };
    const asked = request({
      createConnection: () => connection,
      method,
      path,
      headers: { Host: 'localhost', ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }) },
      ...(signal && { signal }),
    });
    asked.on('error', fail);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > MAX_ANSWER_BYTES)
          fail(new ControlError('CONTROL_BAD_ANSWER', `the answer on ${socket} is larger than ${MAX_ANSWER_BYTES} bytes`));
      });
      response.on('error', fail);
      response.on('end', () => {
        try {
          resolve({ status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
        } catch {
          fail(
            new ControlError('CONTROL_BAD_ANSWER', `what answers on ${socket} is not monitor_service (its answer is not JSON)`),
          );
        }
      });
    });
    asked.end(body);
  });
}

/** reach; tries again as long as more connections wait than the kernel queues for the daemon, at most for BUSY_LIMIT_MS. */
async function reachPatiently(options: ExchangeOptions, signal: AbortSignal | undefined): Promise<Socket> {
  const endMs = performance.now() + BUSY_LIMIT_MS;
  let busy: ControlError | undefined;
  for (;;) {
    try {
      return await reach(options, signal);
    } catch (error) {
      const isFull = error instanceof ControlError && error.code === 'CONTROL_BUSY';
      if (isFull) busy = error;
      // If its time is over amid a try, what the tries before it found still says why.
      if (signal?.aborted) throw busy ?? error;
      if (!isFull || performance.now() >= endMs) throw error;
    }
    await delay(BUSY_PAUSE_MS * Math.random());
  }
}

const BUSY_LIMIT_MS = 10_000;
const BUSY_PAUSE_MS = 50;

/** Connects to the socket; rejects if the process that listens is not trusted. */
function reach(options: ExchangeOptions, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = connect(options.socket);
    const fail = (error: unknown): void => {
      signal?.removeEventListener('abort', late);
      connection.destroy();
      reject(asControlError(error, options));
    };
    const late = (): void => fail(signal?.reason);
    signal?.addEventListener('abort', late, { once: true });
    connection.once('error', fail);
    connection.once('connect', () => {
      const stranger = whyNotBelieved(connection, options.socket);
      if (stranger !== undefined) {
        const words = `no daemon answers on ${options.socket}: ${stranger}, and was sent nothing`;
        fail(new ControlError('CONTROL_NOT_RUNNING', words, undefined, stranger));
        return;
      }
      signal?.removeEventListener('abort', late);
      connection.off('error', fail);
      resolve(connection);
    });
  });
}

/** A status of 100,000 processes has 30 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

function asControlError(error: unknown, { socket, timeoutMs }: ExchangeOptions): ControlError {
  if (error instanceof ControlError) return error;
  const { name, code = '' } = error as NodeJS.ErrnoException;
  if (['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(code)) {
    return new ControlError('CONTROL_NOT_RUNNING', `no daemon answers on ${socket}`, error);
  }
  if (['EACCES', 'EPERM'].includes(code)) {
    return new ControlError(
      'CONTROL_FORBIDDEN',
      `no permission to use ${socket} (be root, or a member of [control] group)`,
      error,
    );
  }
  if (name === 'AbortError' || name === 'TimeoutError') {
    return new ControlError(
      'CONTROL_NO_ANSWER',
      `the daemon on ${socket} did not answer within ${formatDuration(timeoutMs ?? 0)}`,
      error,
    );
  }
  if (code === 'EAGAIN')
    return new ControlError('CONTROL_BUSY', `too many connections wait for the daemon on ${socket}: try again`, error);
  if (code.startsWith('HPE_')) {
    return new ControlError('CONTROL_BAD_ANSWER', `what answers on ${socket} is not monitor_service (${code})`, error);
  }
  return new ControlError(
    'CONTROL_NO_ANSWER',
    `the daemon on ${socket} closed the connection before its answer (${errorMessage(error)})`,
    error,
  );
}
