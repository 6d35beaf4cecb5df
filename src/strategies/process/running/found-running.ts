import type { ProcessTable } from '../../../system/proc/table.ts';
import type { OtherSupervisor, RunningProcesses } from '../../../system/systemd/running-processes.ts';
import { programsOf } from '../identity/identity.ts';
import type { Matches } from '../identity/match.ts';
import { unitAround } from '../supervision/brought-back.ts';

/** What was found of a program, as those that wait for its end want to know it. */
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

/** Of a unit of which nothing runs, what runs in its place. */
export function standingIn(unit: RunningProcesses, standIn: RunningProcesses): RunningProcesses {
  if (unit.kind === 'unknown' || standIn.kind === 'unknown' || standIn.processes.length === 0) return unit;
  return { ...standIn, key: unit.key };
}

/** Where a strategy cannot look for anything. */
export const cannotLook: RunningProcesses = { kind: 'unknown', reason: 'its strategy has no means to tell' };
