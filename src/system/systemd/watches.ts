import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { Limit } from './dbus/connection.ts';
import { Pid1Link } from './link.ts';
import type { SeenEnd } from './service-manager.ts';
import { SignalledEnd } from './signalled-end.ts';
import { unitPath } from './unit/name.ts';

/**
 * Watches units over the system bus: the bus reports only these units, while PID 1's own socket reports all. While the bus is
 * unavailable, it is tried again at intervals. When it is back, all listeners are called, because changes may have been missed.
 */
export class UnitWatches {
  readonly #address: string;
  readonly #log: Logger | undefined;
  #isAway = false;
  readonly #watched = new Map<string, WatchedUnit>();
  #link: Pid1Link | undefined;
  #running: Promise<void> | undefined;
  #wake = new AbortController();

  /** `address`: the address of the bus. `log` gets a line when the bus becomes unavailable, and when it is back. */
  constructor(address: string, log?: Logger) {
    this.#address = address;
    this.#log = log;
  }

  /** How many units the bus does not report, because it takes no more rules. */
  get unheard(): number {
    return this.#link?.refusedRules ?? 0;
  }

  /** True while the bus reports changes. */
  get isConnected(): boolean {
    return this.#link?.isOpen ?? false;
  }

  /** True while any unit is watched. */
  get isWanted(): boolean {
    return this.#watched.size > 0;
  }

  add(unit: string, onChange: () => void): () => void {
    const watched = this.#watched.get(unit) ?? new WatchedUnit(unit);
    this.#watched.set(unit, watched);
    watched.listeners.add(onChange);
    if (this.#link !== undefined) watched.follow(this.#link);
    this.#running ??= this.#run();
    return () => {
      if (!watched.listeners.delete(onChange) || watched.listeners.size > 0) return;
      watched.stop();
      this.#watched.delete(unit);
      if (this.#watched.size === 0) this.#wake.abort();
    };
  }

  /** Returns how the unit last ended, as the bus has reported it so far. */
  signalledEnd(unit: string): SeenEnd | undefined {
    return this.#watched.get(unit)?.end.last;
  }

  /**
   * Returns the same, but includes all that systemd had signalled by the time of this call; undefined if that is not available.
   * Never rejects.
   */
  async seenEnd(unit: string, limit: Limit): Promise<SeenEnd | undefined> {
    const link = this.#link;
    if (link === undefined || !this.#watched.has(unit)) return undefined;
    // The answer comes after everything that was signalled before it.
    const answer = await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, limit);
    return answer.kind === 'reply' && link === this.#link ? this.signalledEnd(unit) : undefined;
  }

  /** Runs until nobody watches any unit. */
  async #run(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; this.#watched.size > 0; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      this.#wake = new AbortController();
      const { signal } = this.#wake;
      const opened = await Pid1Link.open('bus', this.#address, { timeoutMs: OPEN_LIMIT_MS, signal });
      if (opened.kind === 'open') {
        pauseMs = FIRST_PAUSE_MS;
        this.#logAvailability(undefined);
        await this.#follow(opened.link, signal);
      }
      if (this.#watched.size > 0) this.#logAvailability(opened.kind === 'open' ? 'the connection was lost' : opened.reason);
      if (this.#watched.size > 0) await systemClock.sleep(pauseMs, signal);
    }
    this.#running = undefined;
    // A unit may have been added since the last check.
    if (this.#watched.size > 0) this.#running = this.#run();
  }

  /** `reason`: why the bus is unavailable; undefined if it is available. */
  #logAvailability(reason: string | undefined): void {
    const isAway = reason !== undefined;
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#log?.info(
      isAway
        ? `System bus unavailable, watched units are checked at intervals: ${reason}`
        : 'System bus available again, it reports watched units',
    );
  }

  async #follow(link: Pid1Link, signal: AbortSignal): Promise<void> {
    this.#link = link;
    for (const watched of this.#watched.values()) {
      watched.follow(link);
      watched.notify();
    }
    await new Promise<void>((resolve) => {
      link.onLost(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    this.#link = undefined;
    for (const watched of this.#watched.values()) watched.stop();
    link.close();
  }
}

const OPEN_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 10_000;

/** One watched unit. Its listeners are called once for many changes at the same time. */
class WatchedUnit {
  readonly listeners = new Set<() => void>();
  readonly end = new SignalledEnd();
  readonly #path: string;
  #stop: (() => void) | undefined;
  #due = false;

  constructor(unit: string) {
    this.#path = unitPath(unit);
  }

  follow(link: Pid1Link): void {
    this.#stop ??= link.onUnit(
      this.#path,
      (change) => {
        this.end.receive(change);
        this.notify();
      },
      () => this.end.begin(),
    );
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.end.forget();
  }

  notify(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      for (const listener of [...this.listeners]) listener();
    });
  }
}
