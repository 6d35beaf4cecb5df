// Reads the fields of processes, each file once.
import { totalmem } from 'node:os';
import type { AccountNames } from '../accounts/names.ts';
import { isPlainPath } from '../files/plain-path.ts';
import { parseCgroup } from './cgroup.ts';
import { type Descriptor, type LinkTarget, socketsOf } from './descriptors.ts';
import type { ProcFiles, ReadLimits } from './files.ts';
import { type ProcessStat, splitNul } from './parse.ts';
import type { UNREAD } from './pool-files.ts';
import { type ProcessSocket, SocketTables } from './sockets.ts';
import type { TerminalNames } from './terminal-names.ts';

/** One look at the table: what is the same for all processes is read once, when the first of them needs it. */
export class TableLook {
  readonly files: ProcFiles;
  readonly limits: ReadLimits;
  readonly terminals: TerminalNames;
  readonly sockets: SocketTables;
  readonly #names: AccountNames;
  #namesFresh = false;
  #uptimeMs: number | undefined;
  #bootedAtMs: number | undefined;
  #memoryBytes: number | undefined;

  constructor(files: ProcFiles, limits: ReadLimits, names: AccountNames, terminals: TerminalNames) {
    this.files = files;
    this.limits = limits;
    this.terminals = terminals;
    this.sockets = new SocketTables(files);
    this.#names = names;
  }

  /** Milliseconds since boot, to 10 ms; 0 if it cannot be read. */
  get uptimeMs(): number {
    this.#uptimeMs ??= readUptimeMs(this.files);
    return this.#uptimeMs;
  }

  /** When the machine was started, by the current wall clock, in milliseconds since the epoch; NaN if it cannot be read. */
  get bootedAtMs(): number {
    this.#bootedAtMs ??= Date.now() - (readUptimeMs(this.files) || Number.NaN);
    return this.#bootedAtMs;
  }

  /** The machine's memory in bytes. */
  get memoryBytes(): number {
    this.#memoryBytes ??= totalmem();
    return this.#memoryBytes;
  }

  get names(): AccountNames {
    if (!this.#namesFresh) this.#names.refresh();
    this.#namesFresh = true;
    return this.#names;
  }
}

/** Milliseconds since boot, to 10 ms: the clock of start times. 0 if it cannot be read (proc_uptime(5)). */
export function readUptimeMs(files: ProcFiles): number {
  return Math.round(Number(files.text('uptime')?.split(' ')[0] ?? 0) * 1000);
}

/** The texts from a process's own memory. */
export type Given = { -readonly [S in keyof ReadLimits]?: string | undefined | typeof UNREAD };

/** The field that is made from each text, and its file. */
export const STRINGS = {
  commandLine: { field: 'argv', file: 'cmdline' },
  environment: { field: 'environment', file: 'environ' },
} as const;
export const KINDS_OF_STRINGS = ['commandLine', 'environment'] as const;

/** One process while its fields are read: a file that several fields need is read once. */
export class ProcessReading {
  readonly pid: number;
  readonly stat: ProcessStat;
  readonly look: TableLook;
  readonly #given: Given;
  #status: Read<string>;
  #cgroup: Read<string>;
  #descriptors: Read<readonly Descriptor[]>;

  /** `given`: the texts that were read already, or could not be read. */
  constructor(pid: number, stat: ProcessStat, look: TableLook, given: Given = {}) {
    this.pid = pid;
    this.stat = stat;
    this.look = look;
    this.#given = given;
  }

  /** Parses a part of PID/status. */
  status<T>(parse: (text: string) => T): T | undefined {
    this.#status ??= { value: this.look.files.text(`${this.pid}/status`) };
    return this.#status.value === undefined ? undefined : parse(this.#status.value);
  }

  /** Parses a file that only a program has: for a kernel thread it is empty, and reading it costs the same. */
  file<T>(name: string, parse: (text: string) => T, limit?: number): T | undefined {
    const text = this.stat.kernelThread ? undefined : this.look.files.text(`${this.pid}/${name}`, limit);
    return text === undefined ? undefined : parse(text);
  }

