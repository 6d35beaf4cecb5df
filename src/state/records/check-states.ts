// What was last known of each check, in state.db.
import { date, fields, nullable, oneOf, text } from '../../core/shape.ts';
import type { CheckStateRecord, CheckStateRecords } from '../daemon-state.ts';
import { filledText } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** What was last known of each check, by its name. */
export const checkStateKind: RecordKind<CheckStateRecord> = recordKind(
  'check_states',
  fields<CheckStateRecord>({ name: filledText, processName: nullable(text), verdict: oneOf('ok', 'failing'), since: date }),
);

/** The records. Not fsynced: after a power cut each check looks again. */
export function checkStateRecordsOf(table: RecordTable<CheckStateRecord>): CheckStateRecords {
  return {
    get: (name) => table.get(name),
    set: (record) => table.put(record.name, record, 'written'),
    delete: (name) => table.remove(name, 'written'),
    list: () => table.all(),
  };
}
