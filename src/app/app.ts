import { type Clock, systemClock } from '../core/clock.ts';
import type { MonitorSettings } from '../core/config.ts';
import { errorMessage } from '../core/errors.ts';
import { EventBus } from '../core/events.ts';
import { StopStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/logger.ts';
import type { AlarmRaiser } from '../detectors/detector.ts';
import { AlarmClearing } from '../monitor/alarm-clearing.ts';
import { Breakers } from '../monitor/breakers.ts';
import { heardStore } from '../monitor/heard-store.ts';
import { Holds } from '../monitor/holds.ts';
import { KeptAlarms } from '../monitor/kept-alarms.ts';
import { Monitor } from '../monitor/monitor.ts';
import type { Plans } from '../monitor/recovery-plan.ts';
import { RecoveryQueue } from '../monitor/recovery-queue.ts';
import { RestartSlots } from '../monitor/restart-slots.ts';
import { Settlement } from '../monitor/settlement.ts';
import { Targets } from '../monitor/targets.ts';
import { Unproved } from '../monitor/unproved.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import { openState } from '../state/state.ts';
import type { AlarmStore } from '../stores/store.ts';
import { createExecution, type Execution } from '../system/execution.ts';
import { NameResolver } from '../system/names/resolver.ts';
import { sharedLooks } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import { logOutput } from './command-log.ts';
import { Concerns } from './concerns.ts';
import { ExitCounts } from './exit-counts.ts';
import { recordHistory } from './history.ts';
import { RaisedAlarms } from './raised-alarms.ts';
import { rowScope, type Settings } from './settings.ts';
import { WatchedLives } from './watched-lives.ts';

/** What the composition root is given. */
export interface CoreOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** A memory that is open already, of one who is no daemon: then no lock is taken. */
  readonly state?: DaemonState;
  /** A database that is not there is told as a fault; else it is made, where the store can. */
  readonly makesNoDatabase?: boolean;
  readonly clock?: Clock;
  /** Who finds hosts by their names; asks as this machine says unless given. */
  readonly names?: NameResolver;
  readonly heartbeatMs?: number;
  readonly onHeartbeat?: () => void;
}

/**
 * The river, put together: store, memory, monitor. The daemon, the demo and a single recovery from the command line are built
 * on it. Everything that opens registers its own end with `stops`.
 */
export interface Core {
  readonly settings: () => Settings;
  readonly store: () => AlarmStore;
  readonly plans: () => Plans;
  readonly state: DaemonState;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly execution: Execution;
  readonly names: NameResolver;
  readonly breakers: Breakers;
  readonly holds: Holds;
  readonly targets: Targets;
  readonly queue: RecoveryQueue;
  readonly monitor: Monitor;
  readonly kept: KeptAlarms;
  /** Where detectors raise alarms. */
  readonly alarms: AlarmRaiser;
  readonly lives: WatchedLives;
  readonly concerns: Concerns;
  readonly stops: StopStack;
  /** No new work once aborted. */
  readonly stopping: AbortController;
  /** Running commands are killed once aborted. */
  readonly abort: AbortController;
  /** Takes up a new configuration from the next poll on; a recovery that is under way keeps its plan. Not to be overlapped. */
  readonly adopt: (next: Settings) => Promise<void>;
}

/**
 * Opens state and store and builds the monitor on them; throws StateHeldError where another daemon has the state_dir. What was
 * opened before a failure is closed again.
 */
export async function createCore(options: CoreOptions): Promise<Core> {
  const stops = new StopStack();
  try {
    return await compose(options, stops);
  } catch (error) {
    // The failure itself is what there is to tell.
    await stops.stop(ROLLBACK_MS).catch(() => undefined);
    throw error;
  }
}

const ROLLBACK_MS = 5000;

