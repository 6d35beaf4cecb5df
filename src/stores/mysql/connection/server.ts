// One MySQL server, and mysql2's pool of connections to it.
import type { Socket } from 'node:net';
import {
  createPool,
  type Pool,
  type PoolConnection,
  type QueryResult,
  type ResultSetHeader,
  type RowDataPacket,
  setMaxParserCache,
} from 'mysql2';
import { StoreError } from '../../../core/errors.ts';
import { configuredSeconds } from '../../../core/text/duration.ts';
import { printable } from '../../../core/text/printable.ts';
import { withTimeout } from '../../../core/with-timeout.ts';
import { connectByName } from '../../../system/names/connect.ts';
import { NameResolver } from '../../../system/names/resolver.ts';
import type { Driver } from '../answers/driver.ts';
import { AnswerGuard } from '../answers/guard.ts';
import { endpointName, type MysqlEndpoint } from '../endpoints.ts';
import { storeError } from '../faults/store-error.ts';
import type { Circumstances } from '../faults/words.ts';
import type { MysqlOptions } from '../options.ts';
import type { MysqlSession, SqlValue } from '../session.ts';
import { prepareSession } from './causal-session.ts';
import { driverOptions } from './driver-options.ts';
import { IdleConnections } from './idle-connections.ts';
import { oneAfterAnother } from './one-after-another.ts';
import { connectToServer } from './socket-peer.ts';

/** What all connections of a store share, besides its options. */
export interface MysqlCommon {
  /** After how many milliseconds an idle connection is closed. */
  readonly idleTimeoutMs: number;
  /** Gets, in one line, cautions and what mysql2 would print. */
  readonly caution: (text: string) => void;
}

/** How the connections to a server are used. */
interface MysqlConnections {
  /** The number of statements that stay prepared on each connection; the least recently used one is dropped. */
  readonly statements: number;
  /** Milliseconds after which a call is given up; its waits for locks end earlier. */
  readonly timeoutMs: number;
}

/** A connection in use. */
export interface MysqlLease {
  readonly session: MysqlSession;
  /** True if its reads are causal when the server is in a cluster. */
  readonly isCausal: boolean;
  /** Returns a good connection, which may be used again. */
  release(): void;
  /** Ends a connection that is no longer good. */
  discard(): void;
}

/**
 * The number of shapes of rows that mysql2 keeps a compiled parser for. By default it reserves room for 15,000 of them (0.5 MB);
 * a store has at most a few dozen statements.
 */
const ROW_PARSERS = 200;

/**
 * One server and mysql2's pool of connections to it, opened when they are needed and closed after they were idle for a while.
 */
