// Determines cheaply which wanted names new processes might have.
import type { ProgramMarks } from '../../core/program/marks.ts';
import { calledName, calledNames, NAME_FIELDS } from '../../system/proc/called-names.ts';
import { ARGUMENT_LIMITS, LOOK_LIMITS } from '../../system/proc/files.ts';
import type { ProcessInfo, ProcessTable } from '../../system/proc/table.ts';

/** What a process may be known by: its own names, cut as the kernel cuts them, and the units that it runs in. */
export interface CalledBy {
  /** The program's name or path, or the unit's. */
  readonly systemName: string;
  /** What else may identify it. */
  readonly marks?: ProgramMarks;
}

/**
 * Determines cheaply which wanted names a process might have: too many perhaps, never too few. A name that is not among them
 * needs no closer look. A process is examined closely once for each name that it has.
 */
export class NewProcesses<Wanted extends CalledBy> {
  readonly #table: ProcessTable;
  readonly #known = new Set<string>();
  readonly #wanted = new Map<string, Wanted[]>();
  /** By words of a command line and by whole names of units. */
  readonly #byMark = new Map<string, Wanted[]>();
  /** Any process may be one of these: a pid file is written when the process runs already. */
  #anyProcess: readonly Wanted[] = [];
  #limits = LOOK_LIMITS;
  #rounds = 0;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** Sets what to look for from now on. */
  want(wanted: readonly Wanted[]): void {
    this.#wanted.clear();
    this.#byMark.clear();
    for (const one of wanted) {
      const { argument, units = [] } = one.marks ?? {};
      for (const name of new Set([calledName(one.systemName), calledName(`${one.systemName}.service`)]))
        this.#wanted.set(name, [...(this.#wanted.get(name) ?? []), one]);
      for (const mark of argument === undefined ? units : [argument, ...units])
        this.#byMark.set(mark, [...(this.#byMark.get(mark) ?? []), one]);
    }
    this.#anyProcess = wanted.filter(({ marks }) => marks?.pidFile !== undefined);
    this.#limits = wanted.some(({ marks }) => marks?.argument !== undefined) ? ARGUMENT_LIMITS : LOOK_LIMITS;
  }

  /** The wanted ones that processes appear to be which were not examined before. One call at a time. */
  async inTable(): Promise<Set<Wanted>> {
    // Then a process that executed another program of the same name is seen too.
    if (this.#rounds++ % FORGET_ROUNDS === 0) this.#known.clear();
    const present = await this.#table.survey(['name', 'startTime', 'kernelThread']);
    const marks = new Map(present.map(({ pid, startTime, name }) => [pid, `${pid} ${startTime} ${name}`]));
    const unknown = present.filter(({ pid, kernelThread }) => !kernelThread && !this.#known.has(marks.get(pid) ?? ''));
    const found = new Set(this.#anyProcess);
    const unread = (pid: number): unknown => marks.delete(pid);
    for (const one of await this.among(
      unknown.map(({ pid }) => pid),
      unread,
    ))
      found.add(one);
    this.#known.clear();
    for (const mark of marks.values()) this.#known.add(mark);
    return found;
  }

  /** The wanted ones that these processes appear to be. Calls `unread` with each process that could not be read. */
  async among(pids: readonly number[], unread?: (pid: number) => void): Promise<Set<Wanted>> {
    const found = new Set<Wanted>();
    const visit = (process: ProcessInfo<(typeof FIELDS)[number]>): void => {
      if (process.kernelThread) return;
      const groups = process.cgroup?.split('/') ?? [];
      for (const name of [...calledNames(process), ...groups.map(calledName)])
        for (const one of this.#wanted.get(name) ?? []) found.add(one);
      if (this.#byMark.size === 0) return;
      // No copy of the words, and nothing allocated for each: for thousands of words that is a megabyte of garbage and more.
      for (const marks of [groups, process.argv ?? []])
        for (const mark of marks) for (const one of this.#byMark.get(mark) ?? NONE) found.add(one);
    };
    await this.#table.survey(FIELDS, { pids, visit, unread: ({ pid }) => unread?.(pid), limits: this.#limits });
    return found;
  }
}

const FIELDS = [...NAME_FIELDS, 'cgroup'] as const;
const FORGET_ROUNDS = 10;
const NONE: readonly never[] = [];