async function compose(options: CoreOptions, stops: StopStack): Promise<Core> {
  const { log } = options;
  const clock = options.clock ?? systemClock;
  const events = new EventBus((error) => log.error(`Internal error in an observer: ${errorMessage(error)}`, { err: error }));
  let settings = options.settings;
  const monitorSettings = (): MonitorSettings => settings.monitor;
  const state =
    options.state ??
    openState(settings.monitor.stateDir, { log, clock, role: { kind: 'daemon', socket: settings.control.socket } });
  stops.push('state', () => state.close());
  const warn = (text: string): void => log.warning(`Database: ${text}`);
  const open = async (next: Settings): Promise<AlarmStore> => {
    const { database } = next;
    const unheard = options.makesNoDatabase ? database.openExisting(rowScope(next), warn) : database.open(rowScope(next), warn);
    const opened = heardStore(await unheard, clock, (error) => {
      // After a reload: what an earlier store says is no news of the present one.
      if (store === opened) monitor.doubt(error);
    });
    return opened;
  };
  let store = await open(settings);
  stops.push('store', () => store.close());
  const system = createExecution({ stateDir: settings.monitor.stateDir, log });
  const execution: Execution = { ...system, commands: logOutput(system.commands, log) };
  const table = new ProcessTable();
  const look = sharedLooks(table);
  const { launches, pins, roots, unitsWithProcesses } = state;
  const names = options.names ?? new NameResolver();
  const planParts = { ...execution, clock, log, launches, pins, roots, unitsWithProcesses, table, look, names };
  let plans = settings.createPlans(planParts);

  const stopping = new AbortController();
  const abort = new AbortController();
  const kept = new KeptAlarms({
    records: state.kept,
    store: () => store,
    storeAway: () => monitor.availability.state === 'unknown',
    mayWrite: () => settings.monitor.clearAlarm,
    clock,
    log,
  });
  const shared = { store: () => store, state, kept, clock, events, log };
  const breakers = new Breakers({ ...shared, records: state.breakers, rules: monitorSettings });
  const holds = new Holds({ ...shared, records: state.holds, plans: () => plans, abort: abort.signal });
  const clearing = new AlarmClearing({ ...shared, mayClear: () => settings.monitor.clearAlarm });
  const settlement = new Settlement({
    journal: state.journal,
    commands: execution.commands,
    plans: () => plans,
    log,
    abort: abort.signal,
  });
  const unproved = new Unproved(state.unproved, clock);
  const targets = new Targets({ plans: () => plans, sections: () => settings.processNames, clock, abort: abort.signal });
  const parts = {
    ...shared,
    targets,
    commands: execution.commands,
    slots: new RestartSlots(() => settings.monitor.maxConcurrentRestarts),
    plans: () => plans,
    observeOnly: () => settings.monitor.mode === 'observe',
    breakers,
    holds,
    clearing,
    settlement,
    unproved,
    stopping: stopping.signal,
    abort: abort.signal,
  };
  const queue = new RecoveryQueue(parts);
  const monitor = new Monitor({
    ...parts,
    queue,
    settings: monitorSettings,
    sections: () => settings.processNames,
    onHeartbeat: options.onHeartbeat ?? (() => {}),
    heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
  });
  const exits = new ExitCounts({ events, breakers, plans: () => plans, abort: abort.signal });
  exits.follow();
  breakers.load();
  settlement.load();
  if (options.state === undefined) settlement.tell();
  recordHistory(events, state.history, clock);
  const lives = new WatchedLives(state.lives, clock);
  lives.follow(events);

  return {
    settings: () => settings,
    store: () => store,
    plans: () => plans,
    state,
    events,
    clock,
    log,
    execution,
    names,
    breakers,
    holds,
    targets,
    queue,
    monitor,
    kept,
    alarms: new RaisedAlarms({ kept, monitor, queue, exits, unproved }),
    lives,
    concerns: new Concerns(() => plans, log),
    stops,
    stopping,
    abort,
    adopt: async (next) => {
      const previous = store;
      const reopened =
        next.database.fingerprint !== settings.database.fingerprint ||
        JSON.stringify(rowScope(next)) !== JSON.stringify(rowScope(settings));
      const nextPlans = next.createPlans(planParts);
      if (reopened) store = await open(next);
      plans = nextPlans;
      settings = next;
      targets.forget();
      monitor.wake();
      if (reopened) await previous.close();
    },
  };
}

/** How often the loop turns where no watchdog asks for more. */
const DEFAULT_HEARTBEAT_MS = 60_000;
