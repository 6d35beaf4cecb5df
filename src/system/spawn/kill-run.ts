// Ends all processes of one command.
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../proc/parse.ts';
import { signalProcess } from '../proc/signal.ts';
import { type ProcessInfo, ProcessTable } from '../proc/table.ts';

/** The processes that one command started. */
interface Run {
  /** The command's own process, the leader of its session and process group. */
  readonly pid: number;
  /** Its start time (ProcessIdentity); undefined if it could not be read. */
  readonly startTime: number | undefined;
  /** MONITOR_RUN_ID in its environment; undefined if it has none. */
  readonly runId: string | undefined;
}

/**
 * Ends all processes of a run: TERM, then KILL for those that are left after `graceMs` (default 2 s). These are its process
 * group and session, all descendants, and every process with its MONITOR_RUN_ID: even a grandchild that called setsid(2) and
 * lost its parent. Returns when none is found any more; a process that the kernel does not let die is given up. Never rejects.
 */
export async function killRun(run: Run, graceMs: number = GRACE_MS): Promise<void> {
  const table = new ProcessTable();
  let found = await findRun(table, run, []);
  signalRun(table, run, found, 'SIGTERM');
  const graceEnd = performance.now() + graceMs;
  while (performance.now() < graceEnd && found.some((process) => table.exists(process))) await delay(POLL_MS);
  // Found again each time: a process may have forked between our look and our signal.
  for (let round = 0; round < KILL_ROUNDS; round++) {
    found = await findRun(table, run, found);
    if (found.length === 0) return;
    signalRun(table, run, found, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** Kills what is left of a process group; does nothing if it is empty. */
export function killGroup(groupId: number): void {
  signalGroup(groupId, 'SIGKILL');
}

const GRACE_MS = 2000;
const POLL_MS = 20;
const KILL_ROUNDS = 100;

const FIELDS = ['startTime', 'state', 'threads', 'ppid', 'pgid', 'sid'] as const;
type Relative = ProcessInfo<(typeof FIELDS)[number]>;

/** The processes of the run that have not ended; `known` are those found earlier, whose descendants count too. */
async function findRun(table: ProcessTable, run: Run, known: readonly Relative[]): Promise<Relative[]> {
  const processes = (await table.survey(FIELDS)).filter((process) => !hasEnded(process));
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const isGroupOurs = !isLeaderReplaced(table, run);
  const ours = new Set<number>();
  for (const { pid, startTime } of known) if (byPid.get(pid)?.startTime === startTime) ours.add(pid);
  const inGroup = ({ pid, pgid, sid }: Relative): boolean =>
    isGroupOurs && (pid === run.pid || pgid === run.pid || sid === run.pid);
  for (const process of processes) if (inGroup(process)) ours.add(process.pid);
  if (run.runId !== undefined) {
    const others = processes.filter(({ pid }) => !ours.has(pid));
    for (const { pid } of await table.withVariable(others, 'MONITOR_RUN_ID', run.runId)) ours.add(pid);
  }
  // We may be a daemon that the command itself started: then neither we nor our other commands may be killed.
  const spared = new Set(lineage(process.pid, byPid));
  return processes.filter(({ pid }) => {
    const line = lineage(pid, byPid);
    const ancestor = line.findIndex((at) => ours.has(at));
    return ancestor >= 0 && !line.slice(0, ancestor + 1).some((at) => spared.has(at));
  });
}

/** The number of a group or session can be used again only once the group is empty: then it is not this run's any more. */
function isLeaderReplaced(table: ProcessTable, run: Run): boolean {
  const leader = table.read(run.pid, ['startTime']);
  return leader !== undefined && leader.startTime !== run.startTime;
}

/** The process itself, its parent, and so on to the root. */
function lineage(pid: number, byPid: ReadonlyMap<number, Relative>): number[] {
  const line = new Set<number>();
  for (let at = byPid.get(pid); at !== undefined && !line.has(at.pid); at = byPid.get(at.ppid)) line.add(at.pid);
  return [...line];
}

function signalRun(table: ProcessTable, run: Run, found: readonly Relative[], name: 'SIGTERM' | 'SIGKILL'): void {
  // The whole group in one call, whatever it has forked since we looked, and even if /proc hides it from us.
  if (!isLeaderReplaced(table, run)) signalGroup(run.pid, name);
  for (const process of found) if (process.pgid !== run.pid) signalProcess(table, process, constants.signals[name]);
}

function signalGroup(groupId: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-groupId, name);
  } catch {
    // The group is empty, or we may not signal it.
  }
}
