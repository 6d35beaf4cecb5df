// Sees which processes run in a unit.
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

/** What is needed to see what runs in a unit. */
export type UnitProcessParts = Pick<StrategyParts, 'services' | 'table' | 'unitsWithProcesses'>;

/** What runs of a unit. */
export interface UnitLook {
  readonly kind: 'seen';
  /** The unit's state when this was seen: a moment later than the lookup. */
  readonly status: UnitStatus;
  /** The processes whose end is the unit's end: its main process; if it has none and is up, all in its cgroup, oldest first. */
  readonly processes: readonly ProcessIdentity[];
  /** It is active without a process, though it was seen with some: what it exists for has ended. */
  readonly isHollow: boolean;
}

/**
 * Sees what runs of a unit in the state `found`, and remembers that a unit which stays active without processes had some.
 * Processes of its start and the main process of a type that is active from the first moment do not count: that process may be
 * a script. Never rejects.
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
    // systemd has seen processes that have ended since, and does not know that yet.
    const hasSome = processes.length > 0 || status.subState === 'running';
    if (hasSome ? !existsForProcesses(status) : !isEmptied(status)) return seen;
    const answer = await services.program(id, signal);
    if (answer.kind === 'failed') return unanswered(id, answer.reason);
    const definition = definitionOf(answer.program.definedBy);
    if (!hasSome && !unitsWithProcesses.has(id, definition)) return seen;
    const shown = await services.show(id, signal);
    if (shown.kind === 'failed') return unanswered(id, shown.reason);
    const later = shown.status;
    if (hasSome) {
      // They belong to a stop or to another start, if one has begun since the lookup.
      if (later.activeState === 'active' && answer.program.beganMs <= changedMs) unitsWithProcesses.add(id, definition);
      return seen;
    }
    if (later.changedMs === changedMs && !later.hasJob) return { ...seen, isHollow: isEmptied(later) };
    if (round === ROUNDS) return { ...seen, status: later };
    status = later;
  }
}

/** A unit that changes faster than that is reported as it was last seen. */
const ROUNDS = 3;

/** True if the processes of a unit in this state show that the unit exists for processes. */
function existsForProcesses({ remainsAfterExit, activeState, mainPid, type }: UnitStatus): boolean {
  return remainsAfterExit && activeState === 'active' && (mainPid === 0 || !MAYBE_SCRIPTS.includes(type));
}

const MAYBE_SCRIPTS: readonly string[] = ['simple', 'exec', 'idle'];

function isEmptied({ activeState, subState, mainPid }: UnitStatus): boolean {
  return activeState === 'active' && subState === 'exited' && mainPid === 0;
}

/** `/etc/init.d/legacyd 1732197600000`, the form of UnitsWithProcesses. */
function definitionOf(file: string): string {
  try {
    return file === '' ? '' : `${file} ${Math.trunc(statSync(file).mtimeMs)}`;
  } catch {
    return '';
  }
}

/** True for a unit that is being reloaded and has no main process: the processes of the reload are in it too. */
export function isReloadedWithoutMain(status: UnitStatus): boolean {
  return status.mainPid === 0 && isReloading(status);
}

/** `reload`: what is known about a unit that is being reloaded and has no main process. */
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
  // While the reload is under way, systemd does not react to the end of its main process.
  if (reload?.lastMainPid !== undefined && !reload.outlivesMain) return [];
  const inside = await processesInGroup(table, status.controlGroup);
  if (reload?.controlPid === undefined) return inside;
  const all = new Map((await table.survey(['ppid', 'startTime'])).map((process) => [process.pid, process]));
  return inside.filter(({ pid }) => !ancestorsOf(pid, all).has(reload.controlPid ?? 0));
}

/** All processes of a unit's cgroup (UnitStatus.controlGroup), oldest first; [] if it has none. */
export async function processesInGroup(table: StrategyParts['table'], controlGroup: string): Promise<ProcessIdentity[]> {
  if (controlGroup === '') return [];
  const isInside = (cgroup: string | undefined): boolean =>
    cgroup === controlGroup || cgroup?.startsWith(`${controlGroup}/`) === true;
  return (await table.survey([...FIELDS, 'cgroup']))
    .filter((process) => !hasEnded(process) && isInside(process.cgroup))
    .sort((a, b) => a.startTime - b.startTime);
}

const FIELDS = ['startTime', 'state', 'threads'] as const;
