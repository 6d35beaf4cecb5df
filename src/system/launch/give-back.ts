// Gives a program its recorded surroundings again.

import { getPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Resource, ResourceLimit, Surroundings } from '../../core/program/launch-record.ts';
import { printable } from '../../core/text/printable.ts';
import { ProcessTable } from '../proc/table.ts';
import { shellPath } from '../spawn/shell.ts';
import type { Launch, LaunchResult } from './launcher.ts';
import { outputSteps } from './output-script.ts';
import { limitsOf, outputFile, umaskOf } from './surroundings.ts';

/**
 * Returns what the shell of a program's script does for its surroundings, as the program's user, except for what a unit's
 * properties do.
 */
export function shellSteps(surroundings: Surroundings, { isUnit }: { readonly isUnit: boolean }): string[] {
  const { umask, ignoredSignals = [] } = surroundings;
  return [
    ...(umask === undefined || isUnit ? [] : [`umask ${umask.toString(8).padStart(4, '0')}`]),
    ...(shellPath().endsWith('/bash') ? outputSteps(surroundings) : []),
    // Signals that a shell ignores are ignored by its programs too.
    ...(ignoredSignals.length === 0 ? [] : [`trap '' ${ignoredSignals.join(' ')}`]),
  ];
}

/**
 * Returns the command prefix that sets the program's limits and nice value for a child of ours, while that still has our
 * rights; each as far as we may.
 */
export function resourcePrefix({ limits = {}, nice }: Surroundings): string[] {
  const more = nice === undefined ? 0 : nice - getPriority();
  const niceness = more > 0 || (more < 0 && process.geteuid?.() === 0) ? ['nice', '-n', String(more)] : [];
  // One at a time: a refused limit does not prevent the others.
  const steps = Object.entries(limits).map(([resource, { soft, hard }]) => `prlimit --pid $$ --${resource}=${soft}:${hard}`);
  if (steps.length === 0) return niceness;
  return [...niceness, shellPath(), '-c', `{ ${steps.join('; ')}; } >/dev/null 2>&1; exec "$@"`, 'sh'];
}

/** Returns those of the surroundings that a child of ours would not have by default. */
export function needed(surroundings: Surroundings): Surroundings {
  const table = new ProcessTable();
  const { limits = {}, umask, nice, ignoredSignals, standardOutput, standardError } = surroundings;
  const wanted = Object.entries(limits);
  const ours = wanted.length === 0 ? {} : limitsOf(table, process.pid);
  const isOurs = (resource: string, { soft, hard }: ResourceLimit): boolean => {
    const limit = ours[resource as Resource];
    return limit?.soft === soft && limit.hard === hard;
  };
  const others = wanted.filter(([resource, limit]) => !isOurs(resource, limit));
  return {
    ...(others.length === 0 ? {} : { limits: Object.fromEntries(others) }),
    ...(umask === undefined || umask === umaskOf(table, process.pid) ? {} : { umask }),
    ...(nice === undefined || nice === getPriority() ? {} : { nice }),
    ...(ignoredSignals === undefined ? {} : { ignoredSignals }),
    ...(standardOutput === undefined ? {} : { standardOutput }),
    ...(standardError === undefined ? {} : { standardError }),
  };
}

/**
 * Adds to the result which recorded surroundings the started program does not have: what we may not give, and what must not be
 * opened. Waits a little for a launcher's script that has not finished yet. `known`: remarks that are already known. Never
 * rejects.
 */
export async function withRemarks(
  result: LaunchResult,
  { what, runId }: Launch,
  known: readonly string[] = [],
): Promise<LaunchResult> {
  if (result.kind !== 'launched') return result;
  const wanted = what.kind === 'argv' ? (what.record.surroundings ?? {}) : {};
  const remarks = [...known, ...(result.pid === undefined ? [] : await missing(result.pid, runId, wanted))];
  return remarks.length === 0 ? result : { ...result, remarks };
}

async function missing(
  pid: number,
  runId: string,
  { limits = {}, nice, standardOutput, standardError }: Surroundings,
): Promise<string[]> {
  const table = new ProcessTable();
  const outputs = [
    [1, 'standard output', standardOutput],
    [2, 'standard error', standardError],
  ] as const;
  const lost = () =>
    outputs.filter(([descriptor, , path]) => path !== undefined && outputFile(table, pid, descriptor) !== path);
  // The shell that precedes the program has no such variable in its environment.
  const isBecoming = (): boolean => table.isRunning(pid) && !table.hasVariable(pid, 'MONITOR_RUN_ID', runId);
  for (let tries = 0; tries < TRIES && lost().length > 0 && isBecoming(); tries++) await delay(TRY_MS);
  const now = limitsOf(table, pid);
  const less = Object.entries(limits).filter(([name, { hard }]) => isBelow(now[name as Resource]?.hard, hard));
  const found = table.read(pid, ['nice'])?.nice;
  // A process that has ended meanwhile says nothing.
  if (found === undefined || !table.isRunning(pid)) return [];
  return [
    ...lost().map(([, name, path = '']) => `its ${name} no longer goes to ${printable(path)}`),
    ...less.map(([name, { hard }]) => `its limit ${name} is ${now[name as Resource]?.hard}, not ${hard}`),
    ...(nice === undefined || found <= nice ? [] : [`its nice value is ${found}, not ${nice}`]),
  ];
}

/** Longer than a script waits for the file. */
const TRIES = 80;
const TRY_MS = 50;

function isBelow(limit: string | undefined, wanted: string): boolean {
  if (limit === undefined || limit === 'unlimited') return false;
  return wanted === 'unlimited' || BigInt(limit) < BigInt(wanted);
}
