import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostPath } from './host-path.ts';
import {
  hasEnded,
  type ProcessStat,
  type ProcessStatus,
  parseStat,
  parseStatus,
  splitNul,
  withoutDeleted,
} from './proc-parse.ts';

/** Everything that can be asked about a process; what it costs is one small file for each group (proc(5)). */
export interface ProcessFields extends ProcessStat, ProcessStatus {
  /** The arguments; [] for zombies and kernel threads; whatever the program wrote over them (setproctitle). */
  readonly argv: readonly string[];
  /** Path of the program's file, ` (deleted)` taken off. */
  readonly executable: string;
  readonly cwd: string;
  /** The directory that is `/` for it (chroot(2)). */
  readonly root: string;
  /** `KEY=VALUE` as at its start. */
  readonly environment: readonly string[];
  /** Path below the cgroup root; of the unified hierarchy, else of systemd's own. */
  readonly cgroup: string;
}

/** The name of one field. */
export type ProcessField = keyof ProcessFields;

/** A process with the asked fields: those of `stat` always, the others where they could be read. */
export type ProcessInfo<F extends ProcessField> = { readonly pid: number } & Pick<ProcessFields, F & keyof ProcessStat> &
  Partial<Pick<ProcessFields, Exclude<F, keyof ProcessStat>>>;

/** Which process a pid meant when it was read: the number alone may be another's by now. */
export type ProcessIdentity = ProcessInfo<'startTime'>;

/**
 * The processes of this machine, read from /proc. Only the files of the asked fields are read, `stat` always and first, so that
 * a pid that changes hands meanwhile is found out by its start time. A process that vanished is absent, a file that is denied
 * leaves its fields absent; nothing here throws. Reading is synchronous: four times as fast, and a file of /proc is memory.
 */
export class ProcessTable {
  readonly #root: string;

  /** `root` is where proc is mounted: /proc. */
  constructor(root = '/proc') {
    this.#root = root;
  }

  /** One process; undefined where there is none of this number. */
  read<F extends ProcessField>(pid: number, fields: readonly F[]): ProcessInfo<F> | undefined {
    return this.#read(pid, new Set(fields)) as ProcessInfo<F> | undefined;
  }

  /** All processes, by ascending pid; [] where /proc cannot be read. */
  list<F extends ProcessField>(fields: readonly F[]): ProcessInfo<F>[] {
    const wanted = new Set<ProcessField>(fields);
    const pids = (attempt(() => readdirSync(this.#root)) ?? []).filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
    return pids
      .sort((a, b) => a - b)
      .map((pid) => this.#read(pid, wanted) as ProcessInfo<F> | undefined)
      .filter((process) => process !== undefined);
  }

  /** True while the very process that was read lives: it has not ended, and its pid is not another's by now. */
  exists({ pid, startTime }: ProcessIdentity): boolean {
    const now = this.read(pid, ['startTime', 'state', 'threads']);
    return now !== undefined && now.startTime === startTime && !hasEnded(now);
  }

  /** Milliseconds since boot, to 10 ms: the clock of `startTime`. 0 where it cannot be read. */
  uptimeMs(): number {
    return Math.round(Number(attempt(() => readFileSync(`${this.#root}/uptime`, 'utf8'))?.split(' ')[0] ?? 0) * 1000);
  }

  /** How long a process with this start time has been running. */
  ageMs({ startTime }: Pick<ProcessStat, 'startTime'>): number {
    return this.uptimeMs() - startTime * MS_PER_TICK;
  }

  /** A file of /proc/PID as it is; undefined where it cannot be read. */
  bytes(pid: number, file: string): Buffer | undefined {
    return attempt(() => readFileSync(`${this.#root}/${pid}/${file}`));
  }

  /** True where the process executes the very file at `path`, by whatever name, symbolic links followed. False where either cannot be read. */
  executes(pid: number, path: string): boolean {
    const [own, other] = [attempt(() => statSync(`${this.#root}/${pid}/exe`)), attempt(() => statSync(hostPath(path)))];
    return own !== undefined && own.dev === other?.dev && own.ino === other.ino;
  }

  #read(pid: number, wanted: ReadonlySet<ProcessField>): unknown {
    const stat = parseStat(this.#text(pid, 'stat') ?? '');
    if (stat === undefined) return undefined;
    const found: Record<string, unknown> = { pid };
    for (const field of STAT_FIELDS) if (wanted.has(field)) found[field] = stat[field];
    if (STATUS_FIELDS.some((field) => wanted.has(field))) {
      const status = parseStatus(this.#text(pid, 'status') ?? '');
      for (const field of STATUS_FIELDS) if (status !== undefined && wanted.has(field)) found[field] = status[field];
    }
    for (const field of FILE_FIELDS) {
      // A kernel thread has none of these files' contents: asking costs as much as for a program.
      const value = wanted.has(field) && !stat.kernelThread ? this.#field(pid, field) : undefined;
      if (value !== undefined) found[field] = value;
    }
    return found;
  }

  #field(pid: number, field: (typeof FILE_FIELDS)[number]): string | string[] | undefined {
    switch (field) {
      case 'argv':
        return attempt(() => splitNul(readFileSync(`${this.#root}/${pid}/cmdline`, 'utf8')));
      case 'environment':
        return attempt(() => splitNul(readFileSync(`${this.#root}/${pid}/environ`, 'utf8')));
      case 'executable':
        return attempt(() => withoutDeleted(readlinkSync(`${this.#root}/${pid}/exe`)));
      case 'cwd':
      case 'root':
        return attempt(() => withoutDeleted(readlinkSync(`${this.#root}/${pid}/${field}`)));
      case 'cgroup':
        return parseCgroup(this.#text(pid, 'cgroup') ?? '');
      default:
        return field satisfies never;
    }
  }

  #text(pid: number, file: string): string | undefined {
    return attempt(() => readFileSync(`${this.#root}/${pid}/${file}`, 'utf8'));
  }
}

/** Linux shows times in USER_HZ, which is 100 on every architecture Node runs on. */
const MS_PER_TICK = 10;

const STAT_FIELDS = ['name', 'state', 'ppid', 'pgid', 'sid', 'kernelThread', 'threads', 'startTime'] as const;
const STATUS_FIELDS = ['uids', 'gids', 'groups', 'namespaceDepth'] as const;
const FILE_FIELDS = ['argv', 'environment', 'executable', 'cwd', 'root', 'cgroup'] as const;

/** Lines `ID:CONTROLLERS:PATH` (cgroups(7)). */
function parseCgroup(text: string): string | undefined {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== undefined && path !== undefined) paths.set(controllers, path);
  }
  return paths.get('name=systemd') ?? paths.get('');
}

/** A file of /proc may vanish or be denied at any moment: that is no fault. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
