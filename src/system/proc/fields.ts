// The fields of a process that can be read from /proc, and how each of them is read.
import { unitOfCgroup } from './cgroup.ts';
import {
  type MemoryMaps,
  numberAfter,
  type ProcessIo,
  parseCpuList,
  parseIo,
  parseMaps,
  parseSmapsRollup,
  valueAfter,
} from './counters.ts';
import { type OpenFile, openFilesOf } from './descriptors.ts';
import {
  type Ids,
  MS_PER_TICK,
  type ProcessStat,
  type ProcessStatus,
  parseGroups,
  parseIds,
  parseNamespaceDepth,
} from './parse.ts';
import type { ProcessReading } from './reading.ts';
import type { ProcessSocket } from './sockets.ts';

/** All fields of a process; each group of them costs one small file to read (proc(5)). */
export interface ProcessFields extends ProcessStat, ProcessStatus {
  /**
   * When it started, by the current wall clock, to 20 ms: it shifts with that clock, so it is not an identity (startTime is).
   */
  readonly startedAt: Date;
  /** Its terminal as in ps(1), `pts/3`; absent if it has none. */
  readonly terminal: string;
  /**
   * CPU time divided by lifetime, as %CPU of ps(1): 100 is one CPU all the time.
   */
  readonly meanCpuPercent: number;

  /** Name of the effective user; absent if AccountNames does not know it. */
  readonly userName: string;
  readonly realUserName: string;
  /** Name of the effective group. */
  readonly groupName: string;
  /** Resident memory; 0 for zombies and kernel threads. */
  readonly rssBytes: number;
  /** `rssBytes` as a percentage of the machine's memory, 0 to 100. */
  readonly memoryPercent: number;
  readonly swapBytes: number;
  /** How often it released its CPU to wait, and how often the CPU was taken from it; of its first thread. */
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  /** The CPUs on which it may run, ascending; of its first thread. */
  readonly cpuAffinity: readonly number[];

  /**
   * The command line, one string for each argument, as the program last wrote it (setproctitle); only its beginning if it is
   * longer than the look's limit (ReadLimits); [] for zombies, absent for kernel threads.
   */
  readonly argv: readonly string[];
  /** Path of the program's file, without ` (deleted)`. */
  readonly executable: string;
  readonly cwd: string;
  /** The process's root directory (chroot(2)). */
  readonly root: string;
  /** `KEY=VALUE` as at its start; limited like `argv`. */
  readonly environment: readonly string[];
  /** Path below the cgroup root; of systemd's own hierarchy if there is one, else of the unified one. */
  readonly cgroup: string;
  /** The system's systemd unit that it belongs to (unitOfCgroup); absent if there is none. */
  readonly unit: string;
  readonly io: ProcessIo;
  /** What its memory consists of; the most expensive field, because the kernel walks its page tables. Absent for zombies. */
  readonly memoryMaps: MemoryMaps;

  /** Descriptors of a path: files, folders, devices. By ascending descriptor, of the lowest 4,096. */
  readonly openFiles: readonly OpenFile[];
  /**
   * TCP, UDP and Unix sockets, by ascending descriptor, of the lowest 4,096; the kernel's tables are read once for a listing.
   */
  readonly sockets: readonly ProcessSocket[];
  /** The number of open descriptors; since Linux 6.2 the kernel reports it, before that it is absent from 65,536 on. */
  readonly fdCount: number;
}

/** The name of one field. */
export type ProcessField = keyof ProcessFields;

/** How each field is read; undefined if it cannot be. */
export const FIELD_READERS: { readonly [F in ProcessField]: (of: ProcessReading) => ProcessFields[F] | undefined } = {
  name: ({ stat }) => stat.name,
  state: ({ stat }) => stat.state,
  ppid: ({ stat }) => stat.ppid,
  pgid: ({ stat }) => stat.pgid,
  sid: ({ stat }) => stat.sid,
  kernelThread: ({ stat }) => stat.kernelThread,
  threads: ({ stat }) => stat.threads,
  startTime: ({ stat }) => stat.startTime,
  nice: ({ stat }) => stat.nice,
  userCpuMs: ({ stat }) => stat.userCpuMs,
  systemCpuMs: ({ stat }) => stat.systemCpuMs,
  vmsBytes: ({ stat }) => stat.vmsBytes,
  terminalDevice: ({ stat }) => stat.terminalDevice,
  terminal: ({ stat, look }) => look.terminals.name(stat.terminalDevice),
  startedAt: ({ stat, look }) => startedAt(stat, look.bootedAtMs),
  meanCpuPercent: ({ stat, look }) => meanCpuPercent(stat, look.uptimeMs),

  uids,
  gids,
  groups: (of) => of.status(parseGroups),
  namespaceDepth: (of) => of.status(parseNamespaceDepth),
  userName: (of) => ifRead(uids(of)?.effective, (uid) => of.look.names.users.name(uid)),
  realUserName: (of) => ifRead(uids(of)?.real, (uid) => of.look.names.users.name(uid)),
  groupName: (of) => ifRead(gids(of)?.effective, (gid) => of.look.names.groups.name(gid)),
  rssBytes: (of) => of.status(rssBytes),
  memoryPercent: (of) => of.status((text) => (rssBytes(text) / of.look.memoryBytes) * 100),
  swapBytes: (of) => of.status((text) => (numberAfter(text, 'VmSwap:') ?? 0) * 1024),
  voluntarySwitches: (of) => of.status((text) => numberAfter(text, 'voluntary_ctxt_switches:')),
  involuntarySwitches: (of) => of.status((text) => numberAfter(text, 'nonvoluntary_ctxt_switches:')),
  cpuAffinity: (of) => of.status((text) => parseCpuList(valueAfter(text, 'Cpus_allowed_list:') ?? '')),

  argv: (of) => of.strings('commandLine'),
  environment: (of) => of.strings('environment'),
  executable: (of) => of.link('exe'),
  cwd: (of) => of.link('cwd'),
  root: (of) => of.link('root'),
  cgroup: (of) => of.cgroup(),
  unit: (of) => ifRead(of.cgroup(), unitOfCgroup),
  io: (of) => of.file('io', parseIo),
  memoryMaps: (of) => of.file('smaps_rollup', parseSmapsRollup) ?? of.longFile('maps', parseMaps),

  openFiles: (of) => ifRead(of.descriptors(), openFilesOf),
  sockets: (of) => of.sockets(),
  fdCount: (of) => of.descriptorCount(),
};

function uids(of: ProcessReading): Ids | undefined {
  return of.status((text) => parseIds(text, 'Uid:'));
}

function gids(of: ProcessReading): Ids | undefined {
  return of.status((text) => parseIds(text, 'Gid:'));
}

function startedAt({ startTime }: ProcessStat, bootedAtMs: number): Date | undefined {
  return Number.isNaN(bootedAtMs) ? undefined : new Date(bootedAtMs + startTime * MS_PER_TICK);
}

function meanCpuPercent({ startTime, userCpuMs, systemCpuMs }: ProcessStat, uptimeMs: number): number | undefined {
  if (uptimeMs === 0) return undefined;
  return ((userCpuMs + systemCpuMs) / Math.max(uptimeMs - startTime * MS_PER_TICK, MS_PER_TICK)) * 100;
}

function rssBytes(text: string): number {
  return (numberAfter(text, 'VmRSS:') ?? 0) * 1024;
}

function ifRead<T, R>(value: T | undefined, then: (value: T) => R): R | undefined {
  return value === undefined ? undefined : then(value);
}
