// A connection to PID 1, by its own socket or by the system bus.

import { callFailure } from './call-failure.ts';
import { type Call, type CallResult, DbusConnection, type Limit } from './dbus/connection.ts';
import { bodyOf, type DbusMessage } from './dbus/message.ts';
import type { DbusValue } from './dbus/values.ts';
import { UnitChange } from './unit/change.ts';

/** The addresses of PID 1. */
export interface Pid1Addresses {
  /** PID 1's own socket, only for root: `/run/systemd/private`. */
  readonly private: string;
  /** The system's message bus: `/run/dbus/system_bus_socket`. */
  readonly bus: string;
}

export const pid1Addresses: Pid1Addresses = { private: '/run/systemd/private', bus: '/run/dbus/system_bus_socket' };

/** Which of the two addresses is used: PID 1 directly, or the bus in between. */
export type LinkKind = keyof Pid1Addresses;

/** A job that systemd has finished. */
export interface RemovedJob {
  readonly path: string;
  readonly unit: string;
  /** `done`, `failed`, `canceled`, `timeout`, `dependency`, `skipped` … */
  readonly result: string;
}

/** The result of opening a link. `silent`: somebody accepted the connection but does not answer. */
export type OpenedLink =
  | { readonly kind: 'open'; readonly link: Pid1Link }
  | { readonly kind: 'failed'; readonly reason: string; readonly silent: boolean };

/** A call of one of PID 1's methods. */
export interface Pid1Call extends Pick<Call, 'signature' | 'values' | 'descriptors'> {
  /** Default: the manager's. */
  readonly path?: string;
  /** Default: the manager's. */
  readonly interface?: string;
  readonly member: string;
}

/**
 * A connection to PID 1, over its own socket or the bus. It reports changes of those units and jobs that have a listener. On
 * its own socket PID 1 signals all of them; on the bus we ask for each by a match rule. The link ends when PID 1 re-executes
 * itself; the caller must then ask again for what was pending. Source: org.freedesktop.systemd1(5), D-Bus specification
 * "Message Bus Messages".
 */
export class Pid1Link {
  readonly kind: LinkKind;
  readonly #units = new Map<string, Set<(change: UnitChange) => void>>();
  readonly #jobs = new Set<(job: RemovedJob) => void>();
  readonly #lostListeners = new Set<() => void>();
  #connection: DbusConnection | undefined;
  /** PID 1's unique name on the bus; undefined on its own socket. */
  #owner: string | undefined;
  /** When PID 1 itself last sent anything. */
  #lastMessageMs = Number.NEGATIVE_INFINITY;
  /** When the first of the calls was sent since which nothing has been answered; undefined if the last answer came after all of them. */
  #unansweredSinceMs: number | undefined;
  #refusedRules = 0;

  private constructor(kind: LinkKind) {
    this.kind = kind;
  }

  /** Opens a link. PID 1 has answered when it is open. Never rejects. */
  static async open(kind: LinkKind, path: string, limit: Limit): Promise<OpenedLink> {
    const endMs = performance.now() + limit.timeoutMs;
    const link = new Pid1Link(kind);
    const opened = await DbusConnection.open(
      path,
      { mostCalls: MOST_CALLS[kind], onSignal: (message) => link.#onSignal(message), onLost: () => link.#callLostListeners() },
      limit,
    );
    if (opened.kind === 'failed') return { silent: false, ...opened };
    link.#connection = opened.connection;
    if (kind === 'private') link.#lastMessageMs = performance.now();
    if (kind === 'private') return { kind: 'open', link };
    const problem = await link.#register({ timeoutMs: endMs - performance.now(), signal: limit.signal });
    if (problem === undefined) return { kind: 'open', link };
    link.close();
    return { kind: 'failed', ...problem };
  }

  /** How many rules the bus refused, because it limits the rules of a connection: changes of those units are not reported. */
  get refusedRules(): number {
    return this.#refusedRules;
  }

  get isOpen(): boolean {
    return this.#connection !== undefined && this.#connection.over === undefined;
  }

  /** True if a call was sent `ms` milliseconds ago or earlier, and nothing has been answered since. */
  isSilentFor(ms: number): boolean {
    // A timer may end a fraction of a millisecond early.
    return this.#unansweredSinceMs !== undefined && Math.ceil(performance.now() - this.#unansweredSinceMs) >= ms;
  }

  /** True if PID 1 has answered just now, or answers this call. PID 1 then has carried out what was sent before. */
  async isAlive(limit: Limit): Promise<boolean> {
    if (this.isOpen && performance.now() - this.#lastMessageMs < FRESH_MS) return true;
    return (await this.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, limit)).kind === 'reply';
  }

  /** Never rejects. */
  async call(call: Pid1Call, limit: Limit): Promise<CallResult> {
    this.#unansweredSinceMs ??= performance.now();
    const result = await this.#send({ path: MANAGER_PATH, interface: MANAGER, destination: this.#owner, ...call }, limit);
    if (result.kind === 'reply' || result.kind === 'error') this.#unansweredSinceMs = undefined;
    // An error may come from the bus itself.
    if (result.kind === 'reply') this.#lastMessageMs = performance.now();
    return result;
  }

  /**
   * Calls `listener` with each change of the unit at `path` (unitPath) from now on, until the returned function is called.
   * Calls `onAccepted` when the bus has accepted the rule: the connection may have too many rules.
   */
  onUnit(path: string, listener: (change: UnitChange) => void, onAccepted?: () => void): () => void {
    const listeners = this.#units.get(path) ?? new Set();
    if (listeners.size === 0) this.#match(`member='PropertiesChanged',path='${path}'`, true, onAccepted);
    listeners.add(listener);
    this.#units.set(path, listeners);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#units.delete(path);
      this.#match(`member='PropertiesChanged',path='${path}'`, false);
    };
  }

