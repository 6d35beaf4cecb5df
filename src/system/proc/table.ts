// The processes of this machine, read from /proc.
import { AccountNames } from '../accounts/names.ts';
import { hostPath } from '../files/host-path.ts';
import { entrySearch } from './entry-search.ts';
import { FIELD_READERS, type ProcessField, type ProcessFields } from './fields.ts';
import { LOOK_LIMITS, ProcFiles, type ReadLimits } from './files.ts';
import { ENVIRONMENT_LIMIT, MemoryFiles } from './memory-files.ts';
import { hasEnded, MS_PER_TICK, type ProcessStat, parseStat } from './parse.ts';
import { PoolFiles, type PoolRead, UNREAD } from './pool-files.ts';
import { type Given, KINDS_OF_STRINGS, ProcessReading, readUptimeMs, STRINGS, TableLook } from './reading.ts';
import { kernelSignals, type Signals } from './signals.ts';
import { TerminalNames } from './terminal-names.ts';
import { visitProcesses } from './visit-processes.ts';

/** A process with the requested fields: those of `stat` always, the others if they could be read. */
export type ProcessInfo<F extends ProcessField> = { readonly pid: number } & Pick<ProcessFields, F & keyof ProcessStat> &
  Partial<Pick<ProcessFields, Exclude<F, keyof ProcessStat>>>;

/** The process that a pid meant when it was read: the number alone may belong to another process by now. */
export type ProcessIdentity = ProcessInfo<'startTime'>;

/** Options of a survey. */
interface SurveyOptions<F extends ProcessField> {
  readonly pids?: readonly number[];
  readonly visit?: (process: ProcessInfo<F>) => void;
  /** Returns what is kept of each process, instead of the process. */
  readonly keep?: (process: ProcessInfo<F>) => ProcessInfo<F>;
  readonly unread?: (process: ProcessInfo<F>) => void;
  readonly limits?: ReadLimits;
}

/**
 * The processes of this machine, read from /proc. Only the files of the requested fields are read, `stat` always and first, so
 * that the reuse of a pid is detected by its start time. A process that has vanished, or that /proc hides from us (hidepid= of
 * proc(5)), is absent; a denied file leaves its fields absent; nothing here throws. Reads are synchronous, which is four times
 * as fast, and a file of /proc is in memory. A caller that can wait uses survey instead of list: then the event loop runs in
 * between.
 */
export class ProcessTable {
  /** Names of users and groups, as used in the fields (learnAccountNames). */
  readonly accounts: AccountNames;
  /** What processes keep in their own memory. */
  readonly memory: MemoryFiles;
  /** How these processes are signalled (signalProcess). */
  readonly signals: Signals;
  readonly #files: ProcFiles;
  readonly #pool: PoolFiles;
  readonly #terminals = new TerminalNames();

