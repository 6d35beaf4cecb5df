import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LaunchRecord } from '../../core/launch-record.ts';
import { hostPath } from '../files/host-path.ts';
import { parseAuxv, splitNul } from '../proc/parse.ts';
import type { ProcessTable } from '../proc/table.ts';
import { confinementOf } from './confinement.ts';

/** How a living process was started, or in one line why that cannot be told or must not be done again. */
export type LaunchReading =
  | { readonly kind: 'read'; readonly record: LaunchRecord }
  /** `confined`: it may be known how, and must not be done. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly confined?: boolean };

/**
 * Reads how the process was started. The user is its real one, and it is unusable where the program was executed with more
 * rights than its caller had (set-user-id and the like): arguments and environment are then the caller's, and to start it again
 * with the rights it has would hand those to the caller. Unusable too where the program wrote another title over its arguments,
 * where arguments (2 MiB) or environment (1 MiB) are longer than what we read, and where it is more confined than what `starter` would
 * start (confinement.ts).
 */
export function readLaunchRecord(table: ProcessTable, pid: number, starter: number): LaunchReading {
  const before = table.read(pid, ['startTime', 'uids']);
  const process = table.read(pid, FIELDS);
  const auxiliary = parseAuxv(table.bytes(pid, 'auxv') ?? Buffer.alloc(0));
  const confinement = confinementOf(table, pid, starter);
  const argvBytes = table.bytes(pid, 'cmdline', ARGV_LIMIT + 1);
  if ((argvBytes?.length ?? 0) > ARGV_LIMIT) return unusable('its command line is longer than 2 MiB');
  const environmentBytes = table.bytes(pid, 'environ', ENVIRONMENT_LIMIT + 1);
  if ((environmentBytes?.length ?? 0) > ENVIRONMENT_LIMIT) return unusable('its environment is longer than 1 MiB');
  const after = table.read(pid, ['startTime', 'uids', 'executable']);
  const argvAfter = table.bytes(pid, 'cmdline', ARGV_LIMIT + 1);
  if (before === undefined || process === undefined || after === undefined) return unusable('it ended meanwhile');
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
    return unusable('it changed while it was read');
  }
  if (auxiliary === undefined || auxiliary.secure || (auxiliary.uid !== 0 && auxiliary.uid !== uids.real)) {
    return unusable('it was executed with more rights than its caller had');
  }
  if (confinement !== undefined) return { ...unusable(confinement), confined: true };
  if (root !== '/') return unusable(`it runs in a root directory of its own (${root})`);
  if (!isUtf8(argvBytes)) return unusable('its command line is not UTF-8');
  if (isTitle(argvBytes, executable)) return unusable('it wrote a title over its command line');
  const argv = strings(argvBytes, ARGV_LIMIT);
  const environment = strings(environmentBytes, ENVIRONMENT_LIMIT);
  if (argv === undefined || environment === undefined)
    return unusable('it has more arguments or variables than a program can be given');
  const folder = folderOf(table, pid, cwd, environment);
  if (folder === undefined) return unusable(`its working directory ${cwd} is gone`);
  const program = asScript(process.name, argv, folder) ?? { argv, executable };
  const rights = { uid: uids.real, gid: gids.real, groups };
  return {
    kind: 'read',
    record: { ...program, cwd: folder, environment: environment.filter(isVariable), ...rights, unconfined: true },
  };
}

const FIELDS = ['name', 'startTime', 'executable', 'cwd', 'root', 'uids', 'gids', 'groups'] as const;

/**
 * The directory as the program itself calls it ($PWD), so that a link that is moved to another release is followed; else as the kernel
 * does. Undefined where neither leads to where it is: it was removed, and what stands in its place now may be anybody's link.
 */
function folderOf(table: ProcessTable, pid: number, cwd: string, environment: readonly string[]): string | undefined {
  return [callsItsFolder(environment), cwd].find((path) => path?.startsWith('/') && table.isSame(pid, 'cwd', path));
}

