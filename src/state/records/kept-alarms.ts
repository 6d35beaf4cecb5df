import { date, fields, listOf, otherwise, text, yes } from '../../core/shape.ts';
import type { KeptAlarmRecord, KeptAlarmRecords } from '../daemon-state.ts';
import { filledText, processId } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** Alarms that the store did not accept, by process name. */
export const keptAlarmKind: RecordKind<KeptAlarmRecord> = recordKind(
  'kept_alarms',
  fields<KeptAlarmRecord>({
    processName: filledText,
    notes: text,
    raisedAt: date,
    doubtfulRows: listOf(processId),
    onlyNew: otherwise(yes, undefined),
  }),
);

/** The kept alarms. Not fsynced: a power cut ends every process, and the next boot starts them itself. */
export function keptAlarmRecordsOf(table: RecordTable<KeptAlarmRecord>): KeptAlarmRecords {
  return {
    get: (processName) => table.get(processName),
    set: (alarm) => table.put(alarm.processName, alarm, 'written'),
    delete: (processName) => table.remove(processName, 'written'),
    list: () => table.all(),
  };
}
