import { statSync } from 'node:fs';
import { hasEnded } from '../../system/proc/parse.ts';
import { ancestorsOf } from '../../system/proc/process-tree.ts';
import type { ProcessIdentity } from '../../system/proc/table.ts';
import type { UnitProgram, UnitStatus } from '../../system/systemd/service-manager.ts';
import { isReloading, isUp } from '../../system/systemd/unit/state.ts';
import type { StrategyParts } from '../strategy.ts';
import type { Unanswered } from './lookup.ts';
import { unanswered } from './relations/starts.ts';
import { isRestartedBySystemd } from './state.ts';

/** What of the system it takes to see what runs in a unit. */
export type UnitProcessParts = Pick<StrategyParts, 'services' | 'table' | 'unitsWithProcesses'>;

/** What runs of a unit. */
export interface UnitLook {
  readonly kind: 'seen';
  /** How the unit stood when that was seen: a moment later than it was looked up. */
  readonly status: UnitStatus;
  /** The processes whose end is the unit's: its main process; of a unit that has none and is up, all in its cgroup, the oldest first. */
  readonly processes: readonly ProcessIdentity[];
  /** It is active without a process, though it was seen to have some while it was: what it is there for has ended. */
  readonly isHollow: boolean;
}

/**
 * Sees what runs of a unit that stands as `found`, and remembers of one that stays active without processes that it had some. Those of
 * its start do not count, nor does the main process of a type that is active from its first moment on: it may be a script. Never rejects.
 */
export async function lookIntoUnit(
  { services, table, unitsWithProcesses }: UnitProcessParts,
  found: UnitStatus,
  signal: AbortSignal,
): Promise<UnitLook | Unanswered> {
  let status = found;
  for (let round = 1; ; round++) {
    const { id, changedMs } = status;
    const reload = isReloadedWithoutMain(status) ? await services.program(id, signal) : undefined;
    if (reload?.kind === 'failed') return unanswered(id, reload.reason);
    const processes = await processesOfUnit(table, status, reload?.program);
    const seen = { kind: 'seen', status, processes, isHollow: false } as const;
    // systemd has seen some that have ended since, and does not know that yet.
    const hasSome = processes.length > 0 || status.subState === 'running';
    if (hasSome ? !isTelling(status) : !isEmptied(status)) return seen;
    const told = await services.program(id, signal);
    if (told.kind === 'failed') return unanswered(id, told.reason);
    const definition = definitionOf(told.program.definedBy);
    if (!hasSome && !unitsWithProcesses.has(id, definition)) return seen;
    const shown = await services.show(id, signal);
    if (shown.kind === 'failed') return unanswered(id, shown.reason);
    const later = shown.status;
    if (hasSome) {
      // They are those of a stop or of another start, if one has begun since it was looked up.
      if (later.activeState === 'active' && told.program.beganMs <= changedMs) unitsWithProcesses.add(id, definition);
      return seen;
    }
    if (later.changedMs === changedMs && !later.hasJob) return { ...seen, isHollow: isEmptied(later) };
    if (round === ROUNDS) return { ...seen, status: later };
    status = later;
  }
}

/** What changes faster than that is told as it was seen last. */
const ROUNDS = 3;

/** True if the processes of a unit that stands so say that it is there for processes. */
function isTelling({ remainsAfterExit, activeState, mainPid, type }: UnitStatus): boolean {
  return remainsAfterExit && activeState === 'active' && (mainPid === 0 || !MAYBE_SCRIPTS.includes(type));
}

const MAYBE_SCRIPTS: readonly string[] = ['simple', 'exec', 'idle'];

function isEmptied({ activeState, subState, mainPid }: UnitStatus): boolean {
  return activeState === 'active' && subState === 'exited' && mainPid === 0;
}

/** `/etc/init.d/legacyd 1732197600000`, as UnitsWithProcesses has it. */
function definitionOf(file: string): string {
  try {
    return file === '' ? '' : `${file} ${Math.trunc(statSync(file).mtimeMs)}`;
  } catch {
    return '';
  }
}

/** True of a unit that is being reloaded and has no main process: what runs the reload is in it too. */
export function isReloadedWithoutMain(status: UnitStatus): boolean {
  return status.mainPid === 0 && isReloading(status);
}

/** `reload`: what is known of a unit that is being reloaded and has no main process. */
async function processesOfUnit(
  table: StrategyParts['table'],
  status: UnitStatus,
  reload?: UnitProgram,
): Promise<ProcessIdentity[]> {
  if (isRestartedBySystemd(status)) return [];
  if (status.mainPid > 0) {
    const main = table.read(status.mainPid, FIELDS);
    return main === undefined || hasEnded(main) ? [] : [main];
  }
  if (!isUp(status)) return [];
  // While the reload is under way, systemd does nothing about the end of its main process.
  if (reload?.lastMainPid !== undefined && !reload.outlivesMain) return [];
  const inside = await processesInGroup(table, status.controlGroup);
  if (reload?.controlPid === undefined) return inside;
  const all = new Map((await table.survey(['ppid', 'startTime'])).map((process) => [process.pid, process]));
  return inside.filter(({ pid }) => !ancestorsOf(pid, all).has(reload.controlPid ?? 0));
}

/** All processes of a unit's cgroup (UnitStatus.controlGroup), the oldest first; [] if it has none. */
export async function processesInGroup(table: StrategyParts['table'], controlGroup: string): Promise<ProcessIdentity[]> {
  if (controlGroup === '') return [];
  const isInside = (cgroup: string | undefined): boolean =>
    cgroup === controlGroup || cgroup?.startsWith(`${controlGroup}/`) === true;
  return (await table.survey([...FIELDS, 'cgroup']))
    .filter((process) => !hasEnded(process) && isInside(process.cgroup))
    .sort((a, b) => a.startTime - b.startTime);
}

const FIELDS = ['startTime', 'state', 'threads'] as const;
