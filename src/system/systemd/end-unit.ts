import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { groupOfService, pidsOfGroup } from '../proc/group-members.ts';
import { hasEnded } from '../proc/parse.ts';
import { signalProcess } from '../proc/signal.ts';
import { type ProcessIdentity, type ProcessInfo, ProcessTable } from '../proc/table.ts';
import { runJob } from './jobs.ts';
import type { Pid1 } from './pid1.ts';

/**
 * Ends all processes of a unit: systemd sends TERM and KILL as the unit is configured, and KILL to what that leaves
 * (KillMode=process). Returns when the unit has no process left (emptyUnit). Never rejects.
 */
export async function endUnit(pid1: Pid1, unit: string): Promise<void> {
  const answer = await pid1.withLink({ timeoutMs: PATIENCE_MS, alive: true }, async () => {});
  if (answer.kind === 'unreachable') {
    // A hanging systemd enforces no limit, but ours still holds. It gets the order to clean up when it answers again.
    await killInside(unit);
    void runJob(pid1, 'stop', unit, END_LIMIT);
    return emptyUnit(unit);
  }
  await runJob(pid1, 'stop', unit, END_LIMIT);
  await pid1.withLink(END_LIMIT, (link) =>
    link.call({ member: 'KillUnit', signature: 'ssi', values: [unit, 'all', SIGKILL] }, END_LIMIT),
  );
  await emptyUnit(unit);
}

/**
 * Stops a service in system.slice and frees its name. A unit keeps its name while it is active, even without a process, and after it
 * has failed. Returns undefined if there is none, or once none of its processes runs; else one line that says that it still runs, and
 * why. Never rejects.
 */
export async function retireUnit(
  pid1: Pid1,
  unit: string,
  limit: { timeoutMs: number; signal?: AbortSignal },
): Promise<string | undefined> {
  const stopped = await runJob(pid1, 'stop', unit, limit);
  await resetFailed(pid1, unit);
  if (await isSoonEmpty(() => pidsOfGroup(groupOfService(unit)))) return undefined;
  return `${unit} still runs${stopped.kind === 'failed' ? `: ${stopped.reason}` : ''}`;
}

/** Resets the failed state of a unit. Does nothing if the unit has not failed. Never rejects. */
export async function resetFailed(pid1: Pid1, unit: string): Promise<void> {
  const limit = { timeoutMs: ANSWER_LIMIT_MS };
  await pid1.withLink(limit, (link) => link.call({ member: 'ResetFailedUnit', signature: 's', values: [unit] }, limit));
}

/**
 * Waits until none of a unit's processes runs: systemd reports that it has sent a SIGKILL, and the kernel carries it out a
 * moment later. Kills what still runs after 2 s. Gives up on what the kernel does not let die after 2 s more. Never rejects.
 */
export async function emptyUnit(unit: string, table = new ProcessTable()): Promise<void> {
  for (const kill of [true, false]) {
    if (await isSoonEmpty(() => inside(table, unit))) return;
    if (kill) await killInside(unit, table);
  }
}

/** Whether none is found within 2 s: the kernel carries out a SIGKILL a moment after systemd has reported the end. */
async function isSoonEmpty(find: () => readonly unknown[] | Promise<readonly unknown[]>): Promise<boolean> {
  const endMs = performance.now() + DEATH_LIMIT_MS;
  while ((await find()).length > 0) {
    if (performance.now() >= endMs) return false;
    await delay(DEATH_POLL_MS);
  }
  return true;
}

async function killInside(unit: string, table = new ProcessTable()): Promise<void> {
  for (const process of await inside(table, unit)) signalProcess(table, process, SIGKILL);
}

/**
 * Returns the unit's processes that still run. A user's own systemd may have units with the same names: they are not the
 * system's.
 */
async function inside(table: ProcessTable, unit: string): Promise<ProcessIdentity[]> {
  const isInside = (process: ProcessInfo<(typeof INSIDE_FIELDS)[number]>): boolean =>
    !hasEnded(process) && process.unit === unit;
  return (await table.survey(INSIDE_FIELDS)).filter(isInside);
}

const { SIGKILL } = constants.signals;
const PATIENCE_MS = 2000;
const END_LIMIT = { timeoutMs: 15_000 };
const ANSWER_LIMIT_MS = 10_000;
const DEATH_LIMIT_MS = 2000;
const DEATH_POLL_MS = 5;
const INSIDE_FIELDS = ['unit', 'startTime', 'state', 'threads'] as const;