export class MysqlServer {
  /** For people: `10.0.0.5:3306`. */
  readonly name: string;
  readonly #options: MysqlOptions;
  readonly #connections: MysqlConnections;
  readonly #caution: (text: string) => void;
  /** Its own resolver: health checks of names that no server answers for do not delay it. */
  readonly #names = new NameResolver({ children: 1 });
  readonly #pool: Pool;
  /** Every socket that is not closed yet. */
  readonly #sockets = new Set<Socket>();
  readonly #leases = new WeakMap<PoolConnection, MysqlLease>();
  readonly #idle: IdleConnections<PoolConnection>;
  /** The socket that mysql2 requested last, until it is taken. */
  #newest: Socket | undefined;

  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, connections: MysqlConnections, common: MysqlCommon) {
    this.name = endpointName(endpoint);
    this.#options = options;
    this.#connections = connections;
    this.#caution = (text) => common.caution(`mysql ${this.name}: ${printable(text)}`);
    const driver = driverOptions(endpoint, options, { ...connections, caution: this.#caution });
    this.#idle = new IdleConnections(common.idleTimeoutMs);
    setMaxParserCache(ROW_PARSERS);
    this.#pool = createPool({ ...driver, stream: () => this.#open(endpoint) });
  }

  /** A connection, within connect_timeout. Throws a StoreError. */
  async lease(): Promise<MysqlLease> {
    const connection = await this.#connection();
    const lease = this.#leases.get(connection);
    if (lease === undefined)
      throw new StoreError('failed', `mysql ${this.name}: the pool returned a connection that it did not open`);
    return lease;
  }

  /** Closes all connections: running work may end within `graceMs` milliseconds, then it is cut off. */
  async close(graceMs: number): Promise<void> {
    this.#idle.close();
    const ended = new Promise<void>((resolve) => this.#pool.end(() => resolve()));
    await withTimeout(graceMs, ended, () => new Error('not ended')).catch(() => undefined);
    this.cutOff();
  }

  /** Closes every connection at once, together with what runs on it. */
  cutOff(): void {
    for (const socket of this.#sockets) socket.destroy(new Error('its connections were closed'));
  }

  /** `error` as a StoreError. Without `circumstances` the connection is taken to be open. */
  errorOf(error: unknown, circumstances?: Circumstances): StoreError {
    return storeError(this.name, error, circumstances, this.#options.database);
  }

  async #connection(): Promise<PoolConnection> {
    const { socket, guard, ready } = this.#fromPool();
    const { connectTimeoutMs } = this.#options;
    const late = (): StoreError => {
      const missing = guard?.missing ?? 'no connection';
      return new StoreError('unreachable', `mysql ${this.name}: ${missing} within ${configuredSeconds(connectTimeoutMs)}`);
    };
    try {
      return await withTimeout(connectTimeoutMs, ready, late);
    } catch (error) {
      socket?.destroy(new Error('connecting was given up'));
      throw this.errorOf(error, guard?.circumstances);
    }
  }

  /** A connection that the pool holds, or a new one, with its socket and guard. None waits in the pool's queue: see connectionLimit. */
  #fromPool(): { socket: Socket | undefined; guard: AnswerGuard | undefined; ready: Promise<PoolConnection> } {
    const { promise, resolve, reject } = Promise.withResolvers<PoolConnection>();
    this.#takeNewest();
    // The callback and not the promise: it runs before a connection that mysql2 has given up can report a second fault.
    this.#pool.getConnection((error, connection) => {
      if (error !== null) {
        socket?.destroy();
        reject(error);
      } else if (socket === undefined || guard === undefined) {
        this.#idle.delete(connection);
        resolve(connection);
      } else {
        guard.opened();
        const session = sessionOn(connection, guard, this.name);
        prepareSession(session, this.name, this.#connections.timeoutMs).then((isCausal) => {
          socket.once('close', () => this.#idle.delete(connection));
          this.#leases.set(connection, this.#leaseOf(connection, socket, session, isCausal));
          resolve(connection);
        }, reject);
      }
    });
    const socket = this.#takeNewest();
    const guard = socket && this.#guard(socket);
    return { socket, guard, ready: promise };
  }

  #leaseOf(connection: PoolConnection, socket: Socket, session: MysqlSession, isCausal: boolean): MysqlLease {
    return {
      session,
      isCausal,
      release: () => {
        connection.release();
        this.#idle.add(connection);
      },
      discard: () => {
        connection.destroy();
        // mysql2 only half-closes: a frozen server would keep the other half open for ever.
        socket.destroy(new Error('the connection was given up'));
      },
    };
  }

  #guard(socket: Socket): AnswerGuard {
    // The pool has no API for a connection that is still being opened.
    const { _allConnections: all } = this.#pool as unknown as { readonly _allConnections: DriverConnections };
    const tls = this.#options.ssl !== 'off';
    return new AnswerGuard(all.get(all.length - 1), socket, { server: this.name, tls, onConsoleLine: this.#caution });
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

  #takeNewest(): Socket | undefined {
    const socket = this.#newest;
    this.#newest = undefined;
    return socket;
  }
}

const KEEP_ALIVE_MS = 15_000;
/** The share of connect_timeout that resolving a host's name may take; then the message says that it could not be resolved. */
const RESOLVE_SHARE = 0.75;

/** mysql2's queue of connections. */
interface DriverConnections {
  readonly length: number;
  get(index: number): Driver;
}

function sessionOn(connection: PoolConnection, guard: AnswerGuard, server: string): MysqlSession {
  const next = oneAfterAnother();
  const execute = (sql: string, values: readonly SqlValue[], maxRows: number): Promise<QueryResult> =>
    next(() =>
      guard.answer(maxRows, (done, failed) =>
        connection.execute<QueryResult>(sql, [...values], (error, result) => (error === null ? done(result) : failed(error))),
      ),
    );
  const query = (sql: string): Promise<QueryResult> =>
    next(() =>
      guard.answer(MOST_ROWS, (done, failed) =>
        connection.query<QueryResult>(sql, (error, result) => (error === null ? done(result) : failed(error))),
      ),
    );
  return {
    connection,
    query: async (sql) => rowsOf(await query(sql)),
    rows: async (sql, values = [], maxRows = MOST_ROWS) => rowsOf(await execute(sql, values, maxRows)),
    change: async (sql, values) => {
      const { affectedRows } = (await execute(sql, values, 0)) as ResultSetHeader;
      if (Number.isSafeInteger(affectedRows)) return affectedRows;
      throw new StoreError('failed', `mysql ${server}: it did not report how many rows changed`);
    },
  };
}

const MOST_ROWS = 100_000;

/** [] for a statement that returns no rows. */
function rowsOf(result: QueryResult): RowDataPacket[] {
  return Array.isArray(result) ? (result as RowDataPacket[]) : [];
}
