import { connect, type Socket } from 'node:net';
import {
  createPool,
  type Pool,
  type PoolConnection,
  type PoolOptions,
  type QueryResult,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2';
import { StoreError } from '../../core/errors.ts';
import { connectByName } from '../../system/names/connect.ts';
import { NameResolver } from '../../system/names/resolver.ts';
import { within } from '../within.ts';
import { isRefusal, isSettled, storeError } from './faults.ts';
import { endpointName, type MysqlEndpoint } from './hosts.ts';
import type { MysqlOptions } from './options.ts';
import { tlsOptions } from './tls.ts';

/** A value for a `?`. */
export type SqlValue = string | number | Buffer | null;

/** Statements on one connection, prepared once each. They throw what mysql2 throws. */
export interface MysqlSession {
  /** The same for all that is done on one connection: what is known of it may be kept by it. */
  readonly connection: object;
  /** The rows of a statement that is not worth preparing. */
  query(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  rows(sql: string, values?: readonly SqlValue[]): Promise<Readonly<Record<string, unknown>>[]>;
  /** How many rows have changed. */
  change(sql: string, values: readonly SqlValue[]): Promise<number>;
}

/** How a piece of work on a server ended. `sent`: it failed after it had begun, so the server may have done it. */
export type MysqlAttempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: StoreError; readonly sent: boolean };

/**
 * One server and mysql2's pool of connections to it, opened when they are needed and let go when they were idle for `idleTimeoutMs`.
 * After a deadline or a network fault a connection is never used again. At most `poolSize` calls at once: the caller sees to it.
 */
export class MysqlServer {
  /** For people: `10.0.0.5:3306`. */
  readonly name: string;
  readonly #options: MysqlOptions;
  /** Its own: the names of health checks that nobody answers for do not hold it up. */
  readonly #names = new NameResolver({ children: 1 });
  readonly #pool: Pool;
  /** Every socket that is not closed yet. */
  readonly #sockets = new Set<Socket>();
  readonly #socketOf = new WeakMap<PoolConnection, Socket>();
  /** The socket that mysql2 asked for last, until it is taken. */
  #newest: Socket | undefined;

  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, idleTimeoutMs: number) {
    this.name = endpointName(endpoint);
    this.#options = options;
    this.#pool = createPool({ ...poolOptions(endpoint, options, idleTimeoutMs), stream: () => this.#open(endpoint) });
  }

  /** Runs `work` on a connection: at most connect_timeout to get one, and query_timeout for the work. Never rejects. */
  async run<T>(work: (session: MysqlSession) => Promise<T>): Promise<MysqlAttempt<T>> {
    let connection: PoolConnection;
    try {
      connection = await this.#connection();
    } catch (error) {
      return { kind: 'failed', error: storeError(this.name, error), sent: false };
    }
    try {
      const { queryTimeoutMs } = this.#options;
      const value = await within(queryTimeoutMs, work(sessionOn(connection)), () =>
        this.#late('timeout', 'no answer', queryTimeoutMs),
      );
      connection.release();
      return { kind: 'done', value };
    } catch (thrown) {
      const error = storeError(this.name, thrown);
      // Behind an address that moves, a new connection may reach the server that takes writes.
      if (isSettled(thrown) && error.fault !== 'read_only') connection.release();
      else this.#discard(connection);
      return { kind: 'failed', error, sent: true };
    }
  }

  /** Lets all connections go: work under way may end within `graceMs` milliseconds, then it is cut off. */
  async close(graceMs: number): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#pool.end(() => resolve()));
    await within(graceMs, ended, () => new Error('not ended')).catch(() => undefined);
    this.cutOff();
  }

  /** Ends every connection at once, and with it what runs there. */
  cutOff(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('the store was closed'));
  }

  async #connection(): Promise<PoolConnection> {
    const { socket, ready } = this.#fromPool();
    const { connectTimeoutMs } = this.#options;
    try {
      return await within(connectTimeoutMs, ready, () => this.#late('unreachable', 'no connection', connectTimeoutMs));
    } catch (error) {
      socket?.destroy(new Error('connecting was given up'));
      throw error;
    }
  }

  /** A connection that the pool holds, or a new one and its socket. None waits in the pool's queue: see connectionLimit. */
  #fromPool(): { socket: Socket | undefined; ready: Promise<PoolConnection> } {
    const { promise, resolve, reject } = Promise.withResolvers<PoolConnection>();
    this.#takeNewest();
    // The callback and not the promise: it comes before a connection that mysql2 has given up can report a second fault, to
    // which nobody listens and which would end the process.
    this.#pool.getConnection((error, connection) => {
      if (error !== null) {
        socket?.destroy();
        reject(error);
      } else if (socket === undefined) {
        resolve(connection);
      } else {
        connection.on('error', () => undefined);
        this.#socketOf.set(connection, socket);
        prepareSession(connection, this.#options.queryTimeoutMs).then(() => resolve(connection), reject);
      }
    });
    const socket = this.#takeNewest();
    return { socket, ready: promise };
  }

  #open(endpoint: MysqlEndpoint): Socket {
    const socket =
      endpoint.kind === 'socket'
        ? connect(endpoint.path)
        : connectByName(this.#names, endpoint, this.#options.connectTimeoutMs * RESOLVE_SHARE);
    if (endpoint.kind === 'tcp') socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#newest = socket;
    return socket;
  }

  #takeNewest(): Socket | undefined {
    const socket = this.#newest;
    this.#newest = undefined;
    return socket;
  }

  /** mysql2's destroy() only half-closes: a frozen server would keep the other half open for ever. */
  #discard(connection: PoolConnection): void {
    connection.destroy();
    this.#socketOf.get(connection)?.destroy(new Error('the connection was given up'));
  }

  #late(fault: 'timeout' | 'unreachable', what: string, ms: number): StoreError {
    return new StoreError(fault, `mysql ${this.name}: ${what} within ${ms / 1000} s`);
  }
}

