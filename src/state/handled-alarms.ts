import type { HandledAlarm, HandledAlarms } from './daemon-state.ts';
import { dateOf, fieldsOf, isText, notesOf } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Alarms that were healed and still stand in the store, by process id. */
export const handledKind: RecordKind<HandledAlarm> = {
  table: 'handled',
  parse: (value) => {
    const fields = fieldsOf(value);
    const { processId, processName, handledAt } = fields;
    const notes = notesOf(fields);
    const date = dateOf(handledAt);
    if (!Number.isSafeInteger(processId) || !isText(processName) || notes === undefined || date === undefined) return undefined;
    return { processId: Number(processId), processName, ...notes, handledAt: date };
  },
};

/** The handled alarms, fsynced: a forgotten one is a process restarted twice. */
export function handledAlarmsOf(table: RecordTable<HandledAlarm>): HandledAlarms {
  return {
    get: (processId) => table.get(String(processId)),
    set: (alarm) => table.put(String(alarm.processId), alarm, 'fsynced'),
    delete: (processId) => table.remove(String(processId), 'written'),
    list: () => table.all(),
  };
}
