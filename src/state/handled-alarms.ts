import type { HandledAlarm, HandledAlarms } from './daemon-state.ts';
import { dateOf, fieldsOf, isText, notesOf, processIdOf } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Alarms that were healed and still stand in the store, by process id. */
export const handledKind: RecordKind<HandledAlarm> = {
  table: 'handled',
  parse: (value) => {
    const fields = fieldsOf(value);
    const { processName, handledAt, orNotes } = fields;
    const processId = processIdOf(fields.processId);
    const notes = notesOf(fields);
    const date = dateOf(handledAt);
    if (processId === undefined || !isText(processName) || notes === undefined || date === undefined) return undefined;
    return { processId, processName, ...notes, ...(isText(orNotes) && { orNotes }), handledAt: date };
  },
};

/** The handled alarms, fsynced: a forgotten one is a process restarted twice. */
export function handledAlarmsOf(table: RecordTable<HandledAlarm>): HandledAlarms {
  return {
    get: (processId) => table.get(processId),
    set: (alarm) => table.put(alarm.processId, alarm, 'fsynced'),
    delete: (processId) => table.remove(processId, 'written'),
    list: () => table.all(),
  };
}
