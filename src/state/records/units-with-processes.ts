// Units that were seen with processes, in state.db.
import type { UnitsWithProcesses } from '../../core/program/units-with-processes.ts';
import { fields, text } from '../../core/shape.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** A unit that has been seen with processes. */
interface UnitWithProcessesRecord {
  /** See UnitsWithProcesses. */
  readonly definition: string;
}

/** By the unit's canonical name. */
export const unitWithProcessesKind: RecordKind<UnitWithProcessesRecord> = recordKind(
  'units_with_processes',
  fields<UnitWithProcessesRecord>({ definition: text }),
);

/** The units that have been seen with processes. */
export function unitsWithProcessesOf(table: RecordTable<UnitWithProcessesRecord>): UnitsWithProcesses {
  return {
    has: (unit, definition) => {
      const known = table.get(unit)?.definition;
      return known !== undefined && (known === definition || known === '' || definition === '');
    },
    add: (unit, definition) => table.put(unit, { definition }, 'written'),
  };
}
