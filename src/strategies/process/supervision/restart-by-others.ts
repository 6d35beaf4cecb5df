import type { Clock } from '../../../core/clock.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';
import type { ProcessTree } from '../identity/identity.ts';

/**
 * The system unit that may restart its program: the one that the tree's root runs in; undefined if we made it, or there is
 * none.
 */
export function unitOf(table: ProcessTable, { root }: ProcessTree): string | undefined {
  return restartedUnit(table.read(root.pid, ['unit'])?.unit ?? '');
}

/** The system unit that a process runs in, even if we started it there; undefined if it is the unit that `ownPid` runs in. */
export function unitAround(table: ProcessTable, pid: number, ownPid: number): string | undefined {
  const [unit, own] = [pid, ownPid].map((each) => systemService(table.read(each, ['unit'])?.unit ?? ''));
  return unit === own ? undefined : unit;
}

/** Undefined for units that systemd never starts again: scopes, users' managers, and units that we made. */
function restartedUnit(unit: string): string | undefined {
  return unit.startsWith('monitor_service') ? undefined : systemService(unit);
}

function systemService(unit: string): string | undefined {
  return unit.endsWith('.service') && !unit.startsWith('user@') ? unit : undefined;
}

/**
 * Waits while others may be about to start the program again, of which nothing runs: as long as `leftMs` returns more than 0,
 * and 1.5 s for the systemd units `units`, or 30 s if one of them is being restarted. True as soon as `runs` says that it runs
 * again; false if nobody starts it.
 */
export async function restartedByOthers(
  units: readonly string[],
  leftMs: () => number,
  runs: () => boolean | Promise<boolean>,
  { services, clock }: { readonly services: ServiceManager; readonly clock: Clock },
  signal: AbortSignal,
): Promise<boolean> {
  const begun = clock.monotonicMs();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    if (await runs()) return true;
    if (signal.aborted) return false;
    const othersMs = leftMs();
    const unitsMs = units.length === 0 ? 0 : await unitsLeftMs(units, clock.monotonicMs() - begun, services, signal);
    // While systemd was queried it may have been started again.
    if (othersMs <= 0 && unitsMs <= 0) return units.length > 0 && runs();
    await clock.sleep(Math.min(pauseMs, Math.max(othersMs, unitsMs)), signal);
  }
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 500;
const SHORT_MS = 1500;
const RESTARTING_MS = 30_000;

async function unitsLeftMs(
  units: readonly string[],
  waitedMs: number,
  services: ServiceManager,
  signal: AbortSignal,
): Promise<number> {
  if (waitedMs < SHORT_MS) return SHORT_MS - waitedMs;
  return waitedMs < RESTARTING_MS && (await isRestarting(units, services, signal)) ? RESTARTING_MS - waitedMs : 0;
}

async function isRestarting(units: readonly string[], services: ServiceManager, signal: AbortSignal): Promise<boolean> {
  for (const unit of units) {
    if (!services.available) return false;
    const shown = await services.show(unit, signal);
    if (shown.kind === 'status' && ['activating', 'deactivating'].includes(shown.status.activeState)) return true;
  }
  return false;
}
