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
import { inTurn } from '../in-turn.ts';
import { within } from '../within.ts';
import { prepareSession } from './causal-session.ts';
import { endpointName, type MysqlEndpoint } from './hosts.ts';
import type { MysqlOptions } from './options.ts';
import type { MysqlSession, SqlValue } from './session.ts';
import { tlsOptions } from './tls.ts';

/** How many connections a server is to have, and for what. */
export interface MysqlConnections {
  /** At once. None waits for another: the caller takes no more of them. */
  readonly limit: number;
  /** How many statements stay prepared on each; the one used longest ago goes. */
  readonly statements: number;
  /** Milliseconds after which a call is given up: its waits for locks end before. */
  readonly timeoutMs: number;
}

/** A connection in use. */
export interface MysqlLease {
  readonly session: MysqlSession;
  /** True where its reads are causal if the server is in a cluster. */
  readonly isCausal: boolean;
  /** The connection is as good as before, and may be used again. */
  release(): void;
  /** It is not, and ends. */
  discard(): void;
}

/**
 * One server and mysql2's pool of connections to it, opened when they are needed and let go when they were idle for `idleTimeoutMs`.
 */
export class MysqlServer {
  /** For people: `10.0.0.5:3306`. */
  readonly name: string;
  readonly #options: MysqlOptions;
  readonly #connections: MysqlConnections;
  /** Its own: the names of health checks that nobody answers for do not hold it up. */
  readonly #names = new NameResolver({ children: 1 });
  readonly #pool: Pool;
  /** Every socket that is not closed yet. */
  readonly #sockets = new Set<Socket>();
  readonly #leases = new WeakMap<PoolConnection, MysqlLease>();
  /** The socket that mysql2 asked for last, until it is taken. */
  #newest: Socket | undefined;

  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, connections: MysqlConnections, idleTimeoutMs: number) {
    this.name = endpointName(endpoint);
    this.#options = options;
    this.#connections = connections;
    const pool = poolOptions(endpoint, options, connections, idleTimeoutMs);
    this.#pool = createPool({ ...pool, stream: () => this.#open(endpoint) });
  }

  /** A connection, within connect_timeout. Throws what mysql2 throws, or a StoreError. */
  async lease(): Promise<MysqlLease> {
    const connection = await this.#connection();
    const lease = this.#leases.get(connection);
    if (lease === undefined) throw new StoreError('failed', `mysql ${this.name}: a connection that nobody opened`);
    return lease;
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
      const late = `mysql ${this.name}: no connection within ${connectTimeoutMs / 1000} s`;
      return await within(connectTimeoutMs, ready, () => new StoreError('unreachable', late));
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
        const session = sessionOn(connection);
        prepareSession(session, this.name, this.#connections.timeoutMs).then((isCausal) => {
          this.#leases.set(connection, leaseOf(connection, socket, session, isCausal));
          resolve(connection);
        }, reject);
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
}

const KEEP_ALIVE_MS = 15_000;
/** How much of connect_timeout a host's name may take: what is said then is that it could not be resolved. */
const RESOLVE_SHARE = 0.75;

function poolOptions(
  endpoint: MysqlEndpoint,
  options: MysqlOptions,
  { limit, statements }: MysqlConnections,
  idleTimeoutMs: number,
): PoolOptions {
  const { user, password, database, compress, connectTimeoutMs } = options;
  return {
    // Tells mysql2 that the password cannot be overheard; the socket itself is opened by `stream`.
    ...(endpoint.kind === 'socket' ? { socketPath: endpoint.path } : {}),
    user,
    password,
    database,
    compress,
    connectTimeout: connectTimeoutMs,
    // mysql2 lets idle connections go only where maxIdle is below the limit; the one above is never used.
    connectionLimit: limit + 1,
    maxIdle: limit,
    maxPreparedStatements: statements,
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

function leaseOf(connection: PoolConnection, socket: Socket, session: MysqlSession, isCausal: boolean): MysqlLease {
  return {
    session,
    isCausal,
    release: () => connection.release(),
    discard: () => {
      connection.destroy();
      // mysql2 only half-closes: a frozen server would keep the other half open for ever.
      socket.destroy(new Error('the connection was given up'));
    },
  };
}

function sessionOn(connection: PoolConnection): MysqlSession {
  const next = inTurn();
  const execute = <T extends QueryResult>(sql: string, values: readonly SqlValue[]): Promise<T> =>
    next(
      () =>
        new Promise((resolve, reject) => {
          connection.execute<T>(sql, [...values], (error, result) => (error === null ? resolve(result) : reject(error)));
        }),
    );
  return {
    connection,
    query: (sql) =>
      next(
        () =>
          new Promise((resolve, reject) => {
            connection.query<QueryResult>(sql, (error, result) => {
              if (error !== null) reject(error);
              else resolve(Array.isArray(result) ? (result as RowDataPacket[]) : []);
            });
          }),
      ),
    rows: (sql, values = []) => execute<RowDataPacket[]>(sql, values),
    change: async (sql, values) => (await execute<ResultSetHeader>(sql, values)).affectedRows,
  };
}
