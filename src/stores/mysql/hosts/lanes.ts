import { type MysqlCommon, MysqlServer } from '../connection/server.ts';
import type { MysqlEndpoint } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';
import { MysqlLane } from './lane.ts';

/**
 * The connections to one host of the list, opened when they are needed: one that polls and re-reads share, so that no other call can ever
 * keep them waiting, and a pool for the others.
 */
export class HostLanes {
  /** Polls and re-reads, within read_timeout. At rest it holds one connection with one statement: that of the poll. */
  readonly looks: MysqlLane;
  readonly #makeCalls: () => MysqlLane;
  #calls: MysqlLane | undefined;

  constructor(endpoint: MysqlEndpoint, options: MysqlOptions, common: MysqlCommon) {
    const { queryTimeoutMs, poolSize } = options;
    this.looks = looksLane(endpoint, options, common);
    this.#makeCalls = () => {
      const pool = { statements: POOL_STATEMENTS, timeoutMs: queryTimeoutMs };
      return new MysqlLane(new MysqlServer(endpoint, options, pool, common), queryTimeoutMs, poolSize);
    };
  }

  /** Everything else, within query_timeout; no more than pool_size at once. */
  get calls(): MysqlLane {
    this.#calls ??= this.#makeCalls();
    return this.#calls;
  }

  /** Lets all connections go: work under way may end within `graceMs` milliseconds, then it is cut off. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([this.looks.close(graceMs), this.#calls?.close(graceMs)]);
  }

  /** Ends every connection at once, and with it what runs there. */
  cutOff(): void {
    this.looks.cutOff();
    this.#calls?.cutOff();
  }
}

/** A lane of one connection for reads, within read_timeout. */
export function looksLane(endpoint: MysqlEndpoint, options: MysqlOptions, common: MysqlCommon): MysqlLane {
  const { readTimeoutMs } = options;
  const one = { statements: 1, timeoutMs: readTimeoutMs };
  return new MysqlLane(new MysqlServer(endpoint, options, one, common), readTimeoutMs, 'one for all');
}

/** More than there are. */
const POOL_STATEMENTS = 100;
