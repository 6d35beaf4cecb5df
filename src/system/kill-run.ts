import { setTimeout as delay } from 'node:timers/promises';
import { hasInEnvironment, isRunning, listProcesses, type ProcessStat, readProcessStat } from './process-stat.ts';

/** Everything that one command started. */
export interface Run {
  /** The command's own process: leader of its session and process group. */
  readonly pid: number;
  /** Its start time (ProcessIdentity); undefined where it could not be read. */
  readonly startTime: string | undefined;
  /** MONITOR_RUN_ID in its environment; undefined where it has none. */
  readonly runId: string | undefined;
}

/**
 * Ends all of a run: TERM, then KILL for what is left after `graceMs` (default 2 s). That is its process group and session, all
 * descendants, and whoever carries its MONITOR_RUN_ID: a grandchild that called setsid(2) and lost its parent too. Returns when
 * none is found any more; a process that the kernel does not let die is given up. Never rejects.
 */
export async function killRun(run: Run, graceMs: number = GRACE_MS): Promise<void> {
  let found = findRun(run, []);
  signalRun(run, found, 'SIGTERM');
  const graceEnd = performance.now() + graceMs;
  while (performance.now() < graceEnd && found.some(isRunning)) await delay(POLL_MS);
  // Anew each time: what was found may have forked between our look and our signal.
  for (let round = 0; round < KILL_ROUNDS; round++) {
    found = findRun(run, found);
    if (found.length === 0) return;
    signalRun(run, found, 'SIGKILL');
    await delay(POLL_MS);
  }
}

/** Kills what is left of a process group; nothing where it is empty. */
export function killGroup(groupId: number): void {
  signal(-groupId, 'SIGKILL');
}

const GRACE_MS = 2000;
const POLL_MS = 20;
const KILL_ROUNDS = 100;

/** The run's processes that have not ended; `known` are those found earlier, whose descendants count too. */
function findRun(run: Run, known: readonly ProcessStat[]): ProcessStat[] {
  const processes = listProcesses();
  const byPid = new Map(processes.map((stat) => [stat.pid, stat]));
  const ours = new Set<number>();
  for (const stat of known) if (byPid.get(stat.pid)?.startTime === stat.startTime) ours.add(stat.pid);
  const groupStands = !isLeaderReplaced(run);
  const assignment = run.runId === undefined ? undefined : `MONITOR_RUN_ID=${run.runId}`;
  const protectedPids = ancestry(process.pid, byPid);
  for (const stat of processes) {
    const inGroup = groupStands && (stat.pid === run.pid || stat.groupId === run.pid || stat.sessionId === run.pid);
    if (inGroup || (assignment !== undefined && hasInEnvironment(stat.pid, assignment))) ours.add(stat.pid);
  }
  return processes.filter((stat) => descends(stat, ours, protectedPids, byPid));
}

/** The number of a group or session is free for others only once nobody is left in it: then it isn't this run's any more. */
function isLeaderReplaced(run: Run): boolean {
  const leader = readProcessStat(run.pid);
  return leader !== undefined && leader.startTime !== run.startTime;
}

/** A daemon that the command itself started (it may be us) and those it stands on are not to be killed by its own hand, nor our other commands. */
function ancestry(pid: number, byPid: ReadonlyMap<number, ProcessStat>): Set<number> {
  const pids = new Set<number>();
  for (let at = byPid.get(pid); at !== undefined && !pids.has(at.pid); at = byPid.get(at.parentPid)) pids.add(at.pid);
  return pids;
}

function descends(
  stat: ProcessStat,
  ours: ReadonlySet<number>,
  protectedPids: ReadonlySet<number>,
  byPid: ReadonlyMap<number, ProcessStat>,
): boolean {
  const seen = new Set<number>();
  for (let at: ProcessStat | undefined = stat; at !== undefined && !seen.has(at.pid); at = byPid.get(at.parentPid)) {
    if (protectedPids.has(at.pid)) return false;
    if (ours.has(at.pid)) return true;
    seen.add(at.pid);
  }
  return false;
}

function signalRun(run: Run, found: readonly ProcessStat[], name: NodeJS.Signals): void {
  // The group at one stroke, whatever it has forked since we looked, and even where /proc hides it from us.
  if (!isLeaderReplaced(run)) signal(-run.pid, name);
  for (const stat of found) {
    if (stat.groupId !== run.pid && isRunning(stat)) signal(stat.pid, name);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already, or not ours to signal.
  }
}
