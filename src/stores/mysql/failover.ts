import { existsSync } from 'node:fs';
import { CallSlots } from '../../core/call-slots.ts';
import { StoreError } from '../../core/errors.ts';
import { endpointName, NO_SOCKET } from './hosts.ts';
import type { MysqlOptions } from './options.ts';
import { type MysqlAttempt, MysqlServer, type MysqlSession } from './server.ts';

/**
 * The servers of the `host` list. A call goes to the one that answered last, at first the first, and moves on along the list,
 * each server once, where that is safe: where no connection came about, where a read broke off, where a write was refused because the
 * server is read-only. A call whose deadline passed ends; the next one begins elsewhere.
 */
export class MysqlFailover {
  readonly #options: MysqlOptions;
  readonly #idleTimeoutMs: number;
  readonly #caution: (text: string) => void;
  readonly #slots: CallSlots;
  readonly #servers = new Map<number, MysqlServer>();
  /** Servers that are left, whose calls may still end. */
  readonly #leaving = new Set<MysqlServer>();
  #current = 0;
  #answered = false;
  #closed = false;

  /** `caution`: see MysqlServer. */
  constructor(options: MysqlOptions, idleTimeoutMs: number, caution: (text: string) => void) {
    this.#options = options;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#caution = caution;
    this.#slots = new CallSlots(options.poolSize);
  }

  /** The server that answered last, for people; undefined before the first answer. */
  get serverName(): string | undefined {
    const endpoint = this.#options.endpoints[this.#current];
    return this.#answered && endpoint !== undefined ? endpointName(endpoint) : undefined;
  }

  /** Work that changes nothing. Throws a StoreError. */
  read<T>(work: (session: MysqlSession) => Promise<T>): Promise<T> {
    return this.#inSlot(() => this.#call(work, 'read'));
  }

  /** Work that may change something and is never done twice. Throws a StoreError. */
  write<T>(work: (session: MysqlSession) => Promise<T>): Promise<T> {
    return this.#inSlot(() => this.#call(work, 'write'));
  }

  /** Ends everything within a second; later calls fail as unreachable. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const server of this.#leaving) server.cutOff();
    await Promise.all([...this.#servers.keys()].map((index) => this.#retire(index, CLOSE_GRACE_MS)));
  }

  async #inSlot<T>(call: () => Promise<T>): Promise<T> {
    const { queryTimeoutMs, poolSize } = this.#options;
    if (!(await this.#slots.take(queryTimeoutMs)))
      throw new StoreError(
        'busy',
        `mysql: no connection became free within ${queryTimeoutMs / 1000} s (pool_size ${poolSize})`,
      );
    try {
      return await call();
    } finally {
      this.#slots.release();
    }
  }

  async #call<T>(work: (session: MysqlSession) => Promise<T>, kind: 'read' | 'write'): Promise<T> {
    const errors: StoreError[] = [];
    for (const index of this.#route(this.#current)) {
      if (this.#closed) throw new StoreError('unreachable', 'mysql: the store was closed');
      const attempt = await this.#server(index).run(work);
      if (attempt.kind === 'done') {
        this.#settleOn(index);
        return attempt.value;
      }
      errors.push(attempt.error);
      if (attempt.error.fault === 'timeout') this.#moveOn(index);
      if (!mayMoveOn(attempt, kind)) break;
    }
    throw joined(errors);
  }

  /** Indexes of the servers in the order in which a call tries them. */
  #route(first: number): number[] {
    const { endpoints } = this.#options;
    const order = endpoints.map((_, i) => (first + i) % endpoints.length);
    return order.filter((index) => {
      const endpoint = endpoints[index];
      return endpoint?.kind !== 'socket' || !endpoint.optional || existsSync(endpoint.path);
    });
  }

  #server(index: number): MysqlServer {
    const known = this.#servers.get(index);
    if (known !== undefined) return known;
    const endpoint = this.#options.endpoints[index];
    if (endpoint === undefined) throw new StoreError('unreachable', 'mysql: no host is configured');
    const server = new MysqlServer(endpoint, this.#options, this.#idleTimeoutMs, this.#caution);
    this.#servers.set(index, server);
    return server;
  }

  /** Holds connections to one server only: what others had may end, and goes. */
  #settleOn(index: number): void {
    this.#answered = true;
    // A call that began before another one moved on does not call it back.
    if (!this.#servers.has(index)) return;
    this.#current = index;
    for (const other of this.#servers.keys()) if (other !== index) void this.#retire(other, this.#options.queryTimeoutMs);
  }

  #moveOn(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % Math.max(1, this.#options.endpoints.length);
  }

  async #retire(index: number, graceMs: number): Promise<void> {
    const server = this.#servers.get(index);
    if (server === undefined) return;
    this.#servers.delete(index);
    this.#leaving.add(server);
    await server.close(graceMs);
    this.#leaving.delete(server);
  }
}

const CLOSE_GRACE_MS = 500;

function mayMoveOn<T>(attempt: MysqlAttempt<T> & { kind: 'failed' }, kind: 'read' | 'write'): boolean {
  const { fault } = attempt.error;
  if (!attempt.sent) return fault !== 'denied' && fault !== 'schema';
  return kind === 'read' ? fault === 'unreachable' : fault === 'read_only';
}

/** One error for a call that failed everywhere: the fault that says most, and what each server said. */
function joined(errors: readonly StoreError[]): StoreError {
  const last = errors.at(-1);
  if (last === undefined) return new StoreError('unreachable', `mysql: ${NO_SOCKET}`);
  if (errors.length === 1) return last;
  const telling = errors.find(({ fault }) => fault !== 'unreachable') ?? last;
  return new StoreError(telling.fault, errors.map(({ message }) => message).join('; '), telling);
}
