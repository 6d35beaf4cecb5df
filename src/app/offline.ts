import type { DaemonStatus, Orders } from '../control/orders.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import { emptyState, readState } from '../state/read-state.ts';
import { openState } from '../state/state.ts';
import { type Core, createCore } from './app.ts';
import { bindOrders } from './bind-orders.ts';
import { LastRecoveries } from './last-recoveries.ts';
import { readSettings, type Settings } from './settings.ts';
import { buildStatus } from './status.ts';

/** Running commands and open files are given this long at the end. */
const STOP_DEADLINE_MS = 10_000;

/** What the command line does itself while no daemon runs. */
export interface OfflineOptions {
  readonly configFile: string;
  readonly version: string;
  readonly log: Logger;
}

/** Status from store and state, without the lock and without a change; `pid` is 0. Throws ConfigError. */
export async function offlineStatus(options: OfflineOptions): Promise<DaemonStatus> {
  const settings = readSettings(options.configFile);
  return withCore(settings, options.log, lookAtState(settings), async (core) => {
    await core.monitor.look();
    // Of others' processes only root sees how they were started.
    if (process.geteuid?.() === 0) await core.concerns.look(core.settings().processNames);
    const last = new LastRecoveries();
    last.load(core.state.history);
    return buildStatus(core, last, { version: options.version, pid: 0, startedAt: null });
  });
}

/** Orders that change nothing but the store or nothing at all (alarm, preview): no lock is taken. Throws ConfigError. */
export function offlineLook<T>(options: OfflineOptions, use: (orders: Orders) => Promise<T>): Promise<T> {
  const settings = readSettings(options.configFile);
  return withCore(settings, options.log, lookAtState(settings), (core) => use(ordersOf(core, options)));
}

/**
 * Orders that need the daemon's place (a recovery, a hold, a breaker): the state_dir's lock is taken for their time. Throws
 * ConfigError, or StateHeldError where a daemon runs all the same.
 */
export function offlineOrders<T>(options: OfflineOptions, use: (orders: Orders, core: Core) => Promise<T>): Promise<T> {
  return withCore(readSettings(options.configFile), options.log, undefined, (core) => use(ordersOf(core, options), core));
}

/** True where the daemon that last ran keeps an alarm of that name. Throws ConfigError. */
export function isKeptOffline({ configFile }: OfflineOptions, name: string): boolean {
  const state = lookAtState(readSettings(configFile));
  const kept = state.kept.get(name) !== undefined;
  state.close();
  return kept;
}

async function withCore<T>(
  settings: Settings,
  log: Logger,
  state: DaemonState | undefined,
  use: (core: Core) => Promise<T>,
): Promise<T> {
  // Whoever finds the place taken meanwhile is not to be told that the daemon runs.
  const held = state ?? openState(settings.monitor.stateDir, { log, clock: systemClock, role: { kind: 'command' } });
  const core = await createCore({ settings, log, state: held });
  try {
    return await use(core);
  } finally {
    core.stopping.abort();
    await core.stops.stop(STOP_DEADLINE_MS);
  }
}

/** What the daemon that last ran remembers; nothing where that cannot be read. */
export function lookAtState(settings: Settings): DaemonState {
  const look = readState(settings.monitor.stateDir, systemClock);
  return look.kind === 'read' ? look.state : emptyState(systemClock);
}

function ordersOf(core: Core, { version }: OfflineOptions): Orders {
  const last = new LastRecoveries();
  last.load(core.state.history);
  return bindOrders(core, {
    status: () => buildStatus(core, last, { version, pid: 0, startedAt: null }),
    reload: async () => ({ kind: 'refused', code: 'conflict', reason: 'no daemon runs' }),
  });
}