  /** Calls `listener` with each job that ends from now on, until the returned function is called. */
  onJob(listener: (job: RemovedJob) => void): () => void {
    if (this.#jobs.size === 0) this.#match(JOB_REMOVED, true);
    this.#jobs.add(listener);
    return () => {
      if (this.#jobs.delete(listener) && this.#jobs.size === 0) this.#match(JOB_REMOVED, false);
    };
  }

  /**
   * Calls `listener` once when the link has ended, even if it has already ended. Does not call it after the returned function
   * was called.
   */
  onLost(listener: () => void): () => void {
    const once = (): void => {
      if (this.#lostListeners.delete(once)) listener();
    };
    this.#lostListeners.add(once);
    if (!this.isOpen) queueMicrotask(once);
    return () => void this.#lostListeners.delete(once);
  }

  /** Closes the link. Idempotent. */
  close(reason = 'it was closed'): void {
    this.#connection?.close(reason);
    this.#callLostListeners();
  }

  #callLostListeners(): void {
    for (const listener of [...this.#lostListeners]) listener();
  }

  /** Registers us on the bus and finds PID 1 there. */
  async #register(limit: Limit): Promise<{ readonly reason: string; readonly silent: boolean } | undefined> {
    const hello = await this.#askBus('Hello', '', [], limit);
    if (hello.kind !== 'reply') return unregistered(hello);
    this.#match(`sender='${BUS}',member='NameOwnerChanged',arg0='${SYSTEMD}'`, true);
    const owner = await this.#askBus('GetNameOwner', 's', [SYSTEMD], limit);
    if (owner.kind !== 'reply') return unregistered(owner);
    this.#owner = String(owner.values[0]);
    // Without this call PID 1 sends no signals to the bus. It is also the first call that PID 1 itself answers.
    const subscribed = await this.call({ member: 'Subscribe' }, limit);
    return subscribed.kind === 'reply' || isAlreadySubscribed(subscribed) ? undefined : unregistered(subscribed);
  }

  #match(rule: string, wanted: boolean, onAccepted?: () => void): void {
    if (this.kind === 'private' || !this.isOpen) return;
    const sender = rule.startsWith('sender=') ? '' : `sender='${SYSTEMD}',`;
    // Not awaited: the bus processes our messages in order, so it knows the rule before PID 1 gets a call.
    const answer = this.#askBus(wanted ? 'AddMatch' : 'RemoveMatch', 's', [`type='signal',${sender}${rule}`], {
      timeoutMs: RULE_MS,
    });
    void answer.then(({ kind }) => {
      if (kind === 'reply') onAccepted?.();
      if (wanted && kind === 'error') this.#refusedRules++;
    });
  }

  #askBus(member: string, signature: string, values: readonly DbusValue[], limit: Limit): Promise<CallResult> {
    return this.#send({ destination: BUS, path: BUS_PATH, interface: BUS, member, signature, values }, limit);
  }

  #send(call: Call, limit: Limit): Promise<CallResult> {
    return this.#connection?.call(call, limit) ?? Promise.resolve({ kind: 'lost', reason: 'the connection is not open' });
  }

  #onSignal(message: DbusMessage): void {
    const { member, path, sender } = message;
    if (sender === BUS && member === 'NameOwnerChanged') this.#ownerChanged(bodyOf(message));
    // On the bus anybody may send us a signal with that name.
    if (this.kind === 'bus' && (this.#owner === undefined || sender !== this.#owner)) return;
    this.#lastMessageMs = performance.now();
    if (message.interface === PROPERTIES && member === 'PropertiesChanged') {
      const listeners = this.#units.get(path);
      if (listeners === undefined) return;
      const change = new UnitChange(message, (reason) => this.close(reason));
      for (const listener of [...listeners]) listener(change);
    } else if (message.interface === MANAGER && member === 'JobRemoved' && this.#jobs.size > 0) {
      const [, job, unit, result] = bodyOf(message);
      for (const listener of [...this.#jobs]) listener({ path: String(job), unit: String(unit), result: String(result) });
    }
  }

  #ownerChanged([name]: readonly DbusValue[]): void {
    if (name === SYSTEMD && this.#owner !== undefined) this.close('PID 1 has re-executed itself');
  }
}

const BUS = 'org.freedesktop.DBus';
const BUS_PATH = '/org/freedesktop/DBus';
const SYSTEMD = 'org.freedesktop.systemd1';
const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER = 'org.freedesktop.systemd1.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const JOB_REMOVED = `interface='${MANAGER}',member='JobRemoved'`;
/** An answer this recent shows that PID 1 is not blocked. */
const FRESH_MS = 100;
const RULE_MS = 30_000;
/** The bus allows a connection 128 pending calls. */
const MOST_CALLS: Readonly<Record<LinkKind, number>> = { private: Number.POSITIVE_INFINITY, bus: 100 };

function isAlreadySubscribed(result: CallResult): boolean {
  return result.kind === 'error' && result.name === `${SYSTEMD}.AlreadySubscribed`;
}

function unregistered(result: Exclude<CallResult, { kind: 'reply' }>): { readonly reason: string; readonly silent: boolean } {
  return { reason: callFailure(result), silent: result.kind === 'no_answer' || result.kind === 'aborted' };
}
