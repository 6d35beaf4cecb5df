import type { ProcessTable } from '../../../system/proc/table.ts';
import type { OtherSupervisor, RunningProcesses } from '../../../system/systemd/running-processes.ts';
import { programsOf } from '../identity/identity.ts';
import type { Matches } from '../identity/match.ts';
import { unitAround } from '../supervision/restart-by-others.ts';

/** What was found of a program, in the form for those that wait for its end. */
export function foundRunning(
  table: ProcessTable,
  key: string,
  found: Matches,
  ownPid: number,
  supervisor?: OtherSupervisor,
): RunningProcesses {
  if (found.kind === 'refused') return { kind: 'unknown', reason: found.reason };
  const processes = found.trees.flatMap(programsOf).map(({ pid, startTime }) => ({ pid, startTime }));
  const [oldest] = processes;
  const unit = oldest === undefined ? undefined : unitAround(table, oldest.pid, ownPid);
  return { kind: 'found', key, processes, unit, status: undefined, ...(supervisor && { supervisor }) };
}

/** If nothing runs of a unit: what runs in its place. */
export function standingIn(unit: RunningProcesses, standIn: RunningProcesses): RunningProcesses {
  if (unit.kind === 'unknown' || standIn.kind === 'unknown' || standIn.processes.length === 0) return unit;
  return { ...standIn, key: unit.key };
}

/** For a strategy that cannot look for processes. */
export const cannotLook: RunningProcesses = { kind: 'unknown', reason: 'its strategy cannot look for processes' };