  /** `root` is the path at which proc is mounted; default /proc. `files` and `signals`: those of the machine unless given. */
  constructor(root = '/proc', accounts = new AccountNames(), files = new ProcFiles(root), signals = kernelSignals) {
    this.accounts = accounts;
    this.signals = signals;
    this.#files = files;
    this.#pool = new PoolFiles(root);
    this.memory = new MemoryFiles(this.#files, this.#pool);
  }

  /** One process; undefined if there is none with this number. */
  read<F extends ProcessField>(pid: number, fields: readonly F[], limits = LOOK_LIMITS): ProcessInfo<F> | undefined {
    return this.#read(pid, readersOf(fields), this.#look(limits));
  }

  /** All processes, by ascending pid; [] if /proc cannot be read. */
  list<F extends ProcessField>(fields: readonly F[], limits = LOOK_LIMITS): ProcessInfo<F>[] {
    const look = this.#look(limits);
    const readers = readersOf(fields);
    const found: ProcessInfo<F>[] = [];
    for (const pid of this.#pids()) {
      const process = this.#read(pid, readers, look);
      if (process !== undefined) found.push(process);
    }
    return found;
  }

  /**
   * The same, in slices of 10 ms between which the event loop runs, so that the processes are not all from the same moment; it
   * never waits on the loop for a lock that another user's process holds (PoolFiles). `visit` and `keep` are called with each
   * process when it has just been read, then `unread` with those whose arguments could not be read because of such a lock.
   * `pids`: only these processes. Rejects only if one of the callbacks throws.
   */
  async survey<F extends ProcessField>(
    fields: readonly F[],
    { pids = this.#pids(), visit, keep, unread, limits = LOOK_LIMITS }: SurveyOptions<F> = {},
  ): Promise<ProcessInfo<F>[]> {
    const look = this.#look(limits);
    const readers = readersOf(fields);
    const found: ProcessInfo<F>[] = [];
    const take = (process: ProcessInfo<F> | undefined): ProcessInfo<F> | undefined => {
      if (process === undefined) return undefined;
      const kept = keep?.(process) ?? process;
      found.push(kept);
      visit?.(process);
      return kept;
    };
    const strings = KINDS_OF_STRINGS.filter((kind) => (fields as readonly ProcessField[]).includes(STRINGS[kind].field));
    const lookInPool = async (before: Begun, of: PoolRead): Promise<unknown> => {
      const { pid } = of;
      const given: Given = {};
      for (const kind of strings) given[kind] = await this.#pool.text(of, STRINGS[kind].file, limits[kind]);
      const process = take(this.#read(pid, readers, look, given));
      const isRead = !Object.values(given).includes(UNREAD);
      const isSame = this.read(pid, ['startTime'])?.startTime === before.stat.startTime;
      if (process !== undefined && !(isRead && isSame)) unread?.(process);
      return isRead ? undefined : UNREAD;
    };
    const takeBegun = ({ pid, stat }: Begun): void => {
      take(this.#take(pid, stat, readers, look));
    };
    await visitProcesses(this.#files, pids, {
      begin: (pid) => {
        const stat = this.#stat(pid);
        // A kernel thread has no memory of its own, and most processes of a machine are kernel threads.
        if (stat?.kernelThread === true) takeBegun({ pid, stat });
        return stat === undefined || stat.kernelThread ? undefined : { pid, stat };
      },
      look: takeBegun,
      ...(strings.length > 0 && { lookInPool }),
    });
    return found.sort((a, b) => a.pid - b.pid);
  }

  /**
   * The processes that were started with this variable in their environment, by the rules of hasVariable; waits as survey does.
   */
  async withVariable<P extends { readonly pid: number }>(processes: readonly P[], name: string, value: string): Promise<P[]> {
    return [...(await this.memory.withVariable(processes, variableEntry(name, value))).having];
  }

  /** Whether the very process that was read still lives: it has not ended, and its pid does not belong to another process. */
  exists({ pid, startTime }: ProcessIdentity): boolean {
    const now = this.read(pid, ['startTime', 'state', 'threads']);
    return now !== undefined && now.startTime === startTime && !hasEnded(now);
  }

  /** Whether the pid is still that very process's, also if it has ended and its exit status was not collected yet. */
  isThere({ pid, startTime }: ProcessIdentity): boolean {
    return this.read(pid, ['startTime'])?.startTime === startTime;
  }

  /** Whether a process with this number runs, whichever it is. */
  isRunning(pid: number): boolean {
    const now = this.read(pid, ['state', 'threads']);
    return now !== undefined && !hasEnded(now);
  }

  /** The pids in a control group, without the groups below it; [] if there is no such group. Source: cgroups(7). */
  inGroup(controlGroup: string): number[] {
    return this.#files.groupMembers(controlGroup);
  }

  /** Milliseconds since boot, to 10 ms: the clock of `startTime`. 0 if it cannot be read. */
  uptimeMs(): number {
    return readUptimeMs(this.#files);
  }

  /** True if nothing can be read of it: that nothing is seen then does not mean that nothing runs. */
  isUnreadable(): boolean {
    return this.uptimeMs() === 0;
  }

  /** How long a process with this start time has been running. */
  ageMs({ startTime }: Pick<ProcessStat, 'startTime'>): number {
    return this.uptimeMs() - startTime * MS_PER_TICK;
  }

  /** The first `limit` bytes of a file of /proc/PID; undefined if it cannot be read. */
  bytes(pid: number, file: string, limit = BYTES_LIMIT): Buffer | undefined {
    return this.#files.withBytes(`${pid}/${file}`, limit, (bytes) => Buffer.from(bytes));
  }

  /**
   * Whether this variable, with this value if one is given, is in the environment that the process was started with. Only the
   * first 1 MiB and 64 KiB are searched (the maximum of a launch record, plus what we add). Also false if it cannot be read.
   */
  hasVariable(pid: number, name: string, value?: string): boolean {
    return this.#files.pieces(`${pid}/environ`, entrySearch(variableEntry(name, value), ENVIRONMENT_LIMIT)) ?? false;
  }

  /** The target of this descriptor of the process; undefined if it is unknown. */
  descriptorPath(pid: number, descriptor: string): string | undefined {
    return this.#files.link(`${pid}/fd/${descriptor}`);
  }

  /** The numbers of the process's lowest `most` descriptors; [] if they cannot be read. */
  descriptorNames(pid: number, most: number): readonly string[] {
    return this.#files.firstNames(`${pid}/fd`, most) ?? [];
  }

  /**
   * The symbolic links in a small folder of /proc/PID (at most 64) that can be read, by name; undefined if the folder cannot be
   * read.
   */
  links(pid: number, folder: string): Map<string, string> | undefined {
    const names = this.#files.firstNames(`${pid}/${folder}`, MAX_LINKS);
    if (names === undefined) return undefined;
    const targets = names.map((name) => [name, this.#files.link(`${pid}/${folder}/${name}`)] as const);
    return new Map(targets.flatMap(([name, target]) => (target === undefined ? [] : [[name, target] as const])));
  }

  /** Whether a symbolic link of /proc/PID leads to a regular file. */
  isFile(pid: number, link: string): boolean {
    return this.#files.isFile(`${pid}/${link}`);
  }

  /**
   * Whether both are the very same file or folder, with symbolic links followed: one of /proc/PID, and one of this machine's.
   */
  isSame(pid: number, file: string, path: string): boolean {
    return this.#files.isSame(`${pid}/${file}`, hostPath(path));
  }

  /** Whether both links of /proc/PID (`fd/1`) lead to the very same file. */
  leadAlike(
    one: { readonly pid: number; readonly link: string },
    other: { readonly pid: number; readonly link: string },
  ): boolean {
    const [first, second] = [one, other].map(({ pid, link }) => this.#files.identity(`${pid}/${link}`)?.key);
    return first !== undefined && first === second;
  }

  /**
   * Whether the process executes the very file at `path`, by any name, with symbolic links followed. False if one of them
   * cannot be read.
   */
  executes(pid: number, path: string): boolean {
    return this.isSame(pid, 'exe', path);
  }

  #look(limits: ReadLimits): TableLook {
    return new TableLook(this.#files, limits, this.accounts, this.#terminals);
  }

  #pids(): number[] {
    const pids = (this.#files.names() ?? []).map(Number).filter((pid) => pid > 0);
    return pids.sort((a, b) => a - b);
  }

  #read<F extends ProcessField>(pid: number, readers: Readers<F>, look: TableLook, given?: Given): ProcessInfo<F> | undefined {
    const stat = this.#stat(pid);
    return stat === undefined ? undefined : this.#take(pid, stat, readers, look, given);
  }

  #stat(pid: number): ProcessStat | undefined {
    return parseStat(this.#files.text(`${pid}/stat`) ?? '');
  }

  #take<F extends ProcessField>(
    pid: number,
    stat: ProcessStat,
    readers: Readers<F>,
    look: TableLook,
    given?: Given,
  ): ProcessInfo<F> {
    const reading = new ProcessReading(pid, stat, look, given);
    const found: Record<string, unknown> = { pid };
    for (const [field, readField] of readers) {
      const value = readField(reading);
      if (value !== undefined) found[field] = value;
    }
    return found as ProcessInfo<F>;
  }
}

/** A process whose `stat` has been read. */
interface Begun {
  readonly pid: number;
  readonly stat: ProcessStat;
}

/** The limit for files that a process cannot make long: stat, auxv. */
const BYTES_LIMIT = 64 * 1024;

const MAX_LINKS = 64;

function variableEntry(name: string, value: string | undefined): string {
  return value === undefined ? `${name}=` : `${name}=${value}\0`;
}

/** Looks the readers up once for a listing, not for each process. */
function readersOf<F extends ProcessField>(fields: readonly F[]): Readers<F> {
  return fields.map((field) => [field, FIELD_READERS[field]]);
}

type Readers<F extends ProcessField> = readonly (readonly [field: F, read: (of: ProcessReading) => unknown])[];
