// Sends each call to a host of the list that answers.
import { StoreError, type StoreFault } from '../../../core/errors.ts';
import { takesWrites } from '../connection/causal-session.ts';
import type { MysqlCommon } from '../connection/server.ts';
import { endpointName, isThere, NO_SOCKET } from '../endpoints.ts';
import type { MysqlOptions } from '../options.ts';
import type { MysqlSession } from '../session.ts';
import { Failback } from './failback.ts';
import { CLOSE_GRACE_MS, type MysqlAttempt, type MysqlLane, type MysqlWork } from './lane.ts';
import { HostLanes } from './lanes.ts';

type Work<T> = (session: MysqlSession) => Promise<T>;

/**
 * The servers of the `host` list. A call goes to the server that answered last (at first: the first of the list) and moves on
 * along the list, each server once, if that is safe: if no connection was established, if a read broke off, timed out or could
 * not be causal, or if a write was refused as a whole. A write with unknown outcome is not repeated; if its deadline had
 * passed, the next call begins at another server.
 */
export class MysqlFailover {
  readonly #options: MysqlOptions;
  readonly #common: MysqlCommon;
  readonly #hosts = new Map<number, HostLanes>();
  /** Hosts that are no longer used, whose calls may still end. */
  readonly #leaving = new Set<HostLanes>();
  readonly #failback: Failback;
  #current = 0;
  /** The index of the server that answered last; -1 before the first answer. */
  #answered = -1;
  #closed = false;

  constructor(options: MysqlOptions, common: MysqlCommon) {
    this.#options = options;
    this.#common = common;
    this.#failback = new Failback(options, common, {
      present: () => this.#current,
      presentTakesWrites: async () => {
        const attempt = await this.#host(this.#current)?.polls.run(takesWrites, 'read');
        return attempt?.kind === 'done' ? attempt.value : undefined;
      },
      goBack: (index) => {
        this.#answered = index;
        this.#moveTo(index);
      },
    });
  }

  /** The server that answered last, for people; undefined before the first answer. */
  get serverName(): string | undefined {
    const endpoint = this.#options.endpoints[this.#answered];
    return endpoint && endpointName(endpoint);
  }

  /** A poll or a re-read: it never waits for another call. Throws a StoreError. */
  poll<T>(work: Work<T>): Promise<T> {
    return this.#call(work, 'read', ({ polls }) => polls);
  }

  /** Other work that changes nothing. Throws a StoreError. */
  read<T>(work: Work<T>): Promise<T> {
    return this.#call(work, 'read', ({ calls }) => calls);
  }

  /** Work that may change something and is never repeated. Throws a StoreError. */
  write<T>(work: Work<T>): Promise<T> {
    return this.#call(work, 'write', ({ calls }) => calls);
  }

  /** Closes everything within a second; later calls fail as unreachable. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#failback.stop();
    for (const host of this.#leaving) host.cutOff();
    await Promise.all([...this.#hosts.keys()].map((index) => this.#retire(index, CLOSE_GRACE_MS)));
  }

  async #call<T>(work: Work<T>, kind: MysqlWork, laneOf: (host: HostLanes) => MysqlLane): Promise<T> {
    const errors: StoreError[] = [];
    const tried = new Set<number>();
    for (let index = this.#next(tried); index !== undefined; index = this.#next(tried)) {
      if (this.#closed) throw new StoreError('unreachable', 'mysql: the store was closed');
      tried.add(index);
      const host = this.#host(index);
      if (host === undefined) continue;
      const attempt = await laneOf(host).run(work, kind);
      if (attempt.kind === 'done') {
        this.#onAnswer(index, host);
        return attempt.value;
      }
      errors.push(attempt.error);
      if (attempt.error.fault === 'timeout') this.#moveOn(index);
      if (!mayMoveOn(attempt, kind)) break;
    }
    throw joined(errors);
  }

  /** The server that a call asks next: the present one, which another call may have changed meanwhile, then those after it. */
  #next(tried: ReadonlySet<number>): number | undefined {
    const { endpoints } = this.#options;
    const order = endpoints.map((_, i) => (this.#current + i) % endpoints.length);
    return order.find((index) => {
      const endpoint = endpoints[index];
      return endpoint !== undefined && !tried.has(index) && isThere(endpoint);
    });
  }

  #host(index: number): HostLanes | undefined {
    const known = this.#hosts.get(index);
    const endpoint = this.#options.endpoints[index];
    if (known !== undefined || endpoint === undefined) return known;
    const host = new HostLanes(endpoint, this.#options, this.#common);
    this.#hosts.set(index, host);
    return host;
  }

  /** A call that began before another one moved on does not switch back. */
  #onAnswer(index: number, host: HostLanes): void {
    this.#answered = index;
    if (this.#hosts.get(index) !== host) return;
    if (this.#current !== index || this.#hosts.size > 1) this.#moveTo(index);
  }

  /**
   * New calls go to this server, and only its connections are kept: running calls on others may end, then their connections
   * close.
   */
  #moveTo(index: number): void {
    this.#current = index;
    for (const other of this.#hosts.keys()) if (other !== index) void this.#retire(other, this.#options.queryTimeoutMs);
    this.#failback.watch();
  }

  #moveOn(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % Math.max(1, this.#options.endpoints.length);
  }

  async #retire(index: number, graceMs: number): Promise<void> {
    const host = this.#hosts.get(index);
    if (host === undefined) return;
    this.#hosts.delete(index);
    this.#leaving.add(host);
    await host.close(graceMs);
    this.#leaving.delete(host);
  }
}

function mayMoveOn<T>({ error: { fault }, stage }: MysqlAttempt<T> & { kind: 'failed' }, kind: MysqlWork): boolean {
  if (stage === 'waiting') return fault === 'unreachable';
  if (stage === 'connecting') return fault !== 'denied' && fault !== 'schema';
  // The server refused the whole write.
  if (fault === 'not_causal' || (fault === 'read_only' && kind === 'write')) return true;
  return (kind === 'read' || stage === 'catching up') && (fault === 'unreachable' || fault === 'timeout');
}

/** One error for a call that failed on every server: the most specific fault, and what each server said. */
function joined(errors: readonly StoreError[]): StoreError {
  const last = errors.at(-1);
  if (last === undefined) return new StoreError('unreachable', `mysql: ${NO_SOCKET}`);
  if (errors.length === 1) return last;
  const faultIs = (pattern: (fault: StoreFault) => boolean) => errors.find(({ fault }) => pattern(fault));
  const mostSpecific = faultIs((fault) => fault === 'not_causal') ?? faultIs((fault) => fault !== 'unreachable') ?? last;
  return new StoreError(mostSpecific.fault, errors.map(({ message }) => message).join('; '), mostSpecific);
}
