// Finds the processes of a start of ours by the id that is in their environment.
import process from 'node:process';
import { withDeadline } from '../../../core/deadline.ts';
import { LoopPause } from '../../../core/loop-pause.ts';
import type { RootProcess } from '../../../core/program/roots.ts';
import type { ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import type { StrategyParts } from '../../strategy.ts';
import { findOwners, isOwnedBy } from '../identity/owner.ts';
import type { ProcessOptions } from '../options.ts';

/** The fields by which a process of a run is found. */
export const KIN = ['ppid', 'kernelThread', 'startTime'] as const;

/** A process with these fields. */
export type Kin = ProcessInfo<(typeof KIN)[number]>;

/** A run, and the processes among which its own are looked for. */
interface RunSearch {
  readonly systemName: string;
  readonly runId: string;
  readonly processes: readonly Kin[];
}

/**
 * The pids of the topmost of these processes that belong to the run; of no foreign processes, which may have read its id somewhere.
 * [] if it is not known whose the program is. Never rejects.
 */
export async function topmostOfRun(
  options: ProcessOptions,
  parts: Pick<StrategyParts, 'clock' | 'launches' | 'pins' | 'roots'>,
  table: ProcessTable,
  { systemName, runId, processes }: RunSearch,
): Promise<number[]> {
  const owners = await withDeadline(parts.clock, OWNERS_MS, undefined, ({ signal }) =>
    findOwners(options, parts, systemName, signal),
  );
  if (owners.kind === 'refused') return [];
  const ownProcesses = new Map<number, number>();
  const pause = new LoopPause();
  const others = processes.filter(({ pid, kernelThread }) => !kernelThread && pid !== process.pid);
  for (const { pid, ppid, startTime } of await table.withVariable(others, 'MONITOR_RUN_ID', runId)) {
    if (pause.isDue) await pause.take();
    if (isOwnedBy(table, { pid, startTime }, owners.uids)) ownProcesses.set(pid, ppid);
  }
  return [...ownProcesses].flatMap(([pid, ppid]) => (ownProcesses.has(ppid) ? [] : [pid]));
}

/** A directory of users that does not answer must not delay a start. */
const OWNERS_MS = 2000;

/** The roots of a program that we started as these processes; those that have ended are left out. */
export function rootsOfRun(table: ProcessTable, pids: readonly number[], runId: string): RootProcess[] {
  return pids.flatMap((pid): RootProcess[] => {
    const now = table.read(pid, ['startTime', 'executable', 'uids', 'cgroup']);
    if (now === undefined) return [];
    const { startTime, executable, uids, cgroup } = now;
    const of = {
      ...(uids && { uid: uids.real }),
      ...(cgroup !== undefined && { cgroup }),
      ...(executable && { executable }),
    };
    return [{ pid, startTime, ours: true, runId, ...of }];
  });
}
