import { isUtf8 } from 'node:buffer';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LaunchRecord } from '../../core/launch-record.ts';
import { hostPath } from '../files/host-path.ts';
import { hasEnded, parseAuxv, splitNul } from '../proc/parse.ts';
import type { ProcessTable } from '../proc/table.ts';
import { confinementOf } from './confinement.ts';
import { argvFault, countStrings } from './executed-argv.ts';
import { asScript } from './script-file.ts';
import { readSurroundings } from './surroundings.ts';

/** How a living process was started, or in one line why that cannot be told or must not be done again. */
export type LaunchReading =
  | { readonly kind: 'read'; readonly record: LaunchRecord }
  /** `confined`: it may be known how, and must not be done. `passing`: another look may tell. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly confined?: boolean; readonly passing?: boolean };

/**
 * Reads how the process was started. The user is its real one, and it is unusable where the program was executed with more
 * rights than its caller had (set-user-id and the like): arguments and environment are then the caller's, and to start it again
 * with the rights it has would hand those to the caller. Unusable too where the program wrote another title over its arguments,
 * where arguments (2 MiB) or environment (1 MiB) are longer than what we read or more than 65,536, and where it is more confined than
 * what `starter` would start (confinement.ts).
 */
export function readLaunchRecord(table: ProcessTable, pid: number, starter: number): LaunchReading {
  const before = table.read(pid, ['startTime', 'uids', 'kernelThread']);
  const process = table.read(pid, FIELDS);
  const auxiliary = parseAuxv(table.bytes(pid, 'auxv') ?? Buffer.alloc(0));
  const confinement = confinementOf(table, pid, starter);
  const argvBytes = table.bytes(pid, 'cmdline', ARGV_LIMIT + 1);
  if ((argvBytes?.length ?? 0) > ARGV_LIMIT) return unusable('its command line is longer than 2 MiB');
  const environmentBytes = table.bytes(pid, 'environ', ENVIRONMENT_LIMIT + 1);
  if ((environmentBytes?.length ?? 0) > ENVIRONMENT_LIMIT) return unusable('its environment is longer than 1 MiB');
  const surroundings = readSurroundings(table, pid, starter);
  const after = table.read(pid, ['startTime', 'uids', 'executable', 'state', 'threads']);
  const argvAfter = table.bytes(pid, 'cmdline', ARGV_LIMIT + 1);
  if (before === undefined || process === undefined || after === undefined || hasEnded(after)) {
    return { ...unusable('it ended meanwhile'), passing: true };
  }
  if (before.kernelThread) return unusable('it is a thread of the kernel, and no program');
  const { executable, cwd, root, uids, gids, groups } = process;
  if (executable === undefined || cwd === undefined || environmentBytes === undefined || root === undefined) {
    return unusable('its executable, directory or environment cannot be read');
  }
  if (!argvBytes?.length || uids === undefined || gids === undefined || groups === undefined) {
    return unusable('its command line cannot be read');
  }
  // An exec or a change of user in between would join one program's environment to another one's rights.
  const isSame = process.executable === after.executable && argvAfter !== undefined && argvBytes.equals(argvAfter);
  if (key(before) !== key(process) || key(process) !== key(after) || !isSame) {
    return { ...unusable('it changed while it was read'), passing: true };
  }
  if (auxiliary === undefined) return unusable('with whose rights it was executed cannot be read');
  if (auxiliary.secure || (auxiliary.uid !== 0 && auxiliary.uid !== uids.real)) {
    return unusable('it was executed with more rights than its caller had');
  }
  if (confinement !== undefined) return { ...unusable(confinement), confined: true };
  if (root !== '/') return { ...unusable(`it runs in a root directory of its own (${root})`), confined: true };
  if ([argvBytes, environmentBytes].some((bytes) => countStrings(bytes) > MOST_STRINGS))
    return unusable('it has more than 65,536 arguments or variables');
  if (!isUtf8(argvBytes)) return unusable('its command line is not UTF-8');
  const fault = argvFault(table, pid, { argvBytes, environmentBytes, name: process.name, executable, cwd });
  if (fault !== undefined) return unusable(fault);
  const argv = splitNul(argvBytes.toString());
  const environment = splitNul(environmentBytes.toString());
  const folder = folderOf(table, pid, cwd, environment);
  if (folder === undefined)
    return unusable(`its working directory ${cwd} ${isHidden(cwd) ? 'cannot be looked at' : 'is gone'}`);
  const program = asScript(process.name, argv, folder) ?? {
    argv,
    executable: calledFile(table, pid, argv, folder) ?? executable,
  };
  const rights = { uid: uids.real, gid: gids.real, groups };
  return {
    kind: 'read',
    record: { ...program, cwd: folder, environment: environment.filter(isVariable), ...rights, unconfined: true, surroundings },
  };
}

/** The executable as it was called by its path, so that a link that is moved to another release is followed; undefined where that is not it. */
function calledFile(table: ProcessTable, pid: number, [called = '']: readonly string[], folder: string): string | undefined {
  const path = resolve(folder, called);
  return called.includes('/') && table.executes(pid, path) ? path : undefined;
}

const FIELDS = ['name', 'startTime', 'executable', 'cwd', 'root', 'uids', 'gids', 'groups'] as const;

/**
 * The directory as the program itself calls it ($PWD), so that a link that is moved to another release is followed; else as the kernel
 * does. Undefined where neither leads to where it is: it was removed, and what stands in its place now may be anybody's link.
 */
function folderOf(table: ProcessTable, pid: number, cwd: string, environment: readonly string[]): string | undefined {
  return [callsItsFolder(environment), cwd].find((path) => path?.startsWith('/') && table.isSame(pid, 'cwd', path));
}

/** True where it may well be there, and we may not know. */
function isHidden(path: string): boolean {
  try {
    return statSync(hostPath(path)) === undefined;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

/** $PWD of an environment; undefined where it has none. */
export function callsItsFolder(environment: readonly string[]): string | undefined {
  return environment.find((variable) => variable.startsWith('PWD='))?.slice('PWD='.length);
}

/** What is longer is not cut but refused: it would be started with half of its arguments. */
const ARGV_LIMIT = 2 * 1024 * 1024;
const ENVIRONMENT_LIMIT = 1024 * 1024;

/** Of each: more would take their time, which is all others' too, and no program that lasts has them. */
const MOST_STRINGS = 65_536;

function unusable(reason: string): LaunchReading & { readonly kind: 'unusable' } {
  return { kind: 'unusable', reason };
}

function key(process: { readonly startTime: number; readonly uids?: { readonly real: number } }): string {
  return `${process.startTime} ${process.uids?.real}`;
}

/** A program may have written over its environment too: what is no variable any more is left out. */
function isVariable(text: string): boolean {
  return /^[^=]+=/.test(text) && !text.includes('\ufffd');
}
