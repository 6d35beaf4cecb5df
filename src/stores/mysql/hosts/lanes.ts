import { type MysqlCommon, MysqlServer } from '../connection/server.ts';
import type { MysqlEndpoint } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';
import { MysqlLane } from './lane.ts';

/**
 * The connections to one host of the list, opened when they are needed: one that polls and re-reads share, so that no other
 * call can delay them, and a pool for the others.
 */
export class HostLanes {
  /** Polls and re-reads, within read_timeout. At rest it holds one connection with one prepared statement: that of the poll. */
  readonly polls: MysqlLane;
  readonly #makeCalls: () => MysqlLane;
  #calls: MysqlLane | undefined;

  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, common: MysqlCommon) {
    const { queryTimeoutMs, poolSize } = options;
    this.polls = pollLane(endpoint, options, common);
    this.#makeCalls = () => {
      const pool = { statements: POOL_STATEMENTS, timeoutMs: queryTimeoutMs };
      return new MysqlLane(new MysqlServer(endpoint, options, pool, common), queryTimeoutMs, poolSize);
    };
  }

  /** Everything else, within query_timeout; at most pool_size calls at once. */
  get calls(): MysqlLane {
    this.#calls ??= this.#makeCalls();
    return this.#calls;
  }

  /** Closes all connections: running work may end within `graceMs` milliseconds, then it is cut off. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([this.polls.close(graceMs), this.#calls?.close(graceMs)]);
  }

  /** Closes every connection at once, together with what runs on it. */
  cutOff(): void {
    this.polls.cutOff();
    this.#calls?.cutOff();
  }
}

/** A lane of one connection for reads, within read_timeout. */
export function pollLane(endpoint: MysqlEndpoint, options: MysqlOptions, common: MysqlCommon): MysqlLane {
  const { readTimeoutMs } = options;
  const one = { statements: 1, timeoutMs: readTimeoutMs };
  return new MysqlLane(new MysqlServer(endpoint, options, one, common), readTimeoutMs, 'one for all');
}

/** More than the store has. */
const POOL_STATEMENTS = 100;
