// The topmost processes of programs in state.db.
import type { KeeperProcess, ProgramRoots, RootProcess } from '../../core/program/roots.ts';
import { fields, listOf, optional, text, yes } from '../../core/shape.ts';
import { count } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** The topmost processes of a program in one boot. */
interface ProgramRootRecord {
  /** /proc/sys/kernel/random/boot_id; empty if unknown. */
  readonly bootId: string;
  readonly roots: readonly RootProcess[];
}

const keeperProcess = fields<KeeperProcess>({ pid: count, startTime: count, startsAgain: optional(yes) }, 'kept');

/** In the order in which it was written, because records are compared as text. */
const rootProcess = fields<RootProcess>(
  {
    pid: count,
    startTime: count,
    ours: optional(yes),
    runId: optional(text),
    uid: optional(count),
    session: optional(count),
    cgroup: optional(text),
    executable: optional(text),
    knownBy: optional(text),
    unit: optional(text),
    listens: optional(listOf(text)),
    isEmpty: optional(yes),
    keepers: optional(listOf(keeperProcess)),
  },
  'kept',
);

/** Program roots, by system name. */
export const programRootKind: RecordKind<ProgramRootRecord> = recordKind(
  'program_roots',
  fields<ProgramRootRecord>({ bootId: text, roots: listOf(rootProcess) }),
);

/** The program roots of boot `bootId`: start times of another boot mean nothing. */
export function programRootsOf(table: RecordTable<ProgramRootRecord>, bootId: string): ProgramRoots {
  const names = new Map<string, Set<string>>();
  const get = (systemName: string): readonly RootProcess[] => {
    const record = table.get(systemName);
    return record !== undefined && bootId !== '' && record.bootId === bootId ? record.roots : [];
  };
  let indexed = false;
  const index = (systemName: string): void => {
    for (const root of get(systemName)) names.set(keyOf(root), (names.get(keyOf(root)) ?? new Set()).add(systemName));
  };
  return {
    get,
    set: (systemName, roots) => {
      for (const root of get(systemName)) {
        const others = names.get(keyOf(root));
        if (others?.delete(systemName) && others.size === 0) names.delete(keyOf(root));
      }
      table.put(systemName, { bootId, roots }, 'written');
      index(systemName);
    },
    lastUnit: (systemName) => table.get(systemName)?.roots.find(({ unit }) => unit !== undefined)?.unit,
    namesOf: (root) => {
      // Not earlier, because the table is filled after this was created.
      if (!indexed) for (const systemName of table.keys()) index(systemName);
      indexed = true;
      return [...(names.get(keyOf(root)) ?? [])];
    },
  };
}

function keyOf({ pid, startTime }: RootProcess): string {
  return `${pid} ${startTime}`;
}
