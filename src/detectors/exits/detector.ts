import type { ProcessEvent } from '../../core/process/event.ts';
import { canWatchByPidfd } from '../../system/proc/pid-watch.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../../system/process-events/source.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitTransit } from '../../system/systemd/unit/transit.ts';
import type { Detector } from '../detector.ts';
import { describeMeans, NEWCOMERS_LOOK_MS } from './means.ts';
import { type CalledBy, Newcomers } from './new-processes.ts';
import type { FormerLife, WatchParts } from './watch/parts.ts';
import { WatchedPids } from './watch/pids.ts';
import { WatchedProcess } from './watched-process.ts';

/** A process whose end is to be noticed, as configured. */
export interface ExitWatchTarget extends CalledBy {
  readonly name: string;
  /** What ran of it when it was watched last, by an earlier life of the daemon. */
  readonly former?: FormerLife;
  /** How long it may take to run after a start or reload before its alarm is raised; undefined: it need not run. */
  readonly bootGraceMs?: number | undefined;
  /** Looks for what runs of it now. Never rejects. */
  readonly find: (signal: AbortSignal) => Promise<RunningProcesses>;
}

/** What the detector is made of. */
export interface ProcessExitParts extends Omit<WatchParts, 'statusOf' | 'pids'> {
  /** The processes with `watch_exit`, read at the start and at each `reconfigure`. */
  readonly targets: () => readonly ExitWatchTarget[];
  /** Tells of new processes at once; undefined: they are looked for. */
  readonly source: ProcessEventSource | undefined;
  /** Between two looks for new processes, where nobody tells of them; 2,000. */
  readonly lookMs?: number;
}

/**
 * Raises the alarm of a watched process when the last of it ends, unless we or an operator by systemctl(1) ended it, or systemd
 * starts it again. What runs at the start is learned; what does not run then raises nothing until it has been seen, unless it is
 * known to have run before (`former`), or has to run (`bootGraceMs`).
 */
export class ProcessExitDetector implements Detector {
  readonly #parts: ProcessExitParts;
  readonly #watches = new Map<string, { readonly watch: WatchedProcess; target: ExitWatchTarget }>();
  readonly #newcomers: Newcomers<ExitWatchTarget>;
  readonly #pids = new WatchedPids();
  readonly #stopped = new AbortController();
  readonly #byPidfd = canWatchByPidfd();
  #subscription: ProcessEventSubscription | undefined;
  #rounds: Promise<void> = Promise.resolve();
  #lastLook: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  /** Pids of which an event told that they execute something else, and that were not looked at yet. */
  readonly #executed = new Set<number>();
  #lookingAtExecuted: Promise<void> | undefined;

  constructor(parts: ProcessExitParts) {
    this.#parts = parts;
    this.#newcomers = new Newcomers(parts.table);
  }

  /** `byReload`: what there is to be watched came by a reload, not with the start of the daemon. */
  start(byReload = false): void {
    this.#takeUp(byReload);
    this.#rounds = this.#look();
  }

  /** Takes up what is to be watched after a reload. */
  reconfigure(): void {
    this.#takeUp(true);
  }

