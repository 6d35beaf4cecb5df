// The port of restart strategies: what the monitor asks of them, and what they may use of the system.
import type { ManagedProcess } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { SectionReader } from '../core/config.ts';
import type { Logger } from '../core/logger.ts';
import type { HealthResult, RestartPreview } from '../core/outcomes.ts';
import type { LaunchRecord, LaunchRecords } from '../core/program/launch-record.ts';
import type { ProgramMarks } from '../core/program/marks.ts';
import type { Pins } from '../core/program/pin.ts';
import type { ProgramRoots } from '../core/program/roots.ts';
import type { UnitsWithProcesses } from '../core/program/units-with-processes.ts';
import type { ProgramLauncher } from '../system/launch/launcher.ts';
import type { TakeLook } from '../system/proc/look.ts';
import type { ProcessTable } from '../system/proc/table.ts';
import type { CommandRunner } from '../system/runs/runner.ts';
import type { OtherSupervisor, RunningProcesses } from '../system/systemd/running-processes.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import type { Twins } from './twins.ts';

export const strategyNames = ['service', 'process', 'auto', 'custom'] as const;
export type StrategyName = (typeof strategyNames)[number];

/**
 * What a row resolves to. `key` is the unit or program: a canonical unit name without `.service`, a program's name, or the
 * system name if a command of the operator's does the work. Rows with the same key share one recovery and one circuit breaker.
 */
export type Resolution =
  | { readonly kind: 'target'; readonly key: string /** For people: `unit nginx.service`. */; readonly description: string }
  /**
   * This row must not or cannot be acted on; one line why. `unanswered`: systemd did not say what it is; absent: it is certain.
   */
  | { readonly kind: 'refused'; readonly reason: string; readonly unanswered?: true };

/** What a name stands for, whether or not it may be acted on: so that a hold on it applies under any other name too. */
export type Meaning =
  /** As Resolution.key. */
  | { readonly kind: 'target'; readonly key: string }
  | { readonly kind: 'nothing' }
  /** It cannot be determined now; one line why. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A unit that a restart would start, restart or stop besides its target. */
export interface AlsoStarted {
  /** As Resolution.key. */
  readonly key: string;
  /** What would happen to it: `start` if it is down, the others if it is up. */
  readonly verb: 'start' | 'restart' | 'stop';
  /** Started by Wants= alone: the target would be started without it too. Never true for what is restarted or stopped. */
  readonly isOnlyWanted: boolean;
  /** Why, for people: `front.service Requires=base.service`. */
  readonly way: string;
}

