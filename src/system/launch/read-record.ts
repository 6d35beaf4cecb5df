// Reads from a living process how it was started.

import { isUtf8 } from 'node:buffer';
import { resolve } from 'node:path';
import { LoopPause } from '../../core/loop-pause.ts';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { hostStat } from '../files/host-path.ts';
import { hasEnded, parseAuxv, splitNul } from '../proc/parse.ts';
import { UNREAD } from '../proc/pool-files.ts';
import type { ProcessTable } from '../proc/table.ts';
import { confinementOf } from './confinement.ts';
import { argvFault, countStrings } from './executed-argv.ts';
import { asScript } from './script-file.ts';
import { readSurroundings } from './surroundings.ts';

/** How a living process was started, or one line why that is not known or must not be repeated. */
type LaunchReading =
  | { readonly kind: 'read'; readonly record: LaunchRecord }
  /** `confined`: it may be known how, but it must not be repeated. `passing`: another look may succeed. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly confined?: boolean; readonly passing?: boolean };

/**
 * Reads how the process was started. The user is its real user. The process is unusable if the program was executed with more
 * rights than its caller had (set-user-id and similar): arguments and environment are then the caller's, and starting it again
 * with its rights would give those to the caller. It is also unusable if the program wrote another title over its arguments, if
 * arguments (2 MiB) or environment (1 MiB) are longer than we read or have more than 65,536 strings, if records read before
 * have used up the same `room`, or if it is more confined than what `starter` would start (confinement.ts). Never rejects; the
 * event loop continues meanwhile.
 */
export async function readLaunchRecord(
  table: ProcessTable,
  pid: number,
  starter: number,
  room = new RecordRoom(),
): Promise<LaunchReading> {
  const before = table.read(pid, ['startTime', 'uids', 'kernelThread']);
  const process = table.read(pid, FIELDS);
  if (before === undefined || process === undefined) return ENDED;
  if (before.kernelThread) return unusable('it is a kernel thread');
  const { memory } = table;
  // Confinement is checked first: no other fact about the process, and no amount of data, makes it less confined.
  const confinement = confinementOf(table, pid, starter) ?? ownRoot(process.root);
  if (confinement !== undefined) {
    const now = table.read(pid, ['startTime', 'state', 'threads']);
    const isThere = now !== undefined && now.startTime === before.startTime && !hasEnded(now);
    return isThere ? { ...unusable(confinement), confined: true } : ENDED;
  }
  if (room.isFull) return unusable('arguments and environments of its copies take more than 8 MiB together');
  const auxiliary = await readAuxiliary(table, pid);
  const argvBytes = await memory.whole(pid, 'cmdline', ARGV_LIMIT);
  if (argvBytes === 'longer') return unusable('its command line is longer than 2 MiB');
  const environmentBytes = await memory.whole(pid, 'environ', ENVIRONMENT_LIMIT);
  if (environmentBytes === 'longer') return unusable('its environment is longer than 1 MiB');
  // What is not known may be what must not be done.
  if (auxiliary === UNREAD || argvBytes === UNREAD || environmentBytes === UNREAD)
    return { ...unusable('it cannot be read now: its memory is locked'), confined: true, passing: true };
  const surroundings = readSurroundings(table, pid);
  // An exec or a change of user in between would combine one program's environment with another one's rights.
  const isArgvSame = argvBytes !== undefined && (await memory.isStill(pid, 'cmdline', argvBytes));
  const after = table.read(pid, ['startTime', 'uids', 'executable', 'state', 'threads']);
  if (after === undefined || hasEnded(after)) return ENDED;
  const { executable, cwd, root, uids, gids, groups } = process;
  if (executable === undefined || cwd === undefined || environmentBytes === undefined || root === undefined) {
    return unusable('its executable, directory or environment cannot be read');
  }
  if (!argvBytes?.length || uids === undefined || gids === undefined || groups === undefined) {
    return unusable('its command line cannot be read');
  }
  const isSame = process.executable === after.executable && isArgvSame;
  if (key(before) !== key(process) || key(process) !== key(after) || !isSame) {
    return { ...unusable('it changed while it was read'), passing: true };
  }
  if (auxiliary === undefined) return unusable('the rights that it was executed with cannot be read');
  if (auxiliary.secure || (auxiliary.uid !== 0 && auxiliary.uid !== uids.real)) {
    return unusable('it was executed with more rights than its caller had');
  }
  if ([argvBytes, environmentBytes].some((bytes) => countStrings(bytes) > MOST_STRINGS))
    return unusable('it has more than 65,536 arguments or variables');
  if (!isUtf8(argvBytes)) return unusable('its command line is not UTF-8');
  const pause = new LoopPause();
  const fault = argvFault(table, pid, { argvBytes, environmentBytes, name: process.name, executable, cwd });
  if (fault !== undefined) return unusable(fault);
  if (pause.isDue) await pause.take();
  const argv = splitNul(argvBytes.toString());
  if (pause.isDue) await pause.take();
  const environment = splitNul(environmentBytes.toString());
  if (pause.isDue) await pause.take();
  const folder = folderOf(table, pid, cwd, environment);
  if (folder === undefined)
    return unusable(`its working directory ${cwd} ${hostStat(cwd) === 'unknown' ? 'cannot be examined' : 'is gone'}`);
  const program = asScript(process.name, argv, folder) ?? {
    argv,
    executable: calledFile(table, pid, argv, folder) ?? executable,
  };
  room.take(argvBytes.length + environmentBytes.length, argv.length + environment.length);
  const rights = { uid: uids.real, gid: gids.real, groups };
  return {
    kind: 'read',
    record: { ...program, cwd: folder, environment: environment.filter(isVariable), ...rights, unconfined: true, surroundings },
  };
}

