// Runs calls on one server over connections of their own.
import { StoreError } from '../../../core/errors.ts';
import { Slots } from '../../../core/slots.ts';
import { configuredSeconds } from '../../../core/text/duration.ts';
import { withTimeout } from '../../../core/with-timeout.ts';
import { catchUp, isWithoutCluster } from '../connection/causal-session.ts';
import type { MysqlLease, MysqlServer } from '../connection/server.ts';
import { isLockWait, leavesConnectionFree } from '../faults/store-error.ts';
import type { MysqlSession } from '../session.ts';

/** Whether a piece of work only reads, or may change something. */
export type MysqlWork = 'read' | 'write';

/** How far a piece of work came on a server: before `working` nothing of it was begun. */
type MysqlStage = 'waiting' | 'connecting' | 'catching up' | 'working';

/** How a piece of work on a server ended, and if it failed, in which stage. */
export type MysqlAttempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: StoreError; readonly stage: MysqlStage };

/** A connection, and how many calls use it. */
interface Held {
  readonly lease: Promise<MysqlLease>;
  calls: number;
}

/** How long running calls may still take when the store is closed. */
export const CLOSE_GRACE_MS = 500;

/**
 * Calls to one server over connections of their own. After a timeout or a network fault a connection is never used again, nor
 * after an error that reports trouble of a cluster or a read-only server: behind an address that moves, a new connection may
 * reach a server without that trouble.
 */
export class MysqlLane {
  readonly #server: MysqlServer;
  readonly #timeoutMs: number;
  /** Connections whose server has caught up with its cluster since they were opened. */
  readonly #caughtUp = new WeakSet<MysqlSession>();
  readonly #size: number | 'one for all';
  readonly #slots: Slots;
  readonly #left = new AbortController();
  /** The connection that all calls share, while there are any. */
  #shared: Held | undefined;

  /**
   * `timeoutMs`: how long a call may take, once connected. `size`: how many calls may run at once, each with its own
   * connection; or all share one connection, statement by statement, and what ends it ends them all.
   */
  constructor(server: MysqlServer, timeoutMs: number, size: number | 'one for all') {
    this.#server = server;
    this.#timeoutMs = timeoutMs;
    this.#size = size;
    this.#slots = new Slots(size === 'one for all' ? Number.POSITIVE_INFINITY : size);
  }

  /**
   * Runs `work` on a connection as soon as one is available: it takes at most connect_timeout to get it, plus the lane's
   * timeout for the work. Never rejects.
   */
  async run<T>(work: (session: MysqlSession) => Promise<T>, kind: MysqlWork): Promise<MysqlAttempt<T>> {
    if (!(await this.#slots.take(this.#timeoutMs, this.#left.signal)))
      return { kind: 'failed', error: this.#notFree(), stage: 'waiting' };
    try {
      return await this.#onConnection(work, kind);
    } finally {
      this.#slots.release();
    }
  }

  /**
   * Closes all connections: running work may end within `graceMs` milliseconds, then it is cut off; work that has not begun
   * fails at once.
   */
  close(graceMs: number): Promise<void> {
    this.#left.abort('left');
    return this.#server.close(graceMs);
  }

  /** Closes every connection at once, together with what runs on it. */
  cutOff(): void {
    this.#server.cutOff();
  }

  async #onConnection<T>(work: (session: MysqlSession) => Promise<T>, kind: MysqlWork): Promise<MysqlAttempt<T>> {
    const held = this.#hold();
    let lease: MysqlLease;
    try {
      lease = await held.lease;
    } catch (error) {
      this.#forget(held);
      return { kind: 'failed', error: this.#server.errorOf(error), stage: 'connecting' };
    }
    let stage: 'catching up' | 'working' = 'catching up';
    try {
      if (kind === 'write') await this.#catchUp(lease.session);
      stage = 'working';
      const value = await this.#inTime(work(lease.session));
      this.#release(held, lease);
      return { kind: 'done', value };
    } catch (thrown) {
      const error = await this.#errorOf(thrown, lease, kind === 'read' || stage === 'catching up');
      if (leavesConnectionFree(thrown) && !['read_only', 'not_causal'].includes(error.fault)) this.#release(held, lease);
      else {
        this.#forget(held);
        lease.discard();
      }
      return { kind: 'failed', error, stage };
    }
  }

  /**
   * Without this a clearing would miss an alarm that was read elsewhere and that this server has yet to apply, and would report
   * it as changed.
   */
  async #catchUp(session: MysqlSession): Promise<void> {
    if (this.#caughtUp.has(session)) return;
    await this.#inTime(catchUp(session), this.#left.signal);
    this.#caughtUp.add(session);
  }

  async #errorOf(thrown: unknown, { session, isCausal }: MysqlLease, isRead: boolean): Promise<StoreError> {
    const error = this.#server.errorOf(thrown);
    if (!isRead || !isCausal || !isLockWait(thrown)) return error;
    const isAlone = await withTimeout(ASK_MS, isWithoutCluster(session), () => new Error('no answer')).catch(() => false);
    return isAlone ? error : new StoreError('not_causal', error.message, thrown);
  }

  #hold(): Held {
    const isShared = this.#size === 'one for all';
    const held = (isShared ? this.#shared : undefined) ?? { lease: this.#server.lease(), calls: 0 };
    if (isShared) this.#shared = held;
    held.calls++;
    return held;
  }

  #release(held: Held, lease: MysqlLease): void {
    if (--held.calls > 0) return;
    this.#forget(held);
    lease.release();
  }

  #forget(held: Held): void {
    if (this.#shared === held) this.#shared = undefined;
  }

  #notFree(): StoreError {
    if (this.#left.signal.aborted) return this.#leftError();
    const { name } = this.#server;
    const limit = `within ${configuredSeconds(this.#timeoutMs)} (pool_size ${this.#size})`;
    return new StoreError('busy', `mysql ${name}: no connection became free ${limit}`);
  }

  #leftError(): StoreError {
    return new StoreError('unreachable', `mysql ${this.#server.name}: another host is in use now`);
  }

  #inTime<T>(work: Promise<T>, left?: AbortSignal): Promise<T> {
    const late = `mysql ${this.#server.name}: no answer within ${configuredSeconds(this.#timeoutMs)}`;
    const giveUp = (): StoreError => (left?.aborted ? this.#leftError() : new StoreError('timeout', late));
    return withTimeout(this.#timeoutMs, work, giveUp, left);
  }
}

/** The timeout of a question that is asked after a failure. */
const ASK_MS = 1000;