  /** The same for a file that the kernel writes record by record; also undefined if it is too long. */
  longFile<T>(name: string, parse: (text: string) => T): T | undefined {
    const read = this.stat.kernelThread ? undefined : this.look.files.longText(`${this.pid}/${name}`, LONG_FILE);
    return read?.whole ? parse(read.text) : undefined;
  }

  /** The strings of the command line or the environment, within the look's limits. */
  strings(of: keyof ReadLimits): string[] | undefined {
    const limit = this.look.limits[of];
    const given = this.#given[of];
    const text = of in this.#given ? given : this.file(STRINGS[of].file, (all) => all, limit);
    return typeof text === 'string' ? splitNul(text, limit / 8) : undefined;
  }

  /** The target of a link of a program. */
  link(name: 'exe' | 'cwd' | 'root'): string | undefined {
    return this.stat.kernelThread ? undefined : this.#target(name)?.path;
  }

  cgroup(): string | undefined {
    this.#cgroup ??= { value: this.file('cgroup', parseCgroup) };
    return this.#cgroup.value;
  }

  /** Open descriptors, ascending: the lowest 4,096. */
  descriptors(): readonly Descriptor[] | undefined {
    this.#descriptors ??= { value: this.stat.kernelThread ? undefined : this.#readDescriptors() };
    return this.#descriptors.value;
  }

  descriptorCount(): number | undefined {
    if (this.stat.kernelThread) return undefined;
    const known = this.#descriptors?.value?.length;
    if (known !== undefined && known < MAX_DESCRIPTORS) return known;
    // Since Linux 6.2 the folder's size is their number; before that it is 0.
    return this.look.files.size(`${this.pid}/fd`) || this.#countedDescriptors();
  }

  sockets(): ProcessSocket[] | undefined {
    const descriptors = this.descriptors();
    return descriptors === undefined ? undefined : this.look.sockets.find(this.pid, socketsOf(descriptors));
  }

  #countedDescriptors(): number | undefined {
    const count = this.look.files.firstNames(`${this.pid}/fd`, MAX_COUNTED)?.length;
    return count === MAX_COUNTED ? undefined : count;
  }

  #readDescriptors(): readonly Descriptor[] | undefined {
    const names = this.look.files.firstNames(`${this.pid}/fd`, MAX_DESCRIPTORS);
    if (names === undefined) return undefined;
    const descriptors: Descriptor[] = [];
    for (const name of names) {
      const target = this.#target(`fd/${name}`);
      if (target !== undefined) descriptors.push({ fd: Number(name), path: target.path, deleted: target.deleted });
    }
    // We may be allowed to read the folder and not the links: that does not mean that the process has no files.
    if (descriptors.length === 0 && names.length > 0) return undefined;
    return descriptors.sort((a, b) => a.fd - b.fd);
  }

  #target(link: string): LinkTarget | undefined {
    const path = this.look.files.link(`${this.pid}/${link}`);
    if (path === undefined) return undefined;
    const deleted = path.endsWith(DELETED) && !this.#leadsTo(link, path);
    return { path: deleted ? path.slice(0, -DELETED.length) : path, deleted };
  }

  /**
   * Whether the link still leads to the file: a name may end in the kernel's mark itself. A user's own mounts are not searched
   * for it.
   */
  #leadsTo(link: string, path: string): boolean {
    const { files } = this.look;
    const file = `${this.pid}/${link}`;
    return files.identity(file)?.names !== 0 && isPlainPath(path) && files.isSame(file, path);
  }
}

/** A process may have 65,530 mappings, each with a path of up to 4 KiB. */
const LONG_FILE = 4 * 1024 * 1024;
/** A process may have a million; 4,096 take about 20 ms. */
const MAX_DESCRIPTORS = 4096;
/** Counting takes less time than reading where they lead. */
const MAX_COUNTED = 65_536;

/** The suffix that the kernel adds to the path of a file that has been removed or replaced (proc_pid_exe(5)). */
const DELETED = ' (deleted)';

/** Undefined until reading was tried. */
type Read<T> = { readonly value: T | undefined } | undefined;
