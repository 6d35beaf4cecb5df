import type { KeeperProcess, ProgramRoots, RootProcess } from '../core/program-roots.ts';
import { fieldsOf, isCount, isListOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** The topmost processes of a program, of one boot. */
export interface ProgramRootRecord {
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
  const { pid, startTime, keepers } = fieldsOf(value);
  return isCount(pid) && isCount(startTime) && (keepers === undefined || isListOf(keepers, isKeeper));
}

function isKeeper(value: unknown): value is KeeperProcess {
  const { pid, startTime, startsAgain } = fieldsOf(value);
  return isCount(pid) && isCount(startTime) && (startsAgain === undefined || startsAgain === true);
}

/** The program roots, as the boot `bootId` sees them: start times of another one say nothing. */
export function programRootsOf(table: RecordTable<ProgramRootRecord>, bootId: string): ProgramRoots {
  return {
    get: (systemName) => {
      const record = table.get(systemName);
      return record !== undefined && bootId !== '' && record.bootId === bootId ? record.roots : [];
    },
    set: (systemName, roots) => table.put(systemName, { bootId, roots }, 'written'),
  };
}
