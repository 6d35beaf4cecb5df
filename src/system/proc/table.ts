import { AccountNames } from '../files/account-names.ts';
import { hostPath } from '../files/host-path.ts';
import { AsideFiles, type AsideRead, UNREAD } from './aside.ts';
import { entrySearch } from './entry-search.ts';
import { FIELD_READERS, type ProcessField, type ProcessFields } from './fields.ts';
import { LOOK_LIMITS, ProcFiles, type ReadLimits } from './files.ts';
import { ENVIRONMENT_LIMIT, MemoryFiles } from './memory-files.ts';
import { hasEnded, MS_PER_TICK, type ProcessStat, parseStat } from './parse.ts';
import { type Given, KINDS_OF_STRINGS, ProcessReading, readUptimeMs, STRINGS, TableLook } from './reading.ts';
import { goRound } from './round.ts';
import { kernelSignals, type Signals } from './signals.ts';
import { TerminalNames } from './terminal-names.ts';

export type { ProcessField, ProcessFields } from './fields.ts';
export { LOOK_LIMITS, type ReadLimits } from './files.ts';

/** A process with the asked fields: those of `stat` always, the others where they could be read. */
export type ProcessInfo<F extends ProcessField> = { readonly pid: number } & Pick<ProcessFields, F & keyof ProcessStat> &
  Partial<Pick<ProcessFields, Exclude<F, keyof ProcessStat>>>;

/** Which process a pid meant when it was read: the number alone may be another's by now. */
export type ProcessIdentity = ProcessInfo<'startTime'>;

/** How a survey goes. */
export interface SurveyOptions<F extends ProcessField> {
  readonly pids?: readonly number[];
  readonly visit?: (process: ProcessInfo<F>) => void;
  /** What is kept of each, in its place. */
  readonly keep?: (process: ProcessInfo<F>) => ProcessInfo<F>;
  readonly unread?: (process: ProcessInfo<F>) => void;
  readonly limits?: ReadLimits;
}

/**
 * The processes of this machine, read from /proc. Only the files of the asked fields are read, `stat` always and first, so that
 * a pid that changes hands meanwhile is found out by its start time. A process that vanished, or that /proc hides from us
 * (hidepid= of proc(5)), is absent, a file that is denied leaves its fields absent; nothing here throws. Reading is synchronous:
 * four times as fast, and a file of /proc is memory. Who can wait surveys all processes instead of listing them: then the loop
 * turns in between.
 */
export class ProcessTable {
  /** Names of users and groups, as the fields have them (learnAccountNames). */
  readonly accounts: AccountNames;
  /** Of what they hold in their own memory. */
  readonly memory: MemoryFiles;
  /** How these processes are signalled (signalProcess). */
  readonly signals: Signals;
  readonly #files: ProcFiles;
  readonly #aside: AsideFiles;
  readonly #terminals = new TerminalNames();

