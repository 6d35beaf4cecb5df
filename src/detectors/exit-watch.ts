// The watch of processes with `watch_exit`: starts the exit detector when the first name needs it, and follows reloads.
import { errorMessage } from '../core/errors.ts';
import { cannotLook } from '../strategies/process/running/found-running.ts';
import { managedProcess, type Plans } from '../strategies/recovery-plan.ts';
import { sharedLooks, type TakeLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { RunningProcesses } from '../system/systemd/running-processes.ts';
import type { UnitTransit } from '../system/systemd/unit/transit.ts';
import type { LifeTracker, RecoveryFollower } from './detector.ts';
import type { ExitWatchTarget, ProcessExitDetector, ProcessExitParts } from './exits/detector.ts';
import type { WatchedLives } from './watched-lives.ts';

/** What the watch needs. */
interface ExitWatchParts extends Pick<ProcessExitParts, 'services' | 'clock' | 'events' | 'log'> {
  /** What to watch, as configured now. */
  readonly config: { current(): WatchConfig };
  readonly lives: WatchedLives;
}

/** The names with `watch_exit`, how long each may take to run after a start or reload, and how each is found. */
export interface WatchConfig {
  readonly watchedNames: readonly string[];
  readonly bootGracesMs: ReadonlyMap<string, number>;
  readonly plans: Plans;
}

/** What the watch uses while it runs. `source`: the program's process events; undefined if there are none. */
interface ExitWatchStart
  extends Pick<ProcessExitParts, 'raiser' | 'isRecovering' | 'isUnitRecovering' | 'isInAlarm' | 'source'> {
  /** Counts an exit that nobody has ordered. */
  readonly exits: { count(processName: string): void };
  /** Called when a process runs, which was started `agoMs` milliseconds ago. */
  readonly onRuns: (processName: string, agoMs: number) => void;
}

/**
 * Watches the processes with `watch_exit`. The detector is loaded when the first process has it; reloads keep it up to date.
 */
export class ExitWatch implements RecoveryFollower {
  readonly #parts: ExitWatchParts;
  #detector: ProcessExitDetector | undefined;
  #started: ExitWatchStart | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: ExitWatchParts) {
    this.#parts = parts;
  }

  /** Begins to watch. */
  start(start: ExitWatchStart): void {
    this.#started = start;
    this.#follow(false);
  }

  /** Applies the watched names after a reload. */
  reconfigure(): void {
    this.#follow(true);
  }

  /** Stops watching every process. Idempotent. */
  async stop(): Promise<void> {
    this.#started = undefined;
    await this.#last;
    await this.#detector?.stop();
    this.#detector = undefined;
  }

  /** How it watches, for people; undefined if nothing is watched. */
  describe(): string | undefined {
    return this.#detector?.describe();
  }

  /** The watched process that a pid belongs to, also for a moment after its end. */
  nameOf(pid: number): string | undefined {
    return this.#detector?.nameOf(pid);
  }

  /** ProcessExitDetector.runs; null also if nothing is watched. */
  readonly runs = (processName: string): boolean | null | UnitTransit => this.#detector?.runs(processName) ?? null;

  /** Also for processes that are not watched now: they may be watched again. */
  afterRecovery(processName: string, target: string, hasSucceeded: boolean): void {
    if (hasSucceeded) this.#parts.lives.healed(processName);
    this.#detector?.afterRecovery(processName, target, hasSucceeded);
  }

  #follow(byReload: boolean): void {
    this.#last = this.#last.then(() => this.#followNow(byReload));
  }

  async #followNow(byReload: boolean): Promise<void> {
    const start = this.#started;
    if (start === undefined) return;
    const { config, lives, events, log } = this.#parts;
    const { watchedNames } = config.current();
    for (const processName of lives.keepOnly(new Set(watchedNames))) events.emit({ type: 'process_unwatched', processName });
    if (watchedNames.length === 0) {
      await this.#detector?.stop();
      this.#detector = undefined;
      return;
    }
    if (this.#detector !== undefined) {
      this.#detector.reconfigure();
      return;
    }
    try {
      await this.#open(start, byReload);
    } catch (error) {
      log.error(`watch_exit is not available: ${errorMessage(error)}`, { err: error });
    }
  }

  async #open(start: ExitWatchStart, byReload: boolean): Promise<void> {
    const { ProcessExitDetector } = await import('./exits/detector.ts');
    const { config, services, clock, events, log } = this.#parts;
    const table = new ProcessTable();
    const look = sharedLooks(table);
    this.#detector = new ProcessExitDetector({
      table,
      services,
      clock,
      events,
      log,
      ...start,
      lives: this.#tracker(start),
      targets: () => config.current().watchedNames.map((name) => this.#target(name, look)),
    });
    this.#detector.start(byReload);
  }

  /** Counts an exit towards the breaker before the alarm is raised. */
  #tracker({ exits, onRuns }: ExitWatchStart): LifeTracker {
    const { lives, clock } = this.#parts;
    return {
      seen: (event) => {
        lives.seen(event);
        onRuns(event.processName, Math.max(0, clock.date().getTime() - event.since.getTime()));
      },
      exited: (event) => {
        if (!event.expected) exits.count(event.processName);
        lives.exited(event);
      },
    };
  }

  /** The process, as it is configured now. */
  #target(name: string, shared: TakeLook): ExitWatchTarget {
    const { config, lives } = this.#parts;
    const { plans, bootGracesMs } = config.current();
    const plan = plans(name);
    const process = managedProcess(name, plan);
    const find = async (signal: AbortSignal): Promise<RunningProcesses> => {
      let taken: ReturnType<TakeLook> | undefined;
      const look: TakeLook = () => {
        taken ??= shared();
        return taken;
      };
      // The launch is recorded before anything else: a moment later the process may be dead, and it has to be started again.
      await plan.strategy.observe?.(process, look);
      return (await plan.strategy.findRunning?.(process, signal, look)) ?? cannotLook;
    };
    const life = lives.former(name);
    const former = life && { pid: life.pid, since: life.since, unit: life.unit ?? undefined };
    const marks = plan.strategy.marks?.(process) ?? {};
    const bootGraceMs = bootGracesMs.get(name);
    return { name, systemName: process.systemName, marks, ...(former && { former }), bootGraceMs, find };
  }
}
