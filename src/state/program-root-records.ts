import type { KeeperProcess, ProgramRoots, RootProcess } from '../core/program-roots.ts';
import { fieldsOf, isCount, isListOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** The topmost processes of a program, of one boot. */
interface ProgramRootRecord {
  /** /proc/sys/kernel/random/boot_id; empty where unknown. */
  readonly bootId: string;
  readonly roots: readonly RootProcess[];
}

/** By system name. */
export const programRootKind: RecordKind<ProgramRootRecord> = {
  table: 'program_roots',
  parse: (value) => {
    const { bootId, roots } = fieldsOf(value);
    return isText(bootId) && isListOf(roots, isRoot) ? { bootId, roots } : undefined;
  },
};

function isRoot(value: unknown): value is RootProcess {
  const { pid, startTime, ours, runId, uid, session, cgroup, executable, knownBy, unit, listens, isEmpty, keepers } =
    fieldsOf(value);
  if (!isCount(pid) || !isCount(startTime)) return false;
  const isTextOrAbsent = (field: unknown): boolean => field === undefined || isText(field);
  const isTrueOrAbsent = (field: unknown): boolean => field === undefined || field === true;
  if (
    ![runId, knownBy, cgroup].every(isTextOrAbsent) ||
    ![uid, session].every((field) => field === undefined || isCount(field))
  )
    return false;
  if (!isTrueOrAbsent(ours) || !isTrueOrAbsent(isEmpty) || !isTextOrAbsent(executable) || !isTextOrAbsent(unit)) return false;
  if (listens !== undefined && !isListOf(listens, isText)) return false;
  return keepers === undefined || isListOf(keepers, isKeeper);
}

function isKeeper(value: unknown): value is KeeperProcess {
  const { pid, startTime, startsAgain } = fieldsOf(value);
  return isCount(pid) && isCount(startTime) && (startsAgain === undefined || startsAgain === true);
}

/** The program roots, as the boot `bootId` sees them: start times of another one say nothing. */
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
      // Not earlier: the table is filled after this was made.
      if (!indexed) for (const systemName of table.keys()) index(systemName);
      indexed = true;
      return [...(names.get(keyOf(root)) ?? [])];
    },
  };
}

function keyOf({ pid, startTime }: RootProcess): string {
  return `${pid} ${startTime}`;
}
