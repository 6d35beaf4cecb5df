import { setImmediate as turn } from 'node:timers/promises';
import { calledName, calledNames } from './called-names.ts';
import { childrenOf } from './kin.ts';
import type { ProcessInfo, ProcessTable } from './table.ts';

const FIELDS = ['name', 'state', 'ppid', 'pgid', 'sid', 'threads', 'startTime', 'kernelThread', 'argv', 'executable'] as const;

/** A process as one look at the table saw it. */
export type SeenProcess = ProcessInfo<(typeof FIELDS)[number]>;

/** One look at all processes of this machine, which many may ask: a name costs next to nothing then. */
export class ProcessLook {
  readonly all: ReadonlyMap<number, SeenProcess>;
  /** Those whose arguments could not be read in time: nothing follows from it that they have none here. */
  readonly unread: readonly SeenProcess[];
  #children: ReadonlyMap<number, readonly SeenProcess[]> | undefined;
  #called: ReadonlyMap<string, readonly SeenProcess[]> | undefined;

  /** Of these processes, or of all of the table, at once. */
  constructor(
    table: ProcessTable,
    processes: readonly SeenProcess[] = table.list(FIELDS),
    unread: readonly SeenProcess[] = [],
  ) {
    this.unread = unread;
    this.all = new Map(processes.map((seen) => [seen.pid, seen]));
  }

  /** A look that lets the loop turn meanwhile (ProcessTable.survey). Never rejects. */
  static async take(table: ProcessTable): Promise<ProcessLook> {
    const called = new Map<string, SeenProcess[]>();
    const unread: SeenProcess[] = [];
    const processes = await table.survey(FIELDS, {
      // Between the breaths too: the names of many thousands take their time.
      visit: (seen) => addCalled(called, seen),
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
  for (const seen of all) addCalled(called, seen);
  return called;
}

function addCalled(called: Map<string, SeenProcess[]>, seen: SeenProcess): void {
  for (const name of new Set(calledNames(seen))) {
    const others = called.get(name);
    if (others === undefined) called.set(name, [seen]);
    else others.push(seen);
  }
}
