import { soon, systemClock } from '../../core/clock.ts';
import type { Limit } from './dbus/connection.ts';
import { type LinkKind, type OpenedLink, type Pid1Addresses, Pid1Link, pid1Addresses } from './link.ts';

/** What came of an action: its own result, or in one line why PID 1 could not be spoken to. */
type Spoken<T> = { readonly kind: 'spoken'; readonly value: T } | { readonly kind: 'unreachable'; readonly reason: string };

/**
 * The way to PID 1: its own socket, else the system's message bus. A link is opened for whoever needs one, shared, and closed a few
 * seconds after the last use: on its own socket PID 1 tells of every unit of the machine.
 */
export class Pid1 {
  readonly #addresses: Pid1Addresses;
  readonly #idleMs: number;
  #link: Pid1Link | undefined;
  #opening: Promise<OpenedLink> | undefined;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  #way: LinkKind | undefined;
  #problem: string | undefined;

  constructor({ addresses = pid1Addresses, idleMs = IDLE_MS }: { addresses?: Pid1Addresses; idleMs?: number } = {}) {
    this.#addresses = addresses;
    this.#idleMs = idleMs;
  }

  /** By which way PID 1 was spoken to last, if that went, and else why not. */
  get contact(): { readonly way: LinkKind | undefined; readonly problem: string | undefined } {
    return { way: this.#way, problem: this.#problem };
  }

  /** Where the system's bus is. */
  get busAddress(): string {
    return this.#addresses.bus;
  }

  /**
   * Runs `action` on a link that is open. `alive`: only once PID 1 has shown that it takes what it is told. Never rejects, unless
   * `action` does.
   */
  async speak<T>(limit: Limit & { readonly alive?: boolean }, action: (link: Pid1Link) => Promise<T>): Promise<Spoken<T>> {
    this.#users++;
    clearTimeout(this.#idle);
    try {
      const found = await this.#find(limit);
      return found.kind === 'failed'
        ? { kind: 'unreachable', reason: found.reason }
        : { kind: 'spoken', value: await action(found.link) };
    } finally {
      this.#users--;
      this.#rest();
    }
  }

  /** Closes the link; the next use opens another. */
  close(): void {
    clearTimeout(this.#idle);
    this.#link?.close();
    this.#link = undefined;
  }

  async #find({ timeoutMs, signal, alive = false }: Limit & { readonly alive?: boolean }): Promise<OpenedLink> {
    const beganMs = performance.now();
    const endMs = beganMs + timeoutMs;
    // While PID 1 is executed anew nobody listens; who only asks would rather hear soon that there is nobody.
    const patienceEndMs = alive ? endMs : Math.min(endMs, beganMs + PATIENCE_MS);
    for (;;) {
      const leftMs = Math.max(endMs - performance.now(), 0);
      const opening = this.#open();
      const opened = opening instanceof Promise ? await soon(systemClock, leftMs, opening, signal) : opening;
      const found = opened === 'late' ? LATE : opened;
      const isUsable =
        found.kind === 'open' &&
        (!alive || (await found.link.isAlive({ timeoutMs: Math.max(endMs - performance.now(), 0), signal })));
      if (isUsable) {
        this.#way = found.link.kind;
        this.#problem = undefined;
        return found;
      }
      const nobody = found.kind === 'failed' && !found.silent;
      const reason = nobody ? `systemd cannot be spoken to: ${found.reason}` : 'systemd does not answer';
      if (signal?.aborted) return { kind: 'failed', reason: 'aborted', silent: true };
      if (performance.now() >= (nobody ? patienceEndMs : endMs)) {
        this.#way = undefined;
        this.#problem = reason;
        return { kind: 'failed', reason, silent: true };
      }
      await systemClock.sleep(Math.min(AGAIN_MS, endMs - performance.now()), signal);
    }
  }

  /** Lets the link go after a while, where nobody uses it. */
  #rest(): void {
    if (this.#users > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }

  /** The link that is open, or the one that is being opened, whoever asked for it. */
  #open(): OpenedLink | Promise<OpenedLink> {
    if (this.#link?.isOpen) return { kind: 'open', link: this.#link };
    this.#opening ??= this.#openAnew().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openAnew(): Promise<OpenedLink> {
    const limit = { timeoutMs: OPEN_LIMIT_MS };
    const direct = await Pid1Link.open('private', this.#addresses.private, limit);
    // Where it is there and only silent, PID 1 is what does not answer: the bus would be no help.
    const opened = direct.kind === 'open' || direct.silent ? direct : await Pid1Link.open('bus', this.#addresses.bus, limit);
    if (opened.kind === 'open') {
      this.#link = opened.link;
      // Whoever asked for it may have given up.
      this.#rest();
    } else if (direct.kind === 'failed' && opened !== direct)
      return { ...opened, reason: `${direct.reason}; ${opened.reason}` };
    return opened;
  }
}

const IDLE_MS = 3000;
const AGAIN_MS = 250;
const PATIENCE_MS = 3000;
/** PID 1 answers within milliseconds; an attempt that it has not answered is made again. */
const OPEN_LIMIT_MS = 10_000;
const LATE: OpenedLink = { kind: 'failed', reason: 'it does not answer', silent: true };
