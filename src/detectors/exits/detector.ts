// The detector that raises an alarm when a watched process exits.
import type { ProcessEvent } from '../../core/process/event.ts';
import { canWatchByPidfd } from '../../system/proc/pid-watch.ts';
import type { ProcessEventSource, ProcessEventSubscription } from '../../system/process-events/source.ts';
import type { RunningProcesses } from '../../system/systemd/running-processes.ts';
import type { UnitTransit } from '../../system/systemd/unit/transit.ts';
import type { Detector } from '../detector.ts';
import { describeMeans, NEW_PROCESSES_LOOK_MS } from './means.ts';
import { type CalledBy, NewProcesses } from './new-processes.ts';
import type { FormerLife, WatchParts } from './watch/parts.ts';
import { WatchedPids } from './watch/pids.ts';
import { WatchedProcess } from './watched-process.ts';

/** A process whose exit is to be detected, as configured. */
export interface ExitWatchTarget extends CalledBy {
  readonly name: string;
  /** What ran of it when an earlier run of the daemon watched it last. */
  readonly former?: FormerLife;
  /** How long it may take to run after a start or reload before its alarm is raised; undefined: it does not have to run. */
  readonly bootGraceMs?: number | undefined;
  /** Finds what runs of it now. Never rejects. */
  readonly find: (signal: AbortSignal) => Promise<RunningProcesses>;
}

/** What the detector needs. */
export interface ProcessExitParts extends Omit<WatchParts, 'statusOf' | 'pids'> {
  /** The processes with `watch_exit`; read at the start and at each `reconfigure`. */
  readonly targets: () => readonly ExitWatchTarget[];
  /** Reports new processes at once; undefined: the detector looks for them. */
  readonly source: ProcessEventSource | undefined;
  /** Time between two looks for new processes if no events report them; default 2,000. */
  readonly lookMs?: number;
}

/**
 * Raises the alarm of a watched process when the last of its processes ends, unless we or an operator with systemctl(1) ended
 * it, or systemd starts it again. It learns what runs at the start. What does not run then raises no alarm before it was seen,
 * unless it is known to have run before (`former`) or has to run (`bootGraceMs`).
 */
export class ProcessExitDetector implements Detector {
  readonly #parts: ProcessExitParts;
  readonly #watches = new Map<string, { readonly watch: WatchedProcess; target: ExitWatchTarget }>();
  readonly #newProcesses: NewProcesses<ExitWatchTarget>;
  readonly #pids = new WatchedPids();
  readonly #stopped = new AbortController();
  readonly #byPidfd = canWatchByPidfd();
  #subscription: ProcessEventSubscription | undefined;
  #rounds: Promise<void> = Promise.resolve();
  #lastLook: Promise<void> = Promise.resolve();
  #nextLook: Promise<void> | undefined;
  /** Pids for which an event reported an exec, and that were not examined yet. */
  readonly #executed = new Set<number>();
  #lookingAtExecuted: Promise<void> | undefined;

  constructor(parts: ProcessExitParts) {
    this.#parts = parts;
    this.#newProcesses = new NewProcesses(parts.table);
  }

  /** `byReload`: the watched names came with a reload, not with the start of the daemon. */
  start(byReload = false): void {
    this.#takeUp(byReload);
    this.#rounds = this.#look();
  }

  /** Applies the watched names after a reload. */
  reconfigure(): void {
    this.#takeUp(true);
  }

  /** A recovery of that process, or of its `target`, has ended, successfully or not. */
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
    this.#newProcesses.want([...targets.values()]);
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

  /** How exits and new processes are detected, for people. */
  describe(): string {
    const looked = [...this.#watches.values()].reduce((sum, { watch }) => sum + watch.looked, 0);
    return describeMeans({ byPidfd: this.#byPidfd, looked, hasEvents: this.#subscription?.kind === 'open' });
  }

  /** The watched process that a pid belongs to, also for a moment after its end. */
  nameOf(pid: number): string | undefined {
    return this.#pids.nameOf(pid);
  }

  /** WatchedProcess.runs; null for a name that is not watched. */
  runs(processName: string): boolean | null | UnitTransit {
    return this.#watches.get(processName)?.watch.runs ?? null;
  }

  get #pauseMs(): number {
    const { lookMs = NEW_PROCESSES_LOOK_MS } = this.#parts;
    return this.#subscription?.kind === 'open' ? lookMs * WITH_EVENTS_FACTOR : lookMs;
  }

  async #look(): Promise<void> {
    await this.#subscribe();
    while (!this.#stopped.signal.aborted) {
      await this.#parts.clock.sleep(this.#pauseMs, this.#stopped.signal);
      await this.#lookForNewProcesses();
    }
  }

  async #subscribe(): Promise<void> {
    const { source, log } = this.#parts;
    if (source === undefined) return;
    const subscription = await source.subscribe((events) => {
      for (const event of events) this.#onEvent(event);
    });
    this.#subscription = subscription;
    if (subscription.kind === 'unavailable') log.info(`watch_exit works without process events: ${subscription.reason}`);
    else if (this.#stopped.signal.aborted) subscription.end();
  }

  #onEvent(event: ProcessEvent): void {
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
        void this.#lookForNewProcesses();
        break;
      default:
    }
  }

  /**
   * Looks at all that arrived in the meantime at once: a process that holds up a look for a second must not do so for each pid.
   */
  async #lookAtExecuted(): Promise<void> {
    while (this.#executed.size > 0) {
      const pids = [...this.#executed];
      this.#executed.clear();
      this.#lookAt(await this.#newProcesses.among(pids));
    }
    this.#lookingAtExecuted = undefined;
  }

  /** A caller during a look at the table gets another look after it: the one under way may have passed what is new. */
  #lookForNewProcesses(): Promise<void> {
    this.#nextLook ??= (async () => {
      await this.#lastLook;
      this.#nextLook = undefined;
      if (this.#isAnyDown()) this.#lookAt(await this.#newProcesses.inTable());
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

  /** The event of an exit arrives up to about 10 ms after the exit. */
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

/** If events report new processes, a look only serves those that could not be identified by name at that moment. */
const WITH_EVENTS_FACTOR = 5;
const STATUS_WAIT_MS = 40;
const STATUS_LOOK_MS = 5;
