// Composes store, state and monitor.
import { type Clock, systemClock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { EventBus } from '../core/events.ts';
import { StopStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/logger.ts';
import { CheckWatch } from '../detectors/check-watch.ts';
import type { ConfiguredChecks } from '../detectors/checks/checks.ts';
import { ExitWatch, type WatchConfig } from '../detectors/exit-watch.ts';
import { WatchedLives } from '../detectors/watched-lives.ts';
import { createMonitor, type MonitorGraph } from '../monitor/create-monitor.ts';
import type { CurrentConfig, MonitorConfig } from '../monitor/current-config.ts';
import { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import { recordHistory } from '../monitor/history/record.ts';
import { recordResults } from '../monitor/history/results.ts';
import { recordTimeline } from '../monitor/history/timeline.ts';
import { Incidents } from '../monitor/incidents/incidents.ts';
import { heardStore } from '../monitor/poll/heard-store.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import { openState } from '../state/state.ts';
import type { AlarmStore } from '../stores/store.ts';
import { Concerns } from '../strategies/concerns.ts';
import type { Plans } from '../strategies/recovery-plan.ts';
import { createExecution, type Execution } from '../system/execution.ts';
import { FileHelpers } from '../system/helpers/file-helpers.ts';
import { NameResolver } from '../system/names/resolver.ts';
import { sharedLooks } from '../system/proc/look.ts';
import { ProcessTable } from '../system/proc/table.ts';
import { reportOutput } from './command-log.ts';
import { networkWorker } from './network-worker.ts';
import { rowScope, type Settings } from './settings.ts';

/** What the composition root needs. */
interface CoreOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** State that is already open, if the caller is not a daemon; then no lock is taken. */
  readonly state?: DaemonState;
  /** true: a missing database is reported as a fault; else the store creates it if it can. */
  readonly makesNoDatabase?: boolean;
  readonly clock?: Clock;
  /** Resolves host names; by default as this machine is configured. */
  readonly names?: NameResolver;
  readonly heartbeatMs?: number;
  readonly onHeartbeat?: () => void;
}

/**
 * Store, state and monitor, put together. The daemon, the demo and a single recovery from the command line are built on it.
 * Everything that opens registers its stop step with `stops`.
 */
export interface Core extends Omit<MonitorGraph, 'interruptedRuns'> {
  readonly settings: () => Settings;
  readonly store: () => AlarmStore;
  readonly plans: () => Plans;
  readonly state: DaemonState;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly execution: Execution;
  readonly names: NameResolver;
  readonly config: { current(): Configuration };
  readonly exits: ExitWatch;
  readonly checks: CheckWatch;
  readonly lives: WatchedLives;
  readonly lastRecoveries: LastRecoveries;
  readonly concerns: Concerns;
  readonly stops: StopStack;
  /** No new work once aborted. */
  readonly stopping: AbortController;
  /** Running commands are killed once aborted. */
  readonly abort: AbortController;
  /** Applies a new configuration from the next poll on; a recovery that is under way keeps its plan. Calls must not overlap. */
  readonly adopt: (next: Settings) => Promise<void>;
}

/**
 * Opens state and store and builds the monitor on them; throws StateHeldError if another daemon holds the state_dir. What was
 * opened before a failure is closed again.
 */
export async function createCore(options: CoreOptions): Promise<Core> {
  const stops = new StopStack();
  try {
    return await compose(options, stops);
  } catch (error) {
    // Only the failure itself is reported.
    await stops.stop(ROLLBACK_MS).catch(() => undefined);
    throw error;
  }
}

const ROLLBACK_MS = 5000;

async function compose(options: CoreOptions, stops: StopStack): Promise<Core> {
  const { log } = options;
  const clock = options.clock ?? systemClock;
  const state =
    options.state ??
    openState(options.settings.monitor.stateDir, {
      log,
      clock,
      role: { kind: 'daemon', socket: options.settings.control.socket },
    });
  stops.push('state', () => state.close());
  const onError = (error: unknown): void => log.error(`Internal error in an observer: ${errorMessage(error)}`, { err: error });
  const events = new EventBus(clock, onError, new Incidents(state.incidents));
  const system = createExecution({ stateDir: options.settings.monitor.stateDir, log });
  const execution: Execution = { ...system, commands: reportOutput(system.commands, log, events) };
  const table = new ProcessTable();
  const look = sharedLooks(table);
  const { launches, pins, roots, unitsWithProcesses } = state;
  const names = options.names ?? new NameResolver();
  const strategyParts = { ...execution, clock, log, launches, pins, roots, unitsWithProcesses, table, look };
  const config = new RunningConfig();
  const worker = networkWorker({ events, execution, clock, log });
  stops.push('worker', () => worker.stop());
  const files = new FileHelpers(clock);
  const programs = { ...strategyParts, requirePin: false };
  const targets = { ...execution, names, clock, look, files, worker, programs };
  const checks = new CheckWatch({ config, targets, records: state.checkStates, clock, events, log });
  const planParts = { ...strategyParts, names, furtherChecks: checks.ofFailing };
  const stopping = new AbortController();
  const abort = new AbortController();
  const lives = new WatchedLives(state.lives, clock);
  const exits = new ExitWatch({ config, lives, services: execution.services, clock, events, log });
  const graph = createMonitor({
    config,
    state,
    clock,
    events,
    log,
    commands: execution.commands,
    follower: {
      afterRecovery: (processName, target, hasSucceeded) => {
        exits.afterRecovery(processName, target, hasSucceeded);
        checks.afterRecovery(processName);
      },
    },
    stopping: stopping.signal,
    abort: abort.signal,
    onHeartbeat: () => {
      options.onHeartbeat?.();
      state.timeline.beat(clock.date());
    },
    heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
  });
  const { interruptedRuns, monitor } = graph;

  const warn = (text: string): void => log.warning(`Database: ${text}`);
  const open = async ({ database, ...next }: Settings): Promise<AlarmStore> => {
    const scope = rowScope({ database, ...next });
    const opening = options.makesNoDatabase ? database.openExisting(scope, warn) : database.open(scope, warn);
    return heardStore(await opening, clock, monitor);
  };
  const load = async (settings: Settings, store?: AlarmStore): Promise<void> =>
    config.replace({ settings, plans: settings.createPlans(planParts), store: store ?? (await open(settings)) });
  await load(options.settings);
  stops.push('store', () => config.current().store.close());

  if (options.state === undefined) interruptedRuns.report();
  state.history.keep(options.settings.history);
  state.results.keep(options.settings.history);
  recordHistory(events, state.history);
  recordResults(events, state.results, (name) => graph.holds.of(name));
  recordTimeline(events, state.timeline, {
    processNames: () => config.current().processNames,
    holds: () => state.holds.list(),
    incidents: state.incidents,
  });
  const lastRecoveries = new LastRecoveries(state.lastRecoveries);
  lastRecoveries.follow(events);

  const plans = (): Plans => config.current().plans;
  return {
    ...graph,
    settings: () => config.current().settings,
    store: () => config.current().store,
    plans,
    state,
    events,
    clock,
    log,
    execution,
    names,
    config,
    lives,
    lastRecoveries,
    exits,
    checks,
    concerns: new Concerns(plans, log),
    stops,
    stopping,
    abort,
    adopt: async (next) => {
      const { settings, store } = config.current();
      const isSame =
        next.database.fingerprint === settings.database.fingerprint &&
        JSON.stringify(rowScope(next)) === JSON.stringify(rowScope(settings));
      await load(next, isSame ? store : undefined);
      state.history.keep(next.history);
      state.results.keep(next.history);
      graph.targets.forget();
      monitor.wake();
      if (!isSame) await store.close();
    },
  };
}

/** What a reload replaces as a whole: the settings, and what was built from them. */
interface Running {
  readonly settings: Settings;
  readonly plans: Plans;
  readonly store: AlarmStore;
}

/** The same, with the settings that the parts read. */
interface Configuration extends Running, MonitorConfig, WatchConfig, ConfiguredChecks {
  readonly plans: Plans;
}

/** Holds the configuration in force. */
class RunningConfig implements CurrentConfig {
  #current: Configuration | undefined;

  /** Throws before the first `replace`. */
  current(): Configuration {
    if (this.#current === undefined) throw new Error('the configuration is used before it is loaded');
    return this.#current;
  }

  replace(running: Running): void {
    const { monitor, processNames, watchedNames, bootGracesMs, checks, checkConcurrency } = running.settings;
    const observes = monitor.mode === 'observe';
    this.#current = { ...running, monitor, processNames, watchedNames, bootGracesMs, checks, checkConcurrency, observes };
  }
}

/** Milliseconds between heartbeats if no watchdog asks for more. */
const DEFAULT_HEARTBEAT_MS = 60_000;