const KEEP_ALIVE_MS = 15_000;
/** How much of connect_timeout a host's name may take: what is said then is that it could not be resolved. */
const RESOLVE_SHARE = 0.75;

function poolOptions(endpoint: MysqlEndpoint, options: MysqlOptions, idleTimeoutMs: number): PoolOptions {
  const { user, password, database, compress, connectTimeoutMs, poolSize } = options;
  return {
    // Tells mysql2 that the password cannot be overheard; the socket itself is opened by `stream`.
    ...(endpoint.kind === 'socket' ? { socketPath: endpoint.path } : {}),
    user,
    password,
    database,
    compress,
    connectTimeout: connectTimeoutMs,
    // mysql2 lets idle connections go only where maxIdle is below the limit; the one above is never used.
    connectionLimit: poolSize + 1,
    maxIdle: poolSize,
    idleTimeout: idleTimeoutMs,
    gracefulEnd: true,
    charset: 'utf8mb4',
    supportBigNumbers: true,
    disableEval: true,
    stringifyObjects: true,
    multipleStatements: false,
    // Without FOUND_ROWS the server counts changed rows; without LOCAL_FILES it cannot ask for ours.
    flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
    ...tlsOptions(endpoint, options),
  };
}

/**
 * Makes a new connection independent of the server's defaults: without autocommit no clearing would last and every poll would see
 * the first one's snapshot; and a wait for a lock has to end before our deadline does.
 */
async function prepareSession(connection: PoolConnection, queryTimeoutMs: number): Promise<void> {
  const waitS = Math.max(1, Math.floor((queryTimeoutMs * 0.8) / 1000));
  const { rows } = sessionOn(connection);
  await rows(`SET SESSION autocommit = 1, lock_wait_timeout = ${waitS}`);
  await rows(`SET SESSION innodb_lock_wait_timeout = ${waitS}`).catch((error: unknown) => {
    // A server may run without InnoDB.
    if (!isRefusal(error)) throw error;
  });
}

function sessionOn(connection: PoolConnection): MysqlSession {
  const execute = <T extends QueryResult>(sql: string, values: readonly SqlValue[]): Promise<T> =>
    new Promise((resolve, reject) => {
      connection.execute<T>(sql, [...values], (error, result) => (error === null ? resolve(result) : reject(error)));
    });
  return {
    connection,
    query: (sql) =>
      new Promise((resolve, reject) => {
        connection.query<RowDataPacket[]>(sql, (error, result) => (error === null ? resolve(result) : reject(error)));
      }),
    rows: (sql, values = []) => execute<RowDataPacket[]>(sql, values),
    change: async (sql, values) => (await execute<ResultSetHeader>(sql, values)).affectedRows,
  };
}