  /** `root` is where proc is mounted: /proc; `files` and `signals`: its files and its kernel, unless they are the machine's. */
  constructor(root = '/proc', accounts = new AccountNames(), files = new ProcFiles(root), signals = kernelSignals) {
    this.accounts = accounts;
    this.signals = signals;
    this.#files = files;
    this.#aside = new AsideFiles(root);
    this.memory = new MemoryFiles(this.#files, this.#aside);
  }

  /** One process; undefined where there is none of this number. */
  read<F extends ProcessField>(pid: number, fields: readonly F[], limits = LOOK_LIMITS): ProcessInfo<F> | undefined {
    return this.#read(pid, readersOf(fields), this.#look(limits));
  }

  /** All processes, by ascending pid; [] where /proc cannot be read. */
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
   * The same, in slices of 10 ms between which the loop turns, so that the processes are not all of one moment; and never waiting on the
   * loop for a lock that another user's process holds (AsideFiles). `visit` and `keep` are called with each when it has just been read,
   * `unread` then with those whose arguments could not be read for that. `pids`: of these alone. Rejects only where one of them throws.
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
    const lookAside = async (before: Begun, of: AsideRead): Promise<unknown> => {
      const { pid } = of;
      const given: Given = {};
      for (const kind of strings) given[kind] = await this.#aside.text(of, STRINGS[kind].file, limits[kind]);
      const process = take(this.#read(pid, readers, look, given));
      const isRead = !Object.values(given).includes(UNREAD);
      const isSame = this.read(pid, ['startTime'])?.startTime === before.stat.startTime;
      if (process !== undefined && !(isRead && isSame)) unread?.(process);
      return isRead ? undefined : UNREAD;
    };
    const takeBegun = ({ pid, stat }: Begun): void => {
      take(this.#take(pid, stat, readers, look));
    };
    await goRound(this.#files, pids, {
      begin: (pid) => {
        const stat = this.#stat(pid);
        // It has no memory of its own, and most processes of a machine are of these.
        if (stat?.kernelThread === true) takeBegun({ pid, stat });
        return stat === undefined || stat.kernelThread ? undefined : { pid, stat };
      },
      look: takeBegun,
      ...(strings.length > 0 && { lookAside }),
    });
    return found.sort((a, b) => a.pid - b.pid);
  }

  /** Those of the processes that were started with this variable in their environment, as hasVariable has it; waiting as survey does. */
  async withVariable<P extends { readonly pid: number }>(processes: readonly P[], name: string, value: string): Promise<P[]> {
    return [...(await this.memory.withVariable(processes, variableEntry(name, value))).having];
  }

  /** True while the very process that was read lives: it has not ended, and its pid is not another's by now. */
  exists({ pid, startTime }: ProcessIdentity): boolean {
    const now = this.read(pid, ['startTime', 'state', 'threads']);
    return now !== undefined && now.startTime === startTime && !hasEnded(now);
  }

  /** True while a process of this number runs, whichever it is. */
  isRunning(pid: number): boolean {
    const now = this.read(pid, ['state', 'threads']);
    return now !== undefined && !hasEnded(now);
  }

  /** Milliseconds since boot, to 10 ms: the clock of `startTime`. 0 where it cannot be read. */
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

  /** A file of /proc/PID as it is, its first `limit` bytes; undefined where it cannot be read. */
  bytes(pid: number, file: string, limit = BYTES_LIMIT): Buffer | undefined {
    return this.#files.withBytes(`${pid}/${file}`, limit, (bytes) => Buffer.from(bytes));
  }

  /**
   * True where this variable, with this value where one is given, is in the environment that the process was started with, whose
   * first 1 MiB and 64 KiB are looked through (a launch record's most, and what we add). False too where it cannot be read.
   */
  hasVariable(pid: number, name: string, value?: string): boolean {
    return this.#files.pieces(`${pid}/environ`, entrySearch(variableEntry(name, value), ENVIRONMENT_LIMIT)) ?? false;
  }

  /** Where this descriptor of the process leads; undefined where that cannot be told. */
  descriptorPath(pid: number, descriptor: string): string | undefined {
    return this.#files.link(`${pid}/fd/${descriptor}`);
  }

  /** The numbers of the process's lowest `most` descriptors; [] where they cannot be read. */
  descriptorNames(pid: number, most: number): readonly string[] {
    return this.#files.firstNames(`${pid}/fd`, most) ?? [];
  }

  /**
   * The symbolic links in a small folder of /proc/PID (64 at most), those that can be read, by name; undefined where the folder
   * cannot be.
   */
  links(pid: number, folder: string): Map<string, string> | undefined {
    const names = this.#files.firstNames(`${pid}/${folder}`, MOST_LINKS);
    if (names === undefined) return undefined;
    const targets = names.map((name) => [name, this.#files.link(`${pid}/${folder}/${name}`)] as const);
    return new Map(targets.flatMap(([name, target]) => (target === undefined ? [] : [[name, target] as const])));
  }

  /** True where a symbolic link of /proc/PID leads to a regular file. */
  isFile(pid: number, link: string): boolean {
    return this.#files.isFile(`${pid}/${link}`);
  }

  /** True where both are the very same file or folder, symbolic links followed: one of /proc/PID, and one of this machine's. */
  isSame(pid: number, file: string, path: string): boolean {
    return this.#files.isSame(`${pid}/${file}`, hostPath(path));
  }

  /** True where both links of /proc/PID (`fd/1`) lead to the very same file. */
  leadAlike(
    one: { readonly pid: number; readonly link: string },
    other: { readonly pid: number; readonly link: string },
  ): boolean {
    const [first, second] = [one, other].map(({ pid, link }) => this.#files.identity(`${pid}/${link}`)?.key);
    return first !== undefined && first === second;
  }

  /**
   * True where the process executes the very file at `path`, by whatever name, symbolic links followed. False where either cannot
   * be read.
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

/** A process of which `stat` has been read. */
interface Begun {
  readonly pid: number;
  readonly stat: ProcessStat;
}

/** Of what a process cannot make long: stat, auxv. */
const BYTES_LIMIT = 64 * 1024;

const MOST_LINKS = 64;

function variableEntry(name: string, value: string | undefined): string {
  return value === undefined ? `${name}=` : `${name}=${value}\0`;
}

/** Looked up once for a listing, not for each of its processes. */
function readersOf<F extends ProcessField>(fields: readonly F[]): Readers<F> {
  return fields.map((field) => [field, FIELD_READERS[field]]);
}

type Readers<F extends ProcessField> = readonly (readonly [field: F, read: (of: ProcessReading) => unknown])[];
