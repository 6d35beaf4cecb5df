import type { HandledAlarm, HandledAlarms } from './daemon-state.ts';
import { dateOf, fieldsOf, isText, isTextOrNull } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Alarms that were healed and still stand in the store, by process id. */
export const handledKind: RecordKind<HandledAlarm> = {
  table: 'handled',
  parse: (value) => {
    const { processId, processName, notes, handledAt } = fieldsOf(value);
    const date = dateOf(handledAt);
    if (!Number.isSafeInteger(processId) || !isText(processName) || !isTextOrNull(notes) || date === undefined)
      return undefined;
    return { processId: Number(processId), processName, notes, handledAt: date };
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
