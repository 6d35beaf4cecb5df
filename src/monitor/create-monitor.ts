// Builds the monitor from its parts.
import type { Clock } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import type { RecoveryFollower } from '../detectors/detector.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import type { CommandRunner } from '../system/runs/runner.ts';
import { AlarmBook } from './alarms/book.ts';
import { AlarmClearing } from './alarms/clearing.ts';
import { AlarmIntake } from './alarms/intake.ts';
import { KeptAlarms } from './alarms/kept.ts';
import { AlarmMemory } from './alarms/memory.ts';
import { Breakers } from './breaker/breakers.ts';
import type { CurrentConfig } from './current-config.ts';
import { ExitCounts } from './exit-counts.ts';
import { Foresight } from './foresight.ts';
import { handleAlarm, recoverTarget } from './handle-alarm.ts';
import { AlarmHandler } from './handler.ts';
import { Holds } from './holds.ts';
import { Monitor } from './monitor.ts';
import { StoreWatch } from './poll/store-watch.ts';
import { RaisedAlarms } from './raised-alarms.ts';
import { makeAttempts } from './recovery/attempts.ts';
import { TargetRecoveries } from './recovery/by-target.ts';
import { InterruptedRuns } from './recovery/interrupted-runs.ts';
import { OutcomeRecorder } from './recovery/outcome.ts';
import { RestartSlots } from './recovery/slots.ts';
import type { RecoveryJob } from './recovery-job.ts';
import { Targets } from './targets.ts';

/** What the monitor is built on. */
interface MonitorDeps {
  /** Not asked before the first alarm, order or poll. */
  readonly config: CurrentConfig;
  readonly state: DaemonState;
  readonly commands: CommandRunner;
  /** Looks after what was recovered. */
  readonly follower: RecoveryFollower;
  readonly clock: Clock;
  /** As Math.random, which it is unless given. */
  readonly random?: () => number;
  readonly events: EventBus;
  readonly log: Logger;
  /** No new work once it is aborted. */
  readonly stopping: AbortSignal;
  /** Running commands are killed once it is aborted. */
  readonly abort: AbortSignal;
  /** Called whenever the loop turns, at least each `heartbeatMs`. */
  readonly onHeartbeat: () => void;
  readonly heartbeatMs: number;
}

/** The parts of the monitor that others use. */
export interface MonitorGraph {
  /** Where detectors raise alarms. */
  readonly alarms: RaisedAlarms;
  readonly book: AlarmBook;
  readonly breakers: Breakers;
  readonly exitCounts: ExitCounts;
  readonly foresight: Foresight;
  readonly handler: AlarmHandler;
  readonly holds: Holds;
  readonly interruptedRuns: InterruptedRuns;
  readonly kept: KeptAlarms;
  readonly monitor: Monitor;
  readonly targets: Targets;
}

/** Builds the monitor, each part from those before it, and loads what an earlier life of the daemon saved. Starts nothing. */
export function createMonitor(deps: MonitorDeps): MonitorGraph {
  const {
    config,
    state,
    commands,
    follower,
    clock,
    events,
    log,
    stopping,
    abort,
    onHeartbeat,
    heartbeatMs,
    random = Math.random,
  } = deps;
  const { journal } = state;

  const watch = new StoreWatch({ config, clock, events, log });
  const book = new AlarmBook(new AlarmMemory({ handled: state.handled, unproved: state.unproved, clock }), clock);
  const kept = new KeptAlarms({ records: state.kept, config, watch, clock, log });
  const holds = new Holds({ records: state.holds, config, abort, clock, events, log });
  const breakers = new Breakers({ records: state.breakers, config, clock, events, log });
  const targets = new Targets({ config, clock, abort });
  const slots = new RestartSlots(() => config.current().monitor.maxConcurrentRestarts);
  const interruptedRuns = new InterruptedRuns({ journal, commands, config, log, abort });

  const recorder = new OutcomeRecorder({ book, breakers, follower, clock, events, log });
  const clearing = new AlarmClearing({ config, book, kept, clock, events, log });
  const attempts = { config, book, journal, kept, slots, commands, holds, clock, events, log, stopping, abort };
  const recovery = {
    config,
    interruptedRuns,
    breakers,
    book,
    journal,
    recorder,
    clearing,
    clock,
    events,
    log,
    abort,
    makeAttempts: (job: RecoveryJob) => makeAttempts(job, attempts),
  };
  const recoveries = new TargetRecoveries({
    config,
    book,
    breakers,
    holds,
    targets,
    recorder,
    events,
    log,
    stopping,
    abort,
    recoverTarget: (job) => recoverTarget(job, recovery),
  });

  const intake = new AlarmIntake({ config, clock, events, log });
  const handling = { config, book, holds, recoveries, recorder, clearing, clock, events, abort, log };
  const handler = new AlarmHandler({
    config,
    book,
    intake,
    clearing,
    holds,
    recoveries,
    clock,
    log,
    handleAlarm: (entry, processName) => handleAlarm(entry, processName, handling),
  });
  const foresight = new Foresight({ config, book, intake, holds, kept, recoveries });
  const monitor = new Monitor({
    config,
    book,
    watch,
    kept,
    handler,
    clearing,
    interruptedRuns,
    clock,
    events,
    random,
    stopping,
    onHeartbeat,
    heartbeatMs,
  });

  const exitCounts = new ExitCounts({ config, breakers, targets, abort });
  const alarms = new RaisedAlarms({ book, kept, monitor, handler, exits: exitCounts, events });

  breakers.load();
  interruptedRuns.load();
  return { alarms, book, breakers, exitCounts, foresight, handler, holds, interruptedRuns, kept, monitor, targets };
}
