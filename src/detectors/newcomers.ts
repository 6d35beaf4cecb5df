import { Breath } from '../core/breath.ts';
import type { ProgramMarks } from '../core/program-marks.ts';
import { calledName, calledNames, NAME_FIELDS } from '../system/proc/called-names.ts';
import { ARGUMENT_LIMITS, LOOK_LIMITS } from '../system/proc/files.ts';
import type { ProcessTable } from '../system/proc/table.ts';

/** What a process may be known by: its own names, cut as the kernel cuts them, and the units it runs in. */
export interface CalledBy {
  /** The program's name or path, or the unit's. */
  readonly systemName: string;
  /** What else may tell it. */
  readonly marks?: ProgramMarks;
}

/**
 * Tells cheaply which names a process might be: more than it is, never fewer. Who is not among them need not be looked for. A
 * process is looked at closely once for each name that it bears.
 */
export class Newcomers<Wanted extends CalledBy> {
  readonly #table: ProcessTable;
  readonly #known = new Set<string>();
  readonly #wanted = new Map<string, Wanted[]>();
  /** By words of a command line and by whole names of units. */
  readonly #byMark = new Map<string, Wanted[]>();
  /** Any process may be these: a pid file is written when it runs already. */
  #anybody: readonly Wanted[] = [];
  #limits = LOOK_LIMITS;
  #rounds = 0;

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  /** Whom to look for from now on. */
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
    this.#anybody = wanted.filter(({ marks }) => marks?.pidFile !== undefined);
    this.#limits = wanted.some(({ marks }) => marks?.argument !== undefined) ? ARGUMENT_LIMITS : LOOK_LIMITS;
  }

  /** The wanted ones that processes seem to be which were not looked at before. One call at a time. */
  async inTable(): Promise<Set<Wanted>> {
    // Who executed another program of the same name is seen then.
    if (this.#rounds++ % FORGET_ROUNDS === 0) this.#known.clear();
    const present = await this.#table.survey(['name', 'startTime', 'kernelThread']);
    const marks = present.map(({ pid, startTime, name }) => `${pid} ${startTime} ${name}`);
    const found = new Set(this.#anybody);
    const breath = new Breath();
    for (const [i, { pid, kernelThread }] of present.entries()) {
      if (breath.isDue) await breath.take();
      if (!kernelThread && !this.#known.has(marks[i] ?? '')) for (const one of this.of(pid)) found.add(one);
    }
    this.#known.clear();
    for (const mark of marks) this.#known.add(mark);
    return found;
  }

  /** The wanted ones that this process seems to be. */
  of(pid: number): Set<Wanted> {
    const process = this.#table.read(pid, FIELDS, this.#limits);
    if (process === undefined || process.kernelThread) return new Set();
    const groups = process.cgroup?.split('/') ?? [];
    const found = [...calledNames(process), ...groups.map(calledName)].flatMap((name) => this.#wanted.get(name) ?? []);
    if (this.#byMark.size > 0)
      for (const mark of [...groups, ...(process.argv ?? [])]) found.push(...(this.#byMark.get(mark) ?? []));
    return new Set(found);
  }
}

const FIELDS = [...NAME_FIELDS, 'cgroup'] as const;
const FORGET_ROUNDS = 10;
