import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../proc/parse.ts';
import { signalProcess } from '../proc/signal.ts';
import { type ProcessInfo, ProcessTable } from '../proc/table.ts';

/** Everything that one command started. */
interface Run {
  /** The command's own process: leader of its session and process group. */
  readonly pid: number;
  /** Its start time (ProcessIdentity); undefined where it could not be read. */
  readonly startTime: number | undefined;
  /** MONITOR_RUN_ID in its environment; undefined where it has none. */
  readonly runId: string | undefined;
}

/**
 * Ends all of a run: TERM, then KILL for what is left after `graceMs` (default 2 s). That is its process group and session, all
 * descendants, and whoever carries its MONITOR_RUN_ID: a grandchild that called setsid(2) and lost its parent too. Returns when
 * none is found any more; a process that the kernel does not let die is given up. Never rejects.
 */
export async function killRun(run: Run, graceMs: number = GRACE_MS): Promise<void> {
  const table = new ProcessTable();
  let found = await findRun(table, run, []);
  signalRun(table, run, found, 'SIGTERM');
  const graceEnd = performance.now() + graceMs;
  while (performance.now() < graceEnd && found.some((process) => table.exists(process))) await delay(POLL_MS);
  // Anew each time: what was found may have forked between our look and our signal.
  for (let round = 0; round < KILL_ROUNDS; round++) {
    found = await findRun(table, run, found);
    if (found.length === 0) return;
    signalRun(table, run, found, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** Kills what is left of a process group; nothing where it is empty. */
export function killGroup(groupId: number): void {
  signalGroup(groupId, 'SIGKILL');
}

const GRACE_MS = 2000;
const POLL_MS = 20;
const KILL_ROUNDS = 100;

const FIELDS = ['startTime', 'state', 'threads', 'ppid', 'pgid', 'sid'] as const;
type Relative = ProcessInfo<(typeof FIELDS)[number]>;

/** The run's processes that have not ended; `known` are those found earlier, whose descendants count too. */
async function findRun(table: ProcessTable, run: Run, known: readonly Relative[]): Promise<Relative[]> {
  const processes = (await table.survey(FIELDS)).filter((process) => !hasEnded(process));
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const groupStands = !isLeaderReplaced(table, run);
  const ours = new Set<number>();
  for (const { pid, startTime } of known) if (byPid.get(pid)?.startTime === startTime) ours.add(pid);
  const inGroup = ({ pid, pgid, sid }: Relative): boolean =>
    groupStands && (pid === run.pid || pgid === run.pid || sid === run.pid);
  for (const process of processes) if (inGroup(process)) ours.add(process.pid);
  if (run.runId !== undefined) {
    const others = processes.filter(({ pid }) => !ours.has(pid));
    for (const { pid } of await table.withVariable(others, 'MONITOR_RUN_ID', run.runId)) ours.add(pid);
  }
  // A daemon that the command itself started may be us: then neither we nor our other commands are to be killed.
  const spared = new Set(lineage(process.pid, byPid));
  return processes.filter(({ pid }) => {
    const line = lineage(pid, byPid);
    const ancestor = line.findIndex((at) => ours.has(at));
    return ancestor >= 0 && !line.slice(0, ancestor + 1).some((at) => spared.has(at));
  });
}

/** The number of a group or session is free for others only once nobody is left in it: then it is not this run's any more. */
function isLeaderReplaced(table: ProcessTable, run: Run): boolean {
  const leader = table.read(run.pid, ['startTime']);
  return leader !== undefined && leader.startTime !== run.startTime;
}

/** The process itself, its parent, and so on up. */
function lineage(pid: number, byPid: ReadonlyMap<number, Relative>): number[] {
  const line = new Set<number>();
  for (let at = byPid.get(pid); at !== undefined && !line.has(at.pid); at = byPid.get(at.ppid)) line.add(at.pid);
  return [...line];
}

function signalRun(table: ProcessTable, run: Run, found: readonly Relative[], name: 'SIGTERM' | 'SIGKILL'): void {
  // The group at one stroke, whatever it has forked since we looked, and even where /proc hides it from us.
  if (!isLeaderReplaced(table, run)) signalGroup(run.pid, name);
  for (const process of found) if (process.pgid !== run.pid) signalProcess(table, process, constants.signals[name]);
}

function signalGroup(groupId: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-groupId, name);
  } catch {
    // Nobody left in it, or not ours to signal.
  }
}
