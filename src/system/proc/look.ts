import { setImmediate as turn } from 'node:timers/promises';
import { LoopPause } from '../../core/loop-pause.ts';
import { calledName, calledNames } from './called-names.ts';
import { childrenOf } from './kin.ts';
import type { ProcessInfo, ProcessTable } from './table.ts';

const FIELDS = ['name', 'state', 'ppid', 'pgid', 'sid', 'threads', 'startTime', 'kernelThread', 'argv', 'executable'] as const;

/** A process as one look at the table saw it: who needs more of its arguments asks for it (judgeWhole). */
export type SeenProcess = ProcessInfo<(typeof FIELDS)[number]> & {
  /** `argv` is the beginning only of what the table reads (MOST_WORDS, MOST_CHARACTERS). */
  readonly isCut?: true;
};

/** One look at all processes of this machine, which many may ask: a name costs next to nothing then. */
export class ProcessLook {
  readonly all: ReadonlyMap<number, SeenProcess>;
  /** Those whose arguments could not be read in time: nothing follows from it that they have none here. */
  readonly unread: readonly SeenProcess[];
  #children: ReadonlyMap<number, readonly SeenProcess[]> | undefined;
  #called: ReadonlyMap<string, readonly SeenProcess[]> | undefined;

  /** Of these processes, or of all of the table, at once. */
  constructor(table: ProcessTable, processes?: readonly SeenProcess[], unread: readonly SeenProcess[] = []) {
    this.unread = unread;
    const called = new Map<string, SeenProcess[]>();
    const seen = processes ?? table.list(FIELDS).map((whole) => takeIn(called, whole));
    if (processes === undefined) this.#called = called;
    this.all = new Map(seen.map((one) => [one.pid, one]));
  }

  /** A look that lets the loop turn meanwhile (ProcessTable.survey). Never rejects. */
  static async take(table: ProcessTable): Promise<ProcessLook> {
    const called = new Map<string, SeenProcess[]>();
    const unread: SeenProcess[] = [];
    const processes = await table.survey(FIELDS, {
      // Between the breaths too: the names of many thousands take their time.
      keep: (whole) => takeIn(called, whole),
      unread: (seen) => unread.push(seen),
    });
    const look = new ProcessLook(table, processes, unread);
    look.#called = called;
    return look;
  }

  /** Every process by its parent's pid. */
  get children(): ReadonlyMap<number, readonly SeenProcess[]> {
    this.#children ??= childrenOf(this.all);
    return this.#children;
  }

  /** Those that may be what a program's name or path means, by ascending pid: more than it is, never fewer. */
  calledBy(name: string): readonly SeenProcess[] {
    this.#called ??= byCalledNames(this.all.values());
    return (this.#called.get(calledName(name)) ?? []).toSorted((a, b) => a.pid - b.pid);
  }
}

/**
 * What `judge` says of each of them by all the arguments that the table reads: those that the look has cut are read once more, waiting as
 * survey does, and judged one by one, for all of them at once may be very long. Of the `unread` it says it by the beginning, of who has
 * ended meanwhile nothing. Rejects only where it throws.
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

/** Takes a look that is no older than the call. */
export type TakeLook = () => Promise<ProcessLook>;

/**
 * All who ask in one turn of the event loop, or while a look is under way, get the same next one: of a thousand that die together
 * each would take its own.
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

/** What a look keeps of a process, and by which names: by those too that stand behind the cut. */
function takeIn(called: Map<string, SeenProcess[]>, whole: SeenProcess): SeenProcess {
  const argv = beginningOf(whole.argv ?? []);
  const names = calledNames(whole);
  if (argv === undefined) {
    addCalled(called, whole, names);
    return whole;
  }
  const seen = { ...whole, argv, isCut: true } as const;
  addCalled(called, seen, flat(names));
  return seen;
}

/** Whole words, for it is by these that names are told, but of a first one that is too long by itself; undefined where all may be kept. */
function beginningOf(argv: readonly string[]): readonly string[] | undefined {
  let length = 0;
  const end = argv.findIndex((word, index) => {
    length += word.length;
    return index >= MOST_WORDS || length > MOST_CHARACTERS;
  });
  if (end < 0) return undefined;
  return flat(end === 0 ? argv.slice(0, 1).map((word) => word.slice(0, MOST_CHARACTERS)) : argv.slice(0, end));
}

/** The same words; those of /proc are parts of the whole text to V8, and keep all of it in memory. */
function flat(words: readonly string[]): string[] {
  return Buffer.from(words.join('\0')).toString().split('\0');
}

/** A stranger's processes may be thousands, each with as many arguments as the table reads. */
const MOST_WORDS = 64;
const MOST_CHARACTERS = 2048;

function addCalled(called: Map<string, SeenProcess[]>, seen: SeenProcess, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const others = called.get(name);
    if (others === undefined) called.set(name, [seen]);
    else others.push(seen);
  }
}
