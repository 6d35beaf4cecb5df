import type { ProcessEvent } from '../core/process-event.ts';
import { canWatchByPidfd } from '../system/pid-watch.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../system/process-event-source.ts';
import type { RunningProcesses } from '../system/running-processes.ts';
import type { Detector } from './detector.ts';
import { type CalledBy, Newcomers } from './newcomers.ts';
import { WatchedProcess, type WatchParts } from './watched-process.ts';

/** A process whose end is to be noticed, as configured. */
export interface ExitWatchTarget extends CalledBy {
  readonly name: string;
  /** Looks for what runs of it now. Never rejects. */
  readonly find: (signal: AbortSignal) => Promise<RunningProcesses>;
}

/** What the detector is made of. */
export interface ProcessExitParts extends Omit<WatchParts, 'statusOf'> {
  /** The processes with `watch_exit`, read at the start and at each `reconfigure`. */
  readonly targets: () => readonly ExitWatchTarget[];
  /** Tells of new processes at once; undefined: they are looked for. */
  readonly source: ProcessEventSource | undefined;
  /** Between two looks for new processes, where nobody tells of them; 2,000. */
  readonly lookMs?: number;
}

/**
 * Raises the alarm of a watched process when the last of it ends, unless we or an operator by systemctl(1) ended it, or systemd
 * starts it again. What runs at the start is learned; what is not running then raises nothing until it has been seen.
 */
export class ProcessExitDetector implements Detector {
  readonly #parts: ProcessExitParts;
  readonly #watches = new Map<string, { readonly watch: WatchedProcess; target: ExitWatchTarget }>();
  readonly #newcomers: Newcomers;
  readonly #stopped = new AbortController();
  readonly #byPidfd = canWatchByPidfd();
  /** Wait statuses of watched processes, as the events told them. */
  readonly #statuses = new Map<number, number>();
  #subscription: ProcessEventSubscription | undefined;
  #unsubscribe = (): void => {};
  #rounds: Promise<void> = Promise.resolve();

  constructor(parts: ProcessExitParts) {
    this.#parts = parts;
    this.#newcomers = new Newcomers(parts.table);
  }

  start(): void {
    this.#unsubscribe = this.#parts.events.subscribe((event) => {
      if (event.type !== 'recovery_succeeded' && event.type !== 'recovery_failed') return;
      for (const { watch } of this.#watches.values()) {
        if (!watch.is(event.process.processName, event.target)) continue;
        void (event.type === 'recovery_succeeded' ? watch.afterRecovery() : watch.look());
      }
    });
    this.reconfigure();
    this.#rounds = this.#look();
  }

  /** Takes up what is to be watched now. */
  reconfigure(): void {
    const targets = new Map(this.#parts.targets().map((target) => [target.name, target]));
    for (const [name, { watch }] of this.#watches) {
      if (targets.has(name)) continue;
      watch.stop();
      this.#watches.delete(name);
    }
    for (const [name, target] of targets) {
      const known = this.#watches.get(name);
      if (known !== undefined) known.target = target;
      else {
        const find: ExitWatchTarget['find'] = (signal) => (this.#watches.get(name)?.target ?? target).find(signal);
        const parts: WatchParts = { ...this.#parts, statusOf: (pid, known) => this.#statusOf(pid, known) };
        this.#watches.set(name, { watch: new WatchedProcess(name, find, parts), target });
      }
      void this.#watches.get(name)?.watch.look(true);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#unsubscribe();
    if (this.#subscription?.kind === 'open') this.#subscription.end();
    for (const { watch } of this.#watches.values()) watch.stop();
    this.#watches.clear();
    await this.#rounds;
  }

  /** By which means ends and beginnings are noticed, for people. */
  describe(): string {
    const ends = this.#byPidfd ? 'pidfd' : 'a look every 0.25 s';
    const seconds = this.#pauseMs / 1000;
    const told = this.#subscription?.kind === 'open';
    return `exits by ${ends}, new processes by ${told ? 'the kernel’s process events' : `a look every ${seconds} s`}`;
  }

  /** The watched process that a pid belongs to, also a moment after its end. */
  nameOf(pid: number): string | undefined {
    for (const [name, { watch }] of this.#watches) if (watch.watches(pid) || watch.lastPid === pid) return name;
    return undefined;
  }

  get #pauseMs(): number {
    const { lookMs = LOOK_MS } = this.#parts;
    return this.#subscription?.kind === 'open' ? lookMs * TOLD_FACTOR : lookMs;
  }

  async #look(): Promise<void> {
    await this.#subscribe();
    while (!this.#stopped.signal.aborted) {
      await this.#parts.clock.sleep(this.#pauseMs, this.#stopped.signal);
      this.#lookForNewcomers();
    }
  }

  async #subscribe(): Promise<void> {
    const { source, log } = this.#parts;
    if (source === undefined) return;
    const subscription = await source.subscribe((events) => {
      for (const event of events) this.#hear(event);
    });
    this.#subscription = subscription;
    if (subscription.kind === 'unavailable') log.info(`watch_exit goes without process events: ${subscription.reason}`);
    else if (this.#stopped.signal.aborted) subscription.end();
  }

  #hear(event: ProcessEvent): void {
    switch (event.type) {
      case 'exec':
        this.#lookFor(() => this.#newcomers.of(event.pid, this.#down()));
        break;
      case 'exit':
        if ([...this.#watches.values()].some(({ watch }) => watch.watches(event.pid)))
          this.#statuses.set(event.pid, event.status);
        break;
      case 'lost':
        this.#lookForNewcomers();
        break;
      default:
    }
  }

  #lookForNewcomers(): void {
    this.#lookFor(() => this.#newcomers.inTable(this.#down()));
  }

  #lookFor(candidates: () => readonly CalledBy[]): void {
    if (this.#stopped.signal.aborted || this.#down().length === 0) return;
    for (const candidate of candidates()) {
      for (const { watch, target } of this.#watches.values()) if (target === candidate) void watch.look();
    }
  }

  #down(): ExitWatchTarget[] {
    return [...this.#watches.values()].filter(({ watch }) => watch.isDown).map(({ target }) => target);
  }

  /** The event of an end comes up to some 10 ms after the end. */
  async #statusOf(pid: number, known: number | undefined): Promise<number | undefined> {
    const end = this.#parts.clock.monotonicMs() + STATUS_WAIT_MS;
    while (
      known === undefined &&
      this.#subscription?.kind === 'open' &&
      !this.#statuses.has(pid) &&
      this.#parts.clock.monotonicMs() < end
    )
      await this.#parts.clock.sleep(STATUS_LOOK_MS, this.#stopped.signal);
    const told = this.#statuses.get(pid);
    this.#statuses.delete(pid);
    return known ?? told;
  }
}

const LOOK_MS = 2000;
/** Where beginnings are told of, a look is for those alone that nobody could tell by their name at that moment. */
const TOLD_FACTOR = 5;
const STATUS_WAIT_MS = 40;
const STATUS_LOOK_MS = 5;
