import type { Socket } from 'node:net';
import { createPool, type Pool, type PoolConnection, type QueryResult, type ResultSetHeader, type RowDataPacket } from 'mysql2';
import { StoreError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { connectByName } from '../../system/names/connect.ts';
import { NameResolver } from '../../system/names/resolver.ts';
import { within } from '../within.ts';
import { AnswerGuard } from './answer-guard.ts';
import type { Driver } from './driver.ts';
import { driverOptions } from './driver-options.ts';
import { isRefusal, isSettled, storeError } from './faults.ts';
import { endpointName, type MysqlEndpoint } from './hosts.ts';
import type { MysqlOptions } from './options.ts';
import { connectToServer } from './socket-peer.ts';

/** A value for a `?`. */
export type SqlValue = string | number | Buffer | null;

/** Statements on one connection, one at a time, prepared once each. They throw what mysql2 throws, or a StoreError. */
export interface MysqlSession {
  /** The same for all that is done on one connection: what is known of it may be kept by it. */
  readonly connection: object;
  /** The rows of a statement that is not worth preparing; as many as of `rows`. */
  query(sql: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** At most `maxRows` (default 100,000) and 64 MiB: with more, the connection is given up. */
  rows(sql: string, values?: readonly SqlValue[], maxRows?: number): Promise<Readonly<Record<string, unknown>>[]>;
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
  readonly #guardOf = new WeakMap<PoolConnection, AnswerGuard>();
  readonly #caution: (text: string) => void;
  /** The socket that mysql2 asked for last, until it is taken. */
  #newest: Socket | undefined;

  /** `caution` hears, in one line, of what works and may not for long, and of what mysql2 has to say. */
  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, idleTimeoutMs: number, caution: (text: string) => void) {
    this.name = endpointName(endpoint);
    this.#options = options;
    this.#caution = (text) => caution(`mysql ${this.name}: ${printable(text)}`);
    const driver = driverOptions(endpoint, options, idleTimeoutMs, this.#caution);
    this.#pool = createPool({ ...driver, stream: () => this.#open(endpoint) });
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
      const value = await within(queryTimeoutMs, work(this.#session(connection)), () =>
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
    const { socket, guard, ready } = this.#fromPool();
    const { connectTimeoutMs } = this.#options;
    try {
      return await within(connectTimeoutMs, ready, () =>
        this.#late('unreachable', guard?.missing ?? 'no connection', connectTimeoutMs),
      );
    } catch (error) {
      socket?.destroy(new Error('connecting was given up'));
      throw storeError(this.name, error, guard?.circumstances);
    }
  }

  /** A connection that the pool holds, or a new one, its socket and guard. None waits in the pool's queue: see connectionLimit. */
  #fromPool(): { socket: Socket | undefined; guard: AnswerGuard | undefined; ready: Promise<PoolConnection> } {
    const { promise, resolve, reject } = Promise.withResolvers<PoolConnection>();
    this.#takeNewest();
    // The callback and not the promise: it comes before a connection that mysql2 has given up can report a second fault.
    this.#pool.getConnection((error, connection) => {
      if (error !== null) {
        socket?.destroy();
        reject(error);
      } else if (socket === undefined || guard === undefined) {
        resolve(connection);
      } else {
        guard.opened();
        this.#guardOf.set(connection, guard);
        this.#socketOf.set(connection, socket);
        prepareSession(this.#session(connection), this.#options.queryTimeoutMs).then(() => resolve(connection), reject);
      }
    });
    const socket = this.#takeNewest();
    const guard = socket && this.#guard(socket);
    return { socket, guard, ready: promise };
  }

  #guard(socket: Socket): AnswerGuard {
    // The pool has no name for a connection that is not one yet.
    const { _allConnections: all } = this.#pool as unknown as { readonly _allConnections: DriverConnections };
    const tls = this.#options.ssl !== 'off';
    return new AnswerGuard(all.get(all.length - 1), socket, { server: this.name, tls, hear: this.#caution });
  }

  #open(endpoint: MysqlEndpoint): Socket {
    const socket =
      endpoint.kind === 'socket'
        ? connectToServer(endpoint.path, this.#options.socketOwner)
        : connectByName(this.#names, endpoint, this.#options.connectTimeoutMs * RESOLVE_SHARE);
    if (endpoint.kind === 'tcp') socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#newest = socket;
    return socket;
  }

  #session(connection: PoolConnection): MysqlSession {
    const guard = this.#guardOf.get(connection);
    if (guard === undefined) throw new StoreError('failed', `mysql ${this.name}: a connection that nobody opened`);
    return sessionOn(connection, guard);
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

/** mysql2's queue of connections. */
interface DriverConnections {
  readonly length: number;
  get(index: number): Driver;
}

/**
 * Makes a new connection independent of the server's defaults: without autocommit no clearing would last and every poll would see
 * the first one's snapshot; and a wait for a lock has to end before our deadline does.
 */
async function prepareSession({ rows }: MysqlSession, queryTimeoutMs: number): Promise<void> {
  const waitS = Math.max(1, Math.floor((queryTimeoutMs * 0.8) / 1000));
  await rows(`SET SESSION autocommit = 1, lock_wait_timeout = ${waitS}`);
  await rows(`SET SESSION innodb_lock_wait_timeout = ${waitS}`).catch((error: unknown) => {
    // A server may run without InnoDB.
    if (!isRefusal(error)) throw error;
  });
}

function sessionOn(connection: PoolConnection, guard: AnswerGuard): MysqlSession {
  const execute = (sql: string, values: readonly SqlValue[], maxRows: number): Promise<QueryResult> =>
    guard.answer(maxRows, (resolve, reject) =>
      connection.execute<RowDataPacket[]>(sql, [...values], (error, result) =>
        error === null ? resolve(result) : reject(error),
      ),
    );
  return {
    connection,
    query: async (sql) =>
      rowsOf(
        await guard.answer<QueryResult>(MOST_ROWS, (resolve, reject) =>
          connection.query<RowDataPacket[]>(sql, (error, result) => (error === null ? resolve(result) : reject(error))),
        ),
      ),
    rows: async (sql, values = [], maxRows = MOST_ROWS) => rowsOf(await execute(sql, values, maxRows)),
    change: async (sql, values) => {
      const { affectedRows } = (await execute(sql, values, 0)) as ResultSetHeader;
      // What is no number is no count, whoever sent it.
      if (!Number.isSafeInteger(affectedRows))
        throw new StoreError('failed', 'mysql: it does not say how many rows have changed');
      return affectedRows;
    },
  };
}

const MOST_ROWS = 100_000;

/** None of a statement that has none. */
function rowsOf(result: QueryResult): RowDataPacket[] {
  return Array.isArray(result) ? (result as RowDataPacket[]) : [];
}
