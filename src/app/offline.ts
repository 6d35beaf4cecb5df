// Carries out orders while no daemon runs.
import { accessSync, constants } from 'node:fs';
import type { Orders } from '../control/orders.ts';
import type { DaemonStatus } from '../control/status.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { LastRecoveries } from '../monitor/history/last-recoveries.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import { emptyState, readState } from '../state/read-state.ts';
import { openState, StateHeldError } from '../state/state.ts';
import { whoIs } from '../system/who.ts';
import { type Core, createCore } from './app.ts';
import { bindOrders, type OrderSources } from './bind-orders.ts';
import { goneNames } from './gone-names.ts';
import type { StatusSources } from './process-status.ts';
import { lookAtWatched, type WatchedNow } from './running-now.ts';
import { readSettings, type Settings } from './settings.ts';
import { buildStatus, lookAtTargets, statusOfOne } from './status.ts';

/** Running commands and open files must end within this time, in milliseconds. */
const STOP_DEADLINE_MS = 10_000;

/** What the command line needs to carry out an order itself while no daemon runs. */
interface OfflineOptions {
  readonly configFile: string;
  readonly version: string;
  readonly log: Logger;
}

/** Reads the status from store and state, without the lock and without a change; `pid` is 0. Throws ConfigError. */
export async function offlineStatus(options: OfflineOptions): Promise<DaemonStatus> {
  const settings = readSettings(options.configFile);
  return withCore(settings, options.log, lookAtState(settings), async (core) => {
    const [now] = await Promise.all([lookAtWatched(core, LOOK_LIMIT_MS), lookAtTargets(core), core.monitor.look()]);
    // Only root can see how other users' processes were started.
    if (process.geteuid?.() === 0) await core.concerns.look(core.settings().processNames);
    const last = new LastRecoveries(core.state.lastRecoveries);
    const extras = { ...now, gone: await goneNames(core, last) };
    return buildStatus(core, last, { version: options.version, pid: 0, startedAt: null }, extras);
  });
}

/** Reads everything that is known about one process, in the same way. Throws ConfigError. */
export function offlineDetails(options: OfflineOptions, name: string): ReturnType<Orders['describe']> {
  const settings = readSettings(options.configFile);
  return withCore(settings, options.log, lookAtState(settings), async (core) => {
    const [now] = await Promise.all([lookAtWatched(core, LOOK_LIMIT_MS), core.monitor.look()]);
    if (process.geteuid?.() === 0) await core.concerns.look(core.settings().processNames);
    return (await ordersOf(core, options, now)).describe(name);
  });
}

/** How long to wait for a systemd that hangs, in milliseconds. */
const LOOK_LIMIT_MS = 5000;

/** Carries out orders that change nothing, or only the store, without the lock. Throws ConfigError. */
export function offlineLook<T>(options: OfflineOptions, use: (orders: Orders) => Promise<T>): Promise<T> {
  const settings = readSettings(options.configFile);
  return withCore(settings, options.log, lookAtState(settings), async (core) => use(await ordersOf(core, options)));
}

/**
 * Carries out orders in place of the daemon (a recovery, a hold, a breaker), holding the lock of state_dir meanwhile. Throws
 * ConfigError, or StateHeldError if a daemon runs after all.
 */
export function offlineOrders<T>(
  options: OfflineOptions,
  use: (orders: Orders, running: Pick<Core, 'abort' | 'stopping'>) => Promise<T>,
): Promise<T> {
  return withCore(readSettings(options.configFile), options.log, undefined, async (core) =>
    use(await ordersOf(core, options), core),
  );
}

/**
 * Raises or ends an alarm. Alarms are in the store, so this works even for a user who may not write to state_dir, or while a
 * daemon holds it; then only the history misses the order. Ending a kept alarm changes state_dir, and so needs the lock. Throws
 * ConfigError, or StateHeldError.
 */
export async function offlineAlarm(options: OfflineOptions, order: Parameters<Orders['alarm']>): ReturnType<Orders['alarm']> {
  const [name, clear] = order;
  const settings = readSettings(options.configFile);
  const kept = clear && isKept(settings, name);
  if (kept || isWritable(settings.monitor.stateDir)) {
    try {
      return await offlineOrders(options, (orders) => orders.alarm(...order));
    } catch (error) {
      if (kept || !(error instanceof StateHeldError)) throw error;
    }
  }
  return offlineLook(options, (orders) => orders.alarm(...order));
}

/** True if the last daemon left a kept alarm of that name. */
function isKept(settings: Settings, name: string): boolean {
  const state = lookAtState(settings);
  const kept = state.kept.get(name) !== undefined;
  state.close();
  return kept;
}

/** True if this user may write to `folder`; for root even if it does not exist yet. */
function isWritable(folder: string): boolean {
  if (process.geteuid?.() === 0) return true;
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function withCore<T>(
  settings: Settings,
  log: Logger,
  state: DaemonState | undefined,
  use: (core: Core) => Promise<T>,
): Promise<T> {
  // The lock's role is `command`: a process that finds the lock taken must not report that the daemon runs.
  const held = state ?? openState(settings.monitor.stateDir, { log, clock: systemClock, role: { kind: 'command' } });
  // Only a daemon creates a database: one created for a mistyped path would hide the mistake.
  const core = await createCore({ settings, log, state: held, makesNoDatabase: true });
  try {
    return await use(core);
  } finally {
    core.stopping.abort();
    await core.stops.stop(STOP_DEADLINE_MS);
  }
}

/** Reads the state that the last daemon left; empty if it cannot be read. */
export function lookAtState(settings: Settings): DaemonState {
  const look = readState(settings.monitor.stateDir, systemClock);
  return look.kind === 'read' ? look.state : emptyState(systemClock, look.kind === 'failed' ? look.reason : undefined);
}

async function ordersOf(core: OrderSources & StatusSources, { version }: OfflineOptions, now?: WatchedNow): Promise<Orders> {
  const last = new LastRecoveries(core.state.lastRecoveries);
  return bindOrders(core, {
    by: await whoIs({ pid: process.pid, uid: process.geteuid?.() ?? 0 }),
    daemonRuns: false,
    status: () => buildStatus(core, last, { version, pid: 0, startedAt: null }),
    statusOf: async (name) => statusOfOne(core, last, name, { ...now, gone: await goneNames(core, last), daemonRuns: false }),
    reload: async () => ({ kind: 'refused', code: 'conflict', reason: 'no daemon runs' }),
  });
}
