import type { HoldRecord, HoldRecords } from './daemon-state.ts';
import { dateOf, fieldsOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Holds, by name. */
export const holdKind: RecordKind<HoldRecord> = {
  table: 'holds',
  parse: (value) => {
    const { name, until, reason, strict } = fieldsOf(value);
    const date = until === null ? null : dateOf(until);
    if (!isText(name) || !isText(reason) || date === undefined) return undefined;
    return { name, until: date, reason, ...(strict === true ? { strict } : {}) };
  },
};

/** The holds, fsynced both ways: an operator gave the order. */
export function holdRecordsOf(table: RecordTable<HoldRecord>): HoldRecords {
  return {
    list: () => table.all(),
    set: (hold) => table.put(hold.name, hold, 'fsynced'),
    delete: (name) => table.remove(name, 'fsynced'),
  };
}
