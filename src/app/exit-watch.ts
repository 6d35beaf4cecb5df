import { errorMessage } from '../core/errors.ts';
import type { ExitWatchTarget, ProcessExitDetector } from '../detectors/exits/detector.ts';
import { managedProcess } from '../monitor/recovery-plan.ts';
import { cannotLook } from '../strategies/process/running/found-running.ts';
import { serviceName } from '../strategies/unit/name-policy.ts';
import { sharedLooks, type TakeLook } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import type { ProcessEventSource } from '../system/process-events/source.ts';
import type { RunningProcesses } from '../system/systemd/running-processes.ts';
import type { Core } from './app.ts';
import type { Running } from './watched-status.ts';

/** The watching of processes with `watch_exit`, in the daemon: loaded when the first one has it, kept up to date by reloads. */
export class ExitWatch {
  readonly #core: Core;
  readonly #source: ProcessEventSource | undefined;
  #detector: ProcessExitDetector | undefined;
  #stopped = false;
  #last: Promise<void> = Promise.resolve();
  #unsubscribe = (): void => {};

  /** `source`: the program's process events, where there are any. */
  constructor(core: Core, source: ProcessEventSource | undefined) {
    this.#core = core;
    this.#source = source;
  }

  /** Begins, now and after each reload. */
  start(): void {
    const follow = (byReload: boolean): void => {
      this.#last = this.#last.then(() => this.#follow(byReload));
    };
    this.#unsubscribe = this.#core.events.subscribe((event) => {
      if (event.type === 'config_reloaded') follow(true);
    });
    follow(false);
  }

  /** Lets every process go. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    await this.#last;
    await this.#detector?.stop();
    this.#detector = undefined;
  }

  /** By which means it watches, for people; undefined where nothing is watched. */
  describe(): string | undefined {
    return this.#detector?.describe();
  }

  /** The watched process that a pid belongs to, also a moment after its end. */
  nameOf(pid: number): string | undefined {
    return this.#detector?.nameOf(pid);
  }

  readonly runs = (processName: string): Running => this.#detector?.runs(processName) ?? null;

  async #follow(byReload: boolean): Promise<void> {
    if (this.#stopped) return;
    const { watchedNames, processNames } = this.#core.settings();
    this.#core.lives.keepOnly(new Set(watchedNames));
    this.#dropKept(processNames);
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
      await this.#open(byReload);
    } catch (error) {
      this.#core.log.error(`watch_exit cannot be had: ${errorMessage(error)}`, { err: error });
    }
  }

  /** A kept alarm of a name that has left the configuration has nobody to be told to and no row to be cleared in. */
  #dropKept(configured: readonly string[]): void {
    const { state, kept, log } = this.#core;
    for (const { processName } of state.kept.list()) {
      if (configured.includes(processName) || !kept.drop(processName)) continue;
      log.info(`Alarm of ${processName} is kept no longer: it is not configured any more`, { process_name: processName });
    }
  }

  async #open(byReload: boolean): Promise<void> {
    const { ProcessExitDetector } = await import('../detectors/exits/detector.ts');
    const core = this.#core;
    const { clock, events, log, execution } = core;
    const table = new ProcessTable();
    const look = sharedLooks(table);
    this.#detector = new ProcessExitDetector({
      table,
      services: execution.services,
      clock,
      events,
      log,
      raiser: core.alarms,
      isRecovering: (name, key) => core.queue.isRecovering(name, key),
      isUnitRecovering: (unit) => core.queue.isRecovering(unit, serviceName(unit)),
      isInAlarm: (name) => isInAlarm(core, name),
      targets: () => core.settings().watchedNames.map((name) => target(core, name, look)),
      source: this.#source,
    });
    this.#detector.start(byReload);
  }
}

/** As of the last poll, or as kept by the daemon; false too if that is not known. */
function isInAlarm({ kept, monitor: { availability } }: Core, name: string): boolean {
  const rows = availability.state === 'ok' ? availability.alarms : [];
  return kept.alarm(name) !== undefined || rows.some(({ processName }) => processName === name);
}

/** The process as it is configured now. */
function target(core: Core, name: string, shared: TakeLook): ExitWatchTarget {
  const plan = core.plans()(name);
  const process = managedProcess(name, plan);
  const find = async (signal: AbortSignal): Promise<RunningProcesses> => {
    let taken: ReturnType<TakeLook> | undefined;
    const look: TakeLook = () => {
      taken ??= shared();
      return taken;
    };
    // How it was started is written down before anything else: a moment later it may be dead, and is to be started again.
    await plan.strategy.observe?.(process, look);
    return (await plan.strategy.findRunning?.(process, signal, look)) ?? cannotLook;
  };
  const life = core.lives.former(name);
  const former = life && { pid: life.pid, since: life.since, unit: life.unit ?? undefined };
  const marks = plan.strategy.marks?.(process) ?? {};
  const bootGraceMs = core.settings().bootGracesMs.get(name);
  return { name, systemName: process.systemName, marks, ...(former && { former }), bootGraceMs, find };
}
