import { isUtf8 } from 'node:buffer';
import { resolve } from 'node:path';
import { LoopPause } from '../../core/loop-pause.ts';
import type { LaunchRecord } from '../../core/program/launch-record.ts';
import { hostStat } from '../files/host-path.ts';
import { UNREAD } from '../proc/aside.ts';
import { hasEnded, parseAuxv, splitNul } from '../proc/parse.ts';
import type { ProcessTable } from '../proc/table.ts';
import { confinementOf } from './confinement.ts';
import { argvFault, countStrings } from './executed-argv.ts';
import { asScript } from './script-file.ts';
import { readSurroundings } from './surroundings.ts';

/** How a living process was started, or in one line why that cannot be told or must not be done again. */
type LaunchReading =
  | { readonly kind: 'read'; readonly record: LaunchRecord }
  /** `confined`: it may be known how, and must not be done. `passing`: another look may tell. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly confined?: boolean; readonly passing?: boolean };

/**
 * Reads how the process was started. The user is its real one, and it is unusable where the program was executed with more
 * rights than its caller had (set-user-id and the like): arguments and environment are then the caller's, and to start it again
 * with the rights it has would hand those to the caller. Unusable too where the program wrote another title over its arguments,
 * where arguments (2 MiB) or environment (1 MiB) are longer than what we read or more than 65,536, where the records read before with
 * the same `room` leave none, and where it is more confined than what `starter` would start (confinement.ts). Never rejects; the loop
 * turns meanwhile.
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
  if (before.kernelThread) return unusable('it is a thread of the kernel, and no program');
  const { memory } = table;
  // Nobody is less confined by what else is to be said of it, or by how much of it there is.
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
  // An exec or a change of user in between would join one program's environment to another one's rights.
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
    return unusable(`its working directory ${cwd} ${hostStat(cwd) === 'unknown' ? 'cannot be looked at' : 'is gone'}`);
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
 * The executable as it was called by its path, so that a link that is moved to another release is followed; undefined where that
 * is not it.
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
 * The directory as the program itself calls it ($PWD), so that a link that is moved to another release is followed; else as the kernel
 * does. Undefined where neither leads to where it is: it was removed, and what stands in its place now may be anybody's link.
 */
function folderOf(table: ProcessTable, pid: number, cwd: string, environment: readonly string[]): string | undefined {
  return [callsItsFolder(environment), cwd].find((path) => path?.startsWith('/') && table.isSame(pid, 'cwd', path));
}

/** What the kernel told the process when it was executed; UNREAD if it cannot be read now, undefined if it cannot be. Never rejects. */
export async function readAuxiliary(table: ProcessTable, pid: number): Promise<ReturnType<typeof parseAuxv> | typeof UNREAD> {
  const auxv = await table.memory.whole(pid, 'auxv', AUXV_LIMIT);
  if (auxv === UNREAD) return UNREAD;
  return auxv === undefined || auxv === 'longer' ? undefined : parseAuxv(auxv);
}

/** $PWD of an environment; undefined where it has none. */
export function callsItsFolder(environment: readonly string[]): string | undefined {
  return environment.find((variable) => variable.startsWith('PWD='))?.slice('PWD='.length);
}

/** How much the records of one program's copies, read one after another, may take together; the first is read in any case. */
export class RecordRoom {
  #left = 8 * 1024 * 1024;

  get isFull(): boolean {
    return this.#left <= 0;
  }

  /** One was read, of so many bytes and strings. */
  take(bytes: number, strings: number): void {
    this.#left -= bytes + strings * BYTES_A_STRING;
  }
}

/** What each takes beside its own bytes, about. */
const BYTES_A_STRING = 32;

/** What is longer is not cut but refused: it would be started with half of its arguments. */
const ARGV_LIMIT = 2 * 1024 * 1024;
const ENVIRONMENT_LIMIT = 1024 * 1024;
/** The kernel's own word. */
const AUXV_LIMIT = 64 * 1024;

/** Of each: more would take their time, which is all others' too, and no program that lasts has them. */
const MOST_STRINGS = 65_536;

const ENDED: LaunchReading = { kind: 'unusable', reason: 'it ended meanwhile', passing: true };

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
