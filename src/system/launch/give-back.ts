import { getPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Resource, ResourceLimit, Surroundings } from '../../core/program/launch-record.ts';
import { printable } from '../../core/text/printable.ts';
import { ProcessTable } from '../proc/table.ts';
import { shellPath } from '../spawn/shell.ts';
import type { Launch, LaunchResult } from './launcher.ts';
import { outputSteps } from './output-script.ts';
import { limitsOf, outputFile, umaskOf } from './surroundings.ts';

/** What the shell of a program's script does for its surroundings, as the program's user; less what a unit's properties do. */
export function shellSteps(surroundings: Surroundings, { isUnit }: { readonly isUnit: boolean }): string[] {
  const { umask, ignoredSignals = [] } = surroundings;
  return [
    ...(umask === undefined || isUnit ? [] : [`umask ${umask.toString(8).padStart(4, '0')}`]),
    ...(shellPath().endsWith('/bash') ? outputSteps(surroundings) : []),
    // What a shell ignores its programs ignore.
    ...(ignoredSignals.length === 0 ? [] : [`trap '' ${ignoredSignals.join(' ')}`]),
  ];
}

/**
 * What stands before a child of ours, while it has our rights still, so that it has the program's limits and nice value; each as
 * far as we may.
 */
export function resourcePrefix({ limits = {}, nice }: Surroundings): string[] {
  const more = nice === undefined ? 0 : nice - getPriority();
  const niceness = more > 0 || (more < 0 && process.geteuid?.() === 0) ? ['nice', '-n', String(more)] : [];
  // One at a time: what is refused keeps none of the others back.
  const steps = Object.entries(limits).map(([resource, { soft, hard }]) => `prlimit --pid $$ --${resource}=${soft}:${hard}`);
  if (steps.length === 0) return niceness;
  return [...niceness, shellPath(), '-c', `{ ${steps.join('; ')}; } >/dev/null 2>&1; exec "$@"`, 'sh'];
}

/** Those of the surroundings that a child of ours would not have by itself. */
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
 * The result, with what of its recorded surroundings the program that was just started has not: what we may not give, and what must
 * not be opened. Waits a little for a launcher's script that is not done yet. `told`: what is known already. Never rejects.
 */
export async function withRemarks(
  result: LaunchResult,
  { what, runId }: Launch,
  told: readonly string[] = [],
): Promise<LaunchResult> {
  if (result.kind !== 'launched') return result;
  const wanted = what.kind === 'argv' ? (what.record.surroundings ?? {}) : {};
  const remarks = [...told, ...(result.pid === undefined ? [] : await missing(result.pid, runId, wanted))];
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
  // The shell before the program has nothing in its environment.
  const isBecoming = (): boolean => table.isRunning(pid) && !table.hasVariable(pid, 'MONITOR_RUN_ID', runId);
  for (let tries = 0; tries < TRIES && lost().length > 0 && isBecoming(); tries++) await delay(TRY_MS);
  const now = limitsOf(table, pid);
  const less = Object.entries(limits).filter(([name, { hard }]) => isBelow(now[name as Resource]?.hard, hard));
  const found = table.read(pid, ['nice'])?.nice;
  // What has ended meanwhile tells nothing.
  if (found === undefined || !table.isRunning(pid)) return [];
  return [
    ...lost().map(([, name, path = '']) => `its ${name} does not go to ${printable(path)} again`),
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
