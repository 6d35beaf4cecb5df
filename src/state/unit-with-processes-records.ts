import type { UnitsWithProcesses } from '../core/units-with-processes.ts';
import { fieldsOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** A unit that was seen to have processes. */
interface UnitWithProcessesRecord {
  /** As of UnitsWithProcesses. */
  readonly definition: string;
}

/** By the unit's canonical name. */
export const unitWithProcessesKind: RecordKind<UnitWithProcessesRecord> = {
  table: 'units_with_processes',
  parse: (value) => {
    const { definition } = fieldsOf(value);
    return isText(definition) ? { definition } : undefined;
  },
};

/** The units that were seen to have processes. */
export function unitsWithProcessesOf(table: RecordTable<UnitWithProcessesRecord>): UnitsWithProcesses {
  return {
    has: (unit, definition) => {
      const known = table.get(unit)?.definition;
      return known !== undefined && (known === definition || known === '' || definition === '');
    },
    add: (unit, definition) => table.put(unit, { definition }, 'written'),
  };
}
