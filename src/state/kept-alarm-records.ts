import type { KeptAlarm, KeptAlarmRecords } from './daemon-state.ts';
import { dateOf, fieldsOf, isListOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Alarms that the store could not take, by process name. */
export const keptAlarmKind: RecordKind<KeptAlarm> = {
  table: 'kept_alarms',
  parse: (value) => {
    const { processName, notes, raisedAt, doubtfulRows } = fieldsOf(value);
    const date = dateOf(raisedAt);
    if (!isText(processName) || processName === '' || !isText(notes) || date === undefined) return undefined;
    return isListOf(doubtfulRows, isProcessId) ? { processName, notes, raisedAt: date, doubtfulRows } : undefined;
  },
};

/** The kept alarms. Not fsynced: a power cut ends every process, and the next boot starts them itself. */
export function keptAlarmRecordsOf(table: RecordTable<KeptAlarm>): KeptAlarmRecords {
  return {
    get: (processName) => table.get(processName),
    set: (alarm) => table.put(alarm.processName, alarm, 'written'),
    delete: (processName) => table.remove(processName, 'written'),
    list: () => table.all(),
  };
}

function isProcessId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
