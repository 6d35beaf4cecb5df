import type { Clock } from '../core/clock.ts';
import type { ProcessTable } from '../system/proc/table.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import type { ProcessTree } from './identity.ts';

/** Who may start a stopped program again without us: a unit of systemd's that is not ours, or a parent that outlived it. */
export interface Supervisor {
  /** `nginx.service`. */
  readonly unit: string | undefined;
  /** A parent other than the first process and ourselves. */
  readonly parent: { readonly pid: number; readonly startTime: number } | undefined;
}

/** Reads who keeps the tree's root; to be asked while it lives. */
export function supervisorOf(table: ProcessTable, { root }: ProcessTree, ownPid: number): Supervisor {
  const unit = restartedUnit(table.read(root.pid, ['unit'])?.unit ?? '');
  const parent = root.ppid > 1 && root.ppid !== ownPid ? table.read(root.ppid, ['startTime']) : undefined;
  return { unit, parent };
}

/** The system unit that a process runs in, also one that we started it in; undefined where that is the one that `ownPid` runs in. */
export function unitAround(table: ProcessTable, pid: number, ownPid: number): string | undefined {
  const [unit, own] = [pid, ownPid].map((each) => systemService(table.read(each, ['unit'])?.unit ?? ''));
  return unit === own ? undefined : unit;
}

/** Undefined for what systemd never starts again: scopes, users' managers, and units that we made. */
function restartedUnit(unit: string): string | undefined {
  return unit.startsWith('monitor_service') ? undefined : systemService(unit);
}

function systemService(unit: string): string | undefined {
  return unit.endsWith('.service') && !unit.startsWith('user@') ? unit : undefined;
}

/**
 * After a stop: waits while a supervisor may be bringing the program back, at most 30 s for a unit that systemd is restarting
 * and 1.5 s for anything else. True as soon as `runs` says that it is back; false where nobody brings it.
 */
export async function broughtBack(
  supervisors: readonly Supervisor[],
  runs: () => boolean | Promise<boolean>,
  parts: { readonly table: ProcessTable; readonly services: ServiceManager; readonly clock: Clock },
  signal: AbortSignal,
): Promise<boolean> {
  const { table, services, clock } = parts;
  const begun = clock.monotonicMs();
  for (;;) {
    if (await runs()) return true;
    const waitedMs = clock.monotonicMs() - begun;
    const alive = supervisors.some(({ unit, parent }) => unit !== undefined || (parent !== undefined && table.exists(parent)));
    if (signal.aborted || !alive || waitedMs >= UNIT_WAIT_MS) return false;
    if (waitedMs >= PARENT_WAIT_MS && !(await isRestarting(supervisors, services, signal))) return runs();
    await clock.sleep(LOOK_MS, signal);
  }
}

const PARENT_WAIT_MS = 1500;
const UNIT_WAIT_MS = 30_000;
const LOOK_MS = 100;

async function isRestarting(
  supervisors: readonly Supervisor[],
  services: ServiceManager,
  signal: AbortSignal,
): Promise<boolean> {
  for (const { unit } of supervisors) {
    if (unit === undefined || !services.available) continue;
    const shown = await services.show(unit, signal);
    if (shown.kind === 'status' && ['activating', 'deactivating'].includes(shown.status.activeState)) return true;
  }
  return false;
}
