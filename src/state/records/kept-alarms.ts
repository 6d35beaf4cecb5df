import type { KeptAlarmRecord, KeptAlarmRecords } from '../daemon-state.ts';
import { dateOf, fieldsOf, isListOf, isText, processIdOf } from './json-fields.ts';
import type { RecordKind, RecordTable } from './table.ts';

/** Alarms that the store could not take, by process name. */
export const keptAlarmKind: RecordKind<KeptAlarmRecord> = {
  table: 'kept_alarms',
  parse: (value) => {
    const { processName, notes, raisedAt, doubtfulRows } = fieldsOf(value);
    const date = dateOf(raisedAt);
    const rows = Array.isArray(doubtfulRows) ? doubtfulRows.map(processIdOf) : [undefined];
    if (!isText(processName) || processName === '' || !isText(notes) || date === undefined) return undefined;
    return isListOf(rows, isText) ? { processName, notes, raisedAt: date, doubtfulRows: rows } : undefined;
  },
};

/** The kept alarms. Not fsynced: a power cut ends every process, and the next boot starts them itself. */
export function keptAlarmRecordsOf(table: RecordTable<KeptAlarmRecord>): KeptAlarmRecords {
  return {
    get: (processName) => table.get(processName),
    set: (alarm) => table.put(alarm.processName, alarm, 'written'),
    delete: (processName) => table.remove(processName, 'written'),
    list: () => table.all(),
  };
}