/** What else a restart starts, restarts and stops; `unknown`: it cannot be determined, one line why. */
export type AlsoStarts =
  | { readonly kind: 'known'; readonly units: readonly AlsoStarted[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/** How one restart ended. A strategy whose command failed says `failed`, whatever a health check would say. */
export type RestartOutcome =
  /** `detail` for people: `systemctl restart nginx.service`, `killed 2 processes, started pid 4711`. */
  | { readonly kind: 'restarted'; readonly detail: string }
  /**
   * `final`: only an operator can change the cause (there is nothing to start, or no command accepts the name); no further
   * attempt is made. `output`: the last lines that the unit or command wrote, at most 5, printable; absent if there are none.
   */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly final?: boolean;
      readonly output?: readonly string[] | undefined;
    };

/** What can be said about a target that is not healthy. */
export interface Explanation {
  /** Why it is not up, in one line; undefined if it is, or nothing is known. */
  readonly reason: string | undefined;
  /** As RestartOutcome.output; [] if there is none. */
  readonly output: readonly string[];
}

/** One attempt, as a strategy sees it. */
export interface RestartAttempt {
  readonly process: ManagedProcess;
  /** From 1. */
  readonly attempt: number;
  /** Id of this attempt's command run (ShellCommand.runId); written to the journal before the strategy is called. */
  readonly runId: string;
  /**
   * Monotonic time at which the alarm was first seen with its present notes; absent if what has been started since is to be restarted too (an order,
   * another attempt).
   */
  readonly alarmSinceMs?: number;
  /** Aborts when the daemon has to end: kill what is running and return. */
  readonly signal: AbortSignal;
  /**
   * True once nobody wants the restart any more (a hold, a cleared alarm, mode = observe, the daemon stops). Asked after a
   * wait, before the first action, and before force is used; what was begun is completed nevertheless. Absent: it stays wanted.
   * Never rejects.
   */
  readonly isUnwanted?: () => Promise<boolean>;
  /** Gives the restart slot to others during `wait`, which runs none of our commands; absent if there are no slots. */
  readonly outsideSlot?: <T>(wait: () => Promise<T>) => Promise<T>;
}

/** Why nothing was done once RestartAttempt.isUnwanted is true. */
export const UNWANTED = 'no longer wanted: its alarm has ended, or it is on hold';

/** What was found running after a restart: used to see whether it lasts. */
export interface Life {
  /** How long it has been running, in milliseconds; 0 if that is not known. */
  readonly ageMs: number;
  /** For how many milliseconds it has been up without a restart; absent if that is not known. */
  readonly upForMs?: number;
  /** Why it is over, in one line; undefined while it lasts, and if that cannot be determined. Never rejects. */
  ended(signal: AbortSignal): Promise<string | undefined>;
}

/** One way of restarting a configured process. Calls for different targets overlap. */
export interface RestartStrategy {
  readonly name: StrategyName;
  /** Which unit or program the row means now. Never rejects. */
  resolve(process: ManagedProcess, signal: AbortSignal): Promise<Resolution>;
  /** Stops what is there and starts it again. Never rejects. */
  restart(attempt: RestartAttempt): Promise<RestartOutcome>;
  /**
   * The health check that applies if none is configured: the unit is active; the program runs and its pid is stable for
   * `stable_time`. `assumed`: this strategy cannot determine it. Limited by `timeoutMs` and `signal`. Never rejects.
   */
  checkHealth(
    process: ManagedProcess,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HealthResult | { readonly kind: 'assumed' }>;
  /**
   * Why the restarted target is not healthy, asked once that was found; absent: nothing can be said. Takes up to some seconds.
   * Never rejects.
   */
  explain?(process: ManagedProcess, signal: AbortSignal): Promise<Explanation>;
  /** What the name stands for; absent: what `resolve` says. Never rejects. */
  means?(process: ManagedProcess, signal: AbortSignal): Promise<Meaning>;
  /**
   * Which units systemd would start, restart or stop together with the target, because of their relations; absent: none. Never
   * rejects.
   */
  alsoStarts?(process: ManagedProcess, signal: AbortSignal): Promise<AlsoStarts>;
  /** What runs under the name now; undefined if nothing does that could be looked at again. Never rejects. */
  life?(process: ManagedProcess, signal: AbortSignal): Promise<Life | undefined>;
  preview(process: ManagedProcess, signal: AbortSignal): Promise<RestartPreview>;
  /** What besides its names `findRunning` may know it by; absent: nothing. */
  marks?(process: ManagedProcess): ProgramMarks;
  /** Called now and then while all is well, so that the strategy can record how the process was started. Never rejects. */
  observe?(process: ManagedProcess, look?: TakeLook): Promise<void>;
  /**
   * The same for a unit, which queries systemd: records what has to be known when its processes have ended. Returns in how many
   * milliseconds it is to be looked at again, if that matters: it has just been started. Never rejects.
   */
  observeUnit?(process: ManagedProcess, signal: AbortSignal): Promise<number | undefined>;
  /**
   * Why the program that runs or is recorded would not be started again as things are, in one line with advice; undefined if it
   * would, or if nothing is known about it. Costs little if there is a record. Absent if the strategy starts no programs. Never
   * rejects.
   */
  concern?(process: ManagedProcess, look?: TakeLook): Promise<string | undefined>;
  /** How the program is started now, for a pin: as it runs, else as it is recorded. Absent as above. Never rejects. */
  launchesNow?(process: ManagedProcess, signal: AbortSignal): Promise<LaunchesNow>;
  /**
   * What runs of the process now, for those that wait for its end; `look` saves another look. Absent if the strategy cannot
   * find processes. Never rejects.
   */
  findRunning?(process: ManagedProcess, signal: AbortSignal, look?: TakeLook): Promise<RunningProcesses>;
  /** What else restarts the process when it ends, as the last look at it saw; absent, or undefined: nothing is known to. */
  supervisor?(process: ManagedProcess): OtherSupervisor | undefined;
}

/** What an operator may pin. */
export type LaunchesNow =
  /** One record for each running copy; `running` is false if they are recorded ones. */
  | { readonly kind: 'known'; readonly records: readonly LaunchRecord[]; readonly running: boolean }
  /** The reason, in one line. */
  | { readonly kind: 'refused'; readonly reason: string };

/** What a name stands for with that strategy. Never rejects. */
export async function meaningOf(strategy: RestartStrategy, process: ManagedProcess, signal: AbortSignal): Promise<Meaning> {
  if (strategy.means !== undefined) return strategy.means(process, signal);
  const resolution = await strategy.resolve(process, signal);
  return resolution.kind === 'target' ? resolution : { kind: 'nothing' };
}

/** What strategies may use of the system. */
export interface StrategyParts {
  readonly commands: CommandRunner;
  readonly services: ServiceManager;
  readonly clock: Clock;
  readonly log: Logger;
  readonly launches: LaunchRecords;
  readonly pins: Pins;
  /** `require_pin`. */
  readonly requirePin: boolean;
  readonly roots: ProgramRoots;
  readonly unitsWithProcesses: UnitsWithProcesses;
  readonly table: ProcessTable;
  /** One look at `table`, shared by all callers at the same time. */
  readonly look: TakeLook;
  readonly programs: ProgramLauncher;
  /** Absent: each name means a program of its own. */
  readonly twins?: Twins;
}

/** What each strategy provides for the table in index.ts. */
export interface StrategyDefinition<Options> {
  /**
   * Reads this strategy's keys of `[process.NAME]`; reports problems to the reader. Called for every strategy on every section.
   */
  parse(section: SectionReader): Options;
  create(options: Options, parts: StrategyParts): RestartStrategy;
}