/**
 * Returns the executable by the path that it was called with, so that a link that is moved to another release is followed;
 * undefined if that is not the same file.
 */
function calledFile(table: ProcessTable, pid: number, [called = '']: readonly string[], folder: string): string | undefined {
  const path = resolve(folder, called);
  return called.includes('/') && table.executes(pid, path) ? path : undefined;
}

function ownRoot(root: string | undefined): string | undefined {
  return root === undefined || root === '/' ? undefined : `it runs in a root directory of its own (${root})`;
}

const FIELDS = ['name', 'startTime', 'executable', 'cwd', 'root', 'uids', 'gids', 'groups'] as const;

/**
 * Returns the directory as the program itself calls it ($PWD), so that a link that is moved to another release is followed;
 * else as the kernel does. Undefined if neither leads to the directory: it was removed, and what is in its place now may be
 * anybody's link.
 */
function folderOf(table: ProcessTable, pid: number, cwd: string, environment: readonly string[]): string | undefined {
  return [callsItsFolder(environment), cwd].find((path) => path?.startsWith('/') && table.isSame(pid, 'cwd', path));
}

/**
 * Returns what the kernel gave the process when it was executed. UNREAD if it cannot be read now, undefined if it can never be
 * read. Never rejects.
 */
export async function readAuxiliary(table: ProcessTable, pid: number): Promise<ReturnType<typeof parseAuxv> | typeof UNREAD> {
  const auxv = await table.memory.whole(pid, 'auxv', AUXV_LIMIT);
  if (auxv === UNREAD) return UNREAD;
  return auxv === undefined || auxv === 'longer' ? undefined : parseAuxv(auxv);
}

/** Returns $PWD of an environment; undefined if it is not set. */
export function callsItsFolder(environment: readonly string[]): string | undefined {
  return environment.find((variable) => variable.startsWith('PWD='))?.slice('PWD='.length);
}

/**
 * Limits how much the records of one program's copies, which are read one after another, may take together. The first is read
 * in any case.
 */
export class RecordRoom {
  #left = 8 * 1024 * 1024;

  get isFull(): boolean {
    return this.#left <= 0;
  }

  /** Counts one record of that many bytes and strings. */
  take(bytes: number, strings: number): void {
    this.#left -= bytes + strings * BYTES_A_STRING;
  }
}

/** Roughly what each string takes in addition to its own bytes. */
const BYTES_A_STRING = 32;

/** A longer command line is not cut but refused: it would be started with half of its arguments. */
const ARGV_LIMIT = 2 * 1024 * 1024;
const ENVIRONMENT_LIMIT = 1024 * 1024;
/** Written by the kernel itself. */
const AUXV_LIMIT = 64 * 1024;

/**
 * The limit for each of the two: more strings would take too long, which delays everything else, and no long-running program
 * has them.
 */
const MOST_STRINGS = 65_536;

const ENDED: LaunchReading = { kind: 'unusable', reason: 'it ended meanwhile', passing: true };

function unusable(reason: string): LaunchReading & { readonly kind: 'unusable' } {
  return { kind: 'unusable', reason };
}

function key(process: { readonly startTime: number; readonly uids?: { readonly real: number } }): string {
  return `${process.startTime} ${process.uids?.real}`;
}

/** A program may have overwritten its environment too: strings that are no longer variables are left out. */
function isVariable(text: string): boolean {
  return /^[^=]+=/.test(text) && !text.includes('\ufffd');
}
