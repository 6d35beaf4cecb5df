// Reads the surroundings of a process.

import { constants } from 'node:os';
import type { Resource, ResourceLimit, Surroundings } from '../../core/program/launch-record.ts';
import { parseCgroup, unitFolderOf } from '../proc/cgroup.ts';
import { valueAfter } from '../proc/counters.ts';
import { ProcFiles } from '../proc/files.ts';
import type { ProcessTable } from '../proc/table.ts';
import { parseRunFileName } from '../runs/file.ts';

/**
 * Reads everything that the process inherited from its starter, because a launcher's own defaults may differ at the next start
 * (DefaultLimitNOFILE=). `cgroups`: where control groups are mounted. Source: proc_pid_limits(5), proc_pid_status(5),
 * proc_pid_fdinfo(5), cgroups(7).
 */
export function readSurroundings(table: ProcessTable, pid: number, cgroups = '/sys/fs/cgroup'): Surroundings {
  const status = table.bytes(pid, 'status')?.toString('latin1') ?? '';
  const limits = limitsOf(table, pid);
  const ignoredSignals = signalsOf(valueAfter(status, 'SigIgn:') ?? '', table.read(pid, ['executable'])?.executable ?? '');
  return present({
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    umask: parseUmask(status),
    nice: table.read(pid, ['nice'])?.nice,
    ignoredSignals: ignoredSignals.length > 0 ? ignoredSignals : undefined,
    standardOutput: outputFile(table, pid, 1),
    standardError: outputFile(table, pid, 2),
    ...unitLimits(table, pid, new ProcFiles(cgroups)),
  });
}

/**
 * Returns the file that this descriptor of the process writes to, by a path that leads there; undefined if it is not a lasting
 * file.
 */
export function outputFile(table: ProcessTable, pid: number, descriptor: 1 | 2): string | undefined {
  const path = table.descriptorPath(pid, String(descriptor));
  if (path === undefined || !/^\/[^\p{Cc}]+$/u.test(path)) return undefined;
  const [, flags] = /^flags:\s*([0-7]{1,12})$/m.exec(table.bytes(pid, `fdinfo/${descriptor}`)?.toString('latin1') ?? '') ?? [];
  if (flags === undefined || (Number.parseInt(flags, 8) & O_ACCMODE) === 0) return undefined;
  // Not a device. And a file that was removed, or that is in another root directory, is not found by its path.
  if (!table.isFile(pid, `fd/${descriptor}`) || !table.isSame(pid, `fd/${descriptor}`, path)) return undefined;
  // A file that we gave it to write to lives no longer than the process.
  return parseRunFileName(path.slice(path.lastIndexOf('/') + 1)) === undefined ? path : undefined;
}

const O_ACCMODE = 3;

/** Returns the file mode creation mask of a process; undefined if it cannot be read. */
export function umaskOf(table: ProcessTable, pid: number): number | undefined {
  return parseUmask(table.bytes(pid, 'status')?.toString('latin1') ?? '');
}

function parseUmask(status: string): number | undefined {
  const umask = /^\s*0?([0-7]{3})$/.exec(valueAfter(status, 'Umask:') ?? '')?.[1];
  return umask === undefined ? undefined : Number.parseInt(umask, 8);
}

type Limits = Partial<Record<Resource, ResourceLimit>>;

/** Returns the limits of a process. Those that cannot be read are missing. */
export function limitsOf(table: ProcessTable, pid: number): Limits {
  const limits: Limits = {};
  for (const line of (table.bytes(pid, 'limits')?.toString('latin1') ?? '').split('\n')) {
    const [, name = '', soft, hard] = /^Max (.{1,24}?) {2,}(\d{1,20}|unlimited) +(\d{1,20}|unlimited)\b/.exec(line) ?? [];
    const resource = NAMES.get(name);
    if (resource !== undefined && soft !== undefined && hard !== undefined) limits[resource] = { soft, hard };
  }
  return limits;
}

const NAMES: ReadonlyMap<string, Resource> = new Map([
  ['cpu time', 'cpu'],
  ['file size', 'fsize'],
  ['data size', 'data'],
  ['stack size', 'stack'],
  ['core file size', 'core'],
  ['resident set', 'rss'],
  ['processes', 'nproc'],
  ['open files', 'nofile'],
  ['locked memory', 'memlock'],
  ['address space', 'as'],
  ['file locks', 'locks'],
  ['pending signals', 'sigpending'],
  ['msgqueue size', 'msgqueue'],
  ['nice priority', 'nice'],
  ['realtime priority', 'rtprio'],
  ['realtime timeout', 'rttime'],
]);

/**
 * Returns the signals of a mask that a program may have inherited from its starter. Without SIGCHLD and SIGTERM, which a
 * program sets by itself, the first for its children and the other while it ends, and which it must not have from its start
 * because of that; without signals from 32 on; and without those that the program is known to ignore by itself.
 */
function signalsOf(mask: string, executable: string): number[] {
  if (!/^\s*[0-9a-f]{1,32}$/.test(mask)) return [];
  const bits = BigInt(`0x${mask.trim()}`);
  const ignored = INHERITED.filter((signal) => ((bits >> BigInt(signal - 1)) & 1n) === 1n);
  const name = executable.slice(executable.lastIndexOf('/') + 1);
  if (/^(?:python|pypy|node)/.test(name)) return ignored.filter((signal) => signal !== SIGPIPE && signal !== SIGXFSZ);
  // Bash always ignores it, and its programs do not. A shell that puts a program into the background makes it ignore both.
  if (name === 'bash' && !ignored.includes(SIGINT)) return ignored.filter((signal) => signal !== SIGQUIT);
  return ignored;
}

const { SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ, SIGTERM, SIGCHLD, SIGKILL, SIGSTOP } = constants.signals;
const INHERITED = Array.from({ length: 31 }, (_, index) => index + 1).filter(
  (signal) => ![SIGTERM, SIGCHLD, SIGKILL, SIGSTOP].includes(signal),
);

/** Returns the limits of the process's unit, if that is the unit of a program and not of a session, a user, or the daemon. */
function unitLimits(table: ProcessTable, pid: number, files: ProcFiles): Pick<Surroundings, 'memoryMax' | 'tasksMax'> {
  const [folder, ours] = [pid, process.pid].map((number) =>
    unitFolderOf(parseCgroup(table.bytes(number, 'cgroup')?.toString() ?? '') ?? ''),
  );
  if (folder === undefined || folder === ours || folder.split('/').includes('..')) return {};
  const value = (...places: readonly string[]): string | undefined =>
    places
      .map((place) => files.text(place, MAX_VALUE)?.trim())
      .find((text) => text !== undefined && /^(?:\d+|max)$/.test(text));
  const memory = Number(value(`${folder}/memory.max`, `memory${folder}/memory.limit_in_bytes`));
  const tasks = value(`${folder}/pids.max`, `pids${folder}/pids.max`);
  return present({
    // Without a limit it is `max`, or the largest number of whole pages below 2^63.
    memoryMax: Number.isSafeInteger(memory) ? memory : undefined,
    tasksMax: tasks === undefined ? undefined : tasks === 'max' ? ('unlimited' as const) : Number(tasks),
  });
}

const MAX_VALUE = 32;

/** Returns the object without its undefined fields. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