/** $PWD of an environment; undefined where it has none. */
export function callsItsFolder(environment: readonly string[]): string | undefined {
  return environment.find((variable) => variable.startsWith('PWD='))?.slice('PWD='.length);
}

/** What is longer is not cut but refused: it would be started with half of its arguments. */
const ARGV_LIMIT = 2 * 1024 * 1024;
const ENVIRONMENT_LIMIT = 1024 * 1024;

/** Undefined where there are more than the kernel gives a program in so many bytes, of which each string's pointer takes 8. */
function strings(bytes: Buffer, limit: number): string[] | undefined {
  const most = limit / 8;
  const found = splitNul(bytes.toString(), most + 1);
  return found.length > most ? undefined : found;
}

function unusable(reason: string): LaunchReading & { readonly kind: 'unusable' } {
  return { kind: 'unusable', reason };
}

function key(process: { readonly startTime: number; readonly uids?: { readonly real: number } }): string {
  return `${process.startTime} ${process.uids?.real}`;
}

/**
 * What is executed of a script that was executed by its own path, so that it can be so again; undefined where it is none. The kernel
 * takes its name for `comm` then, and the interpreter's otherwise. It has put interpreter, perhaps one argument, and the path before
 * the script's own arguments (execve(2)).
 */
export function asScript(
  name: string,
  argv: readonly string[],
  cwd: string,
): Pick<LaunchRecord, 'argv' | 'executable'> | undefined {
  for (const place of [1, 2]) {
    const path = argv[place];
    if (path === undefined || path === '' || cutName(path) !== name) continue;
    const file = resolve(cwd, path);
    const [interpreter, argument] = readShebang(file);
    if (interpreter !== argv[0] || argument !== (place === 2 ? argv[1] : undefined)) continue;
    return { executable: file, argv: [path, ...argv.slice(place + 1)] };
  }
  return undefined;
}

/** The last part of `path` as `comm` shows it, cut at 15 bytes. */
function cutName(path: string): string {
  return Buffer.from(path.slice(path.lastIndexOf('/') + 1))
    .subarray(0, 15)
    .toString();
}

/** Interpreter and argument of a script's first line; [] where the file is no script, or cannot be read. */
export function readShebang(file: string): string[] {
  try {
    // Looked at before it is opened for reading: to open a device can be an act, and to open a FIFO waits for its writer.
    const place = openSync(hostPath(file), O_PATH);
    try {
      if (!fstatSync(place).isFile()) return [];
      const [, line = ''] = /^#!([^\n]*)/.exec(readHead(`/proc/self/fd/${place}`)) ?? [];
      const [, interpreter, argument] = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/.exec(line) ?? [];
      return [interpreter, argument || undefined].filter((word) => word !== undefined);
    } finally {
      closeSync(place);
    }
  } catch {
    return [];
  }
}

/** open(2): a descriptor that only stands for the file; Node has no name for it. */
const O_PATH = 0o10000000;

function readHead(file: string): string {
  const head = Buffer.alloc(256);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return head.toString('utf8', 0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * A title set over the arguments (`nginx: master process …`, `redis-server *:6379`) is one string, mostly with blanks, and what
 * is left of the arguments' room is filled with NULs, which read as empty arguments. The arguments are lost then.
 */
function isTitle(argvBytes: Buffer, executable: string): boolean {
  const end = argvBytes.indexOf(0);
  const length = end < 0 ? argvBytes.length : end;
  if (argvBytes.subarray(length).some((byte) => byte !== 0)) return false;
  const first = argvBytes.toString('utf8', 0, length);
  // Its own NUL, that of one empty argument, and more.
  return argvBytes.length - length > 2 || (/\s/.test(first) && first.split('/').at(-1) !== executable.split('/').at(-1));
}

/** A program may have written over its environment too: what is no variable any more is left out. */
function isVariable(text: string): boolean {
  return /^[^=]+=/.test(text) && !text.includes('\ufffd');
}
