// The shared connection to PID 1.

import { soon, systemClock } from '../../core/clock.ts';
import type { Limit } from './dbus/connection.ts';
import { type LinkKind, type OpenedLink, type Pid1Addresses, Pid1Link, pid1Addresses } from './link.ts';

/** The result of an action: its own value, or one line why PID 1 could not be reached. */
type Reached<T> = { readonly kind: 'reached'; readonly value: T } | { readonly kind: 'unreachable'; readonly reason: string };

/** `idleMs`: how long an unused link stays open; `silentMs`: how long it may leave a question without an answer. */
interface Pid1Options {
  readonly addresses?: Pid1Addresses;
  readonly idleMs?: number;
  readonly silentMs?: number;
}

/**
 * The shared connection to PID 1: over its own socket, else over the system bus. The link is opened when it is needed, shared
 * by all users, and closed a few seconds after its last use, because on its own socket PID 1 signals the changes of every unit
 * of the machine.
 */
export class Pid1 {
  readonly #addresses: Pid1Addresses;
  readonly #idleMs: number;
  readonly #silentMs: number;
  /** Links in use, each with the number of its users: also those that were given up for silence. */
  readonly #uses = new Map<Pid1Link, number>();
  #link: Pid1Link | undefined;
  #opening: Promise<OpenedLink> | undefined;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  #lastKind: LinkKind | undefined;
  #problem: string | undefined;

  constructor({ addresses = pid1Addresses, idleMs = IDLE_MS, silentMs = SILENT_MS }: Pid1Options = {}) {
    this.#addresses = addresses;
    this.#idleMs = idleMs;
    this.#silentMs = silentMs;
  }

  /** Over which address PID 1 last answered, or why it could not be reached. */
  get contact(): { readonly way: LinkKind | undefined; readonly problem: string | undefined } {
    return { way: this.#lastKind, problem: this.#problem };
  }

  /** The address of the system bus. */
  get busAddress(): string {
    return this.#addresses.bus;
  }

  /**
   * Runs `action` with an open link. `alive`: only after PID 1 has shown that it processes messages. Never rejects unless
   * `action` does.
   */
  async withLink<T>(limit: Limit & { readonly alive?: boolean }, action: (link: Pid1Link) => Promise<T>): Promise<Reached<T>> {
    this.#users++;
    clearTimeout(this.#idle);
    try {
      const found = await this.#usableLink(limit);
      return found.kind === 'failed'
        ? { kind: 'unreachable', reason: found.reason }
        : { kind: 'reached', value: await this.#use(found.link, action) };
    } finally {
      this.#users--;
      this.#closeWhenIdle();
    }
  }

  async #use<T>(link: Pid1Link, action: (link: Pid1Link) => Promise<T>): Promise<T> {
    this.#uses.set(link, (this.#uses.get(link) ?? 0) + 1);
    try {
      return await action(link);
    } finally {
      const others = (this.#uses.get(link) ?? 1) - 1;
      if (others > 0) this.#uses.set(link, others);
      else {
        this.#uses.delete(link);
        if (link !== this.#link) link.close();
      }
    }
  }

  /** Closes the link; the next use opens another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#link?.close();
    this.#link = undefined;
  }

  async #usableLink({ timeoutMs, signal, alive = false }: Limit & { readonly alive?: boolean }): Promise<OpenedLink> {
    const beganMs = performance.now();
    const endMs = beganMs + timeoutMs;
    // While PID 1 re-executes itself nobody listens. A caller that only asks prefers to learn that soon.
    const absentEndMs = alive ? endMs : Math.min(endMs, beganMs + PATIENCE_MS);
    for (;;) {
      const leftMs = Math.max(endMs - performance.now(), 0);
      const opening = this.#open();
      const opened = opening instanceof Promise ? await soon(systemClock, leftMs, opening, signal) : opening;
      const found = opened === 'late' ? LATE : opened;
      // No longer than until a silent link is replaced.
      const aliveMs = Math.min(Math.max(endMs - performance.now(), 0), this.#silentMs);
      if (found.kind === 'open' && (!alive || (await found.link.isAlive({ timeoutMs: aliveMs, signal })))) {
        this.#lastKind = found.link.kind;
        this.#problem = undefined;
        return found;
      }
      const isAbsent = found.kind === 'failed' && !found.silent;
      const reason = isAbsent ? `cannot connect to systemd: ${found.reason}` : 'systemd does not answer';
      if (signal?.aborted) return { kind: 'failed', reason: 'aborted', silent: true };
      if (performance.now() >= (isAbsent ? absentEndMs : endMs)) {
        this.#lastKind = undefined;
        this.#problem = reason;
        return { kind: 'failed', reason, silent: true };
      }
      await systemClock.sleep(Math.min(AGAIN_MS, endMs - performance.now()), signal);
    }
  }

  /** Closes the link after a while if nobody uses it. */
  #closeWhenIdle(): void {
    if (this.#users > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }

  /**
   * Returns the open link, or the one that is being opened, whoever asked for it. A link that has been silent for a while is given up:
   * after a re-exec of a busy PID 1, links by the bus were answered while one to its own socket was not. Who uses it keeps it.
   */
  #open(): OpenedLink | Promise<OpenedLink> {
    const link = this.#link;
    if (link?.isOpen && !link.isSilentFor(this.#silentMs)) return { kind: 'open', link };
    this.#link = undefined;
    if (link !== undefined && !this.#uses.has(link)) link.close();
    this.#opening ??= this.#openLink().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openLink(): Promise<OpenedLink> {
    const limit = { timeoutMs: OPEN_LIMIT_MS };
    const direct = await Pid1Link.open('private', this.#addresses.private, limit);
    // If PID 1's own socket is there but silent, PID 1 does not answer: the bus would not help.
    const opened = direct.kind === 'open' || direct.silent ? direct : await Pid1Link.open('bus', this.#addresses.bus, limit);
    if (opened.kind === 'open') {
      this.#link = opened.link;
      // The caller that asked for it may have given up.
      this.#closeWhenIdle();
    } else if (direct.kind === 'failed' && opened !== direct)
      return { ...opened, reason: `${direct.reason}; ${opened.reason}` };
    return opened;
  }
}

const IDLE_MS = 3000;
const AGAIN_MS = 250;
const PATIENCE_MS = 3000;
/** PID 1 answers within milliseconds. An attempt that it has not answered is repeated. */
const OPEN_LIMIT_MS = 10_000;
const SILENT_MS = 10_000;
const LATE: OpenedLink = { kind: 'failed', reason: 'it does not answer', silent: true };
