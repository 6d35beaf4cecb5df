// A look at all processes at once, which many callers share.
import { setImmediate as turn } from 'node:timers/promises';
import { LoopPause } from '../../core/loop-pause.ts';
import { calledName, calledNames } from './called-names.ts';
import { childrenOf } from './process-tree.ts';
import type { ProcessInfo, ProcessTable } from './table.ts';

const FIELDS = ['name', 'state', 'ppid', 'pgid', 'sid', 'threads', 'startTime', 'kernelThread', 'argv', 'executable'] as const;

/** A process as one look at the table saw it; a caller that needs more of its arguments uses judgeWhole. */
export type SeenProcess = ProcessInfo<(typeof FIELDS)[number]> & {
  /** `argv` is only the beginning of what the table reads (MAX_WORDS, MAX_CHARACTERS). */
  readonly isCut?: true;
};

/** One look at all processes of this machine, which many callers can search: finding a name then costs almost nothing. */
export class ProcessLook {
  readonly all: ReadonlyMap<number, SeenProcess>;
  /** Processes whose arguments could not be read in time: having none here does not mean that they have none. */
  readonly unread: readonly SeenProcess[];
  #children: ReadonlyMap<number, readonly SeenProcess[]> | undefined;
  #called: ReadonlyMap<string, readonly SeenProcess[]> | undefined;

  /** Looks at these processes, or reads all of the table, at once. */
  constructor(table: ProcessTable, processes?: readonly SeenProcess[], unread: readonly SeenProcess[] = []) {
    this.unread = unread;
    const called = new Map<string, SeenProcess[]>();
    const seen = processes ?? table.list(FIELDS).map((whole) => takeIn(called, whole));
    if (processes === undefined) this.#called = called;
    this.all = new Map(seen.map((one) => [one.pid, one]));
  }

  /** Takes a look and lets the event loop run in between (ProcessTable.survey). Never rejects. */
  static async take(table: ProcessTable): Promise<ProcessLook> {
    const called = new Map<string, SeenProcess[]>();
    const unread: SeenProcess[] = [];
    const processes = await table.survey(FIELDS, {
      // In slices too: computing the names of many thousands takes time.
      keep: (whole) => takeIn(called, whole),
      unread: (seen) => unread.push(seen),
    });
    const look = new ProcessLook(table, processes, unread);
    look.#called = called;
    return look;
  }

  /** All processes by their parent's pid. */
  get children(): ReadonlyMap<number, readonly SeenProcess[]> {
    this.#children ??= childrenOf(this.all);
    return this.#children;
  }

  /** The processes that a program's name or path may mean, by ascending pid: possibly more than it means, never fewer. */
  calledBy(name: string): readonly SeenProcess[] {
    this.#called ??= byCalledNames(this.all.values());
    return (this.#called.get(calledName(name)) ?? []).toSorted((a, b) => a.pid - b.pid);
  }
}

/**
 * Calls `judge` for each of the processes with all the arguments that the table reads. Those that the look has cut are read
 * again, with the waits of survey, and judged one by one, because all of them together may be very long. `unread` ones are
 * judged by the beginning; processes that have ended meanwhile have no verdict. Rejects only if `judge` throws.
 */
export async function judgeWhole<T>(
  table: ProcessTable,
  processes: readonly SeenProcess[],
  judge: (whole: SeenProcess) => T,
): Promise<{ readonly verdicts: ReadonlyMap<SeenProcess, T>; readonly unread: readonly SeenProcess[] }> {
  const verdicts = new Map<SeenProcess, T>();
  const unread: SeenProcess[] = [];
  const cut = new Map<number, SeenProcess>();
  const pause = new LoopPause();
  for (const seen of processes) {
    if (pause.isDue) await pause.take();
    if (seen.isCut === true) cut.set(seen.pid, seen);
    else verdicts.set(seen, judge(seen));
  }
  if (cut.size === 0) return { verdicts, unread };
  await table.survey(FIELDS, {
    pids: [...cut.keys()],
    keep: (whole) => {
      const seen = cut.get(whole.pid) ?? whole;
      if (seen.startTime === whole.startTime) verdicts.set(seen, judge(whole.argv === undefined ? seen : whole));
      return seen;
    },
    unread: (seen) => unread.push(seen),
  });
  return { verdicts, unread };
}

/** Takes a look that is not older than the call. */
export type TakeLook = () => Promise<ProcessLook>;

/**
 * All callers in one turn of the event loop, or while a look is in progress, share the next look: if a thousand processes die
 * together, each would otherwise take its own.
 */
export function sharedLooks(table: ProcessTable): TakeLook {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<ProcessLook> | undefined;
  const begin = async (): Promise<ProcessLook> => {
    await Promise.all([turn(), last]);
    const taken = ProcessLook.take(table);
    [last, next] = [taken, undefined];
    return taken;
  };
  return () => {
    next ??= begin();
    return next;
  };
}

function byCalledNames(all: Iterable<SeenProcess>): Map<string, SeenProcess[]> {
  const called = new Map<string, SeenProcess[]>();
  for (const seen of all) addCalled(called, seen, calledNames(seen));
  return called;
}

/** Keeps what a look needs of a process, and adds it under its names, including those from words after the cut. */
function takeIn(called: Map<string, SeenProcess[]>, whole: SeenProcess): SeenProcess {
  const argv = beginningOf(whole.argv ?? []);
  const names = calledNames(whole);
  if (argv === undefined) {
    addCalled(called, whole, names);
    return whole;
  }
  const seen = { ...whole, argv, isCut: true } as const;
  addCalled(called, seen, copied(names));
  return seen;
}

/**
 * The beginning of the arguments, in whole words, because names are compared by words; only a first word that is too long by
 * itself is cut. Undefined if all may be kept.
 */
function beginningOf(argv: readonly string[]): readonly string[] | undefined {
  let length = 0;
  const end = argv.findIndex((word, index) => {
    length += word.length;
    return index >= MAX_WORDS || length > MAX_CHARACTERS;
  });
  if (end < 0) return undefined;
  return copied(end === 0 ? argv.slice(0, 1).map((word) => word.slice(0, MAX_CHARACTERS)) : argv.slice(0, end));
}

/** Copies the words: V8 holds those of /proc as parts of the whole text, and so keeps all of it in memory. */
function copied(words: readonly string[]): string[] {
  return Buffer.from(words.join('\0')).toString().split('\0');
}

/** A foreign user may run thousands of processes, each with as many arguments as the table reads. */
const MAX_WORDS = 64;
const MAX_CHARACTERS = 2048;

function addCalled(called: Map<string, SeenProcess[]>, seen: SeenProcess, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const others = called.get(name);
    if (others === undefined) called.set(name, [seen]);
    else others.push(seen);
  }
}