  /** A recovery of that process, or of what it stands for (`target`), has ended, well or not. */
  afterRecovery(processName: string, target: string, hasSucceeded: boolean): void {
    for (const { watch } of this.#watches.values())
      if (watch.is(processName, target)) void (hasSucceeded ? watch.afterRecovery() : watch.look());
  }

  #takeUp(byReload: boolean): void {
    const targets = new Map(this.#parts.targets().map((target) => [target.name, target]));
    for (const [name, { watch }] of this.#watches) {
      if (targets.has(name)) continue;
      watch.stop();
      this.#watches.delete(name);
    }
    this.#newcomers.want([...targets.values()]);
    for (const [name, target] of targets) {
      const known = this.#watches.get(name);
      if (known !== undefined) {
        known.target = target;
        void known.watch.ensure(target.bootGraceMs);
        void known.watch.look(true);
        continue;
      }
      const find: ExitWatchTarget['find'] = (signal) => (this.#watches.get(name)?.target ?? target).find(signal);
      const parts = { ...this.#parts, pids: this.#pids, statusOf: this.#statusOf.bind(this) };
      const watch = new WatchedProcess(name, find, parts, byReload);
      this.#watches.set(name, { watch, target });
      void watch.ensure(target.bootGraceMs);
      void watch.begin(target.former);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#subscription?.kind === 'open') this.#subscription.end();
    for (const { watch } of this.#watches.values()) watch.stop();
    this.#watches.clear();
    await Promise.all([this.#rounds, this.#lookingAtExecuted]);
  }

  /** By which means ends and beginnings are noticed, for people. */
  describe(): string {
    const looked = [...this.#watches.values()].reduce((sum, { watch }) => sum + watch.looked, 0);
    return describeMeans({ byPidfd: this.#byPidfd, looked, told: this.#subscription?.kind === 'open' });
  }

  /** The watched process that a pid belongs to, also a moment after its end. */
  nameOf(pid: number): string | undefined {
    return this.#pids.nameOf(pid);
  }

  /** WatchedProcess.runs; null for what is not watched. */
  runs(processName: string): boolean | null | UnitTransit {
    return this.#watches.get(processName)?.watch.runs ?? null;
  }

  get #pauseMs(): number {
    const { lookMs = NEWCOMERS_LOOK_MS } = this.#parts;
    return this.#subscription?.kind === 'open' ? lookMs * TOLD_FACTOR : lookMs;
  }

  async #look(): Promise<void> {
    await this.#subscribe();
    while (!this.#stopped.signal.aborted) {
      await this.#parts.clock.sleep(this.#pauseMs, this.#stopped.signal);
      await this.#lookForNewcomers();
    }
  }

  async #subscribe(): Promise<void> {
    const { source, log } = this.#parts;
    if (source === undefined) return;
    const subscription = await source.subscribe((events) => {
      for (const event of events) this.#hear(event);
    });
    this.#subscription = subscription;
    if (subscription.kind === 'unavailable') log.info(`watch_exit works without process events: ${subscription.reason}`);
    else if (this.#stopped.signal.aborted) subscription.end();
  }

  #hear(event: ProcessEvent): void {
    switch (event.type) {
      case 'exec':
        if (!this.#isAnyDown()) break;
        this.#executed.add(event.pid);
        this.#lookingAtExecuted ??= this.#lookAtExecuted();
        break;
      case 'exit':
        this.#pids.ended(event.pid, event.status);
        break;
      case 'lost':
        void this.#lookForNewcomers();
        break;
      default:
    }
  }

  /** All that came meanwhile at once: what one of them withholds for a second it must not withhold for each. */
  async #lookAtExecuted(): Promise<void> {
    while (this.#executed.size > 0) {
      const pids = [...this.#executed];
      this.#executed.clear();
      this.#lookAt(await this.#newcomers.among(pids));
    }
    this.#lookingAtExecuted = undefined;
  }

  /** Who asks while the table is being looked at gets another look after it: the one under way may have passed what is new. */
  #lookForNewcomers(): Promise<void> {
    this.#nextLook ??= (async () => {
      await this.#lastLook;
      this.#nextLook = undefined;
      if (this.#isAnyDown()) this.#lookAt(await this.#newcomers.inTable());
    })();
    this.#lastLook = this.#nextLook;
    return this.#nextLook;
  }

  #lookAt(candidates: Iterable<ExitWatchTarget>): void {
    for (const { name } of candidates) {
      const watch = this.#watches.get(name)?.watch;
      if (watch?.isDown) void watch.look();
    }
  }

  #isAnyDown(): boolean {
    if (this.#stopped.signal.aborted) return false;
    for (const { watch } of this.#watches.values()) if (watch.isDown) return true;
    return false;
  }

  /** The event of an end comes up to some 10 ms after the end. */
  async #statusOf(pid: number, known: number | undefined): Promise<number | undefined> {
    const end = this.#parts.clock.monotonicMs() + STATUS_WAIT_MS;
    while (
      known === undefined &&
      this.#subscription?.kind === 'open' &&
      this.#pids.statusOf(pid) === undefined &&
      this.#parts.clock.monotonicMs() < end
    )
      await this.#parts.clock.sleep(STATUS_LOOK_MS, this.#stopped.signal);
    return known ?? this.#pids.statusOf(pid);
  }
}

/** Where beginnings are told of, a look is for those alone that nobody could tell by their name at that moment. */
const TOLD_FACTOR = 5;
const STATUS_WAIT_MS = 40;
const STATUS_LOOK_MS = 5;
