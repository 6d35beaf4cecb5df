import { date, fields, optional, text } from '../../core/shape.ts';
import type { HandledAlarm, HandledAlarms } from '../daemon-state.ts';
import { processId, seenNotes } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** Alarms that were handled and are still in the store, by process id. */
export const handledKind: RecordKind<HandledAlarm> = recordKind(
  'handled',
  fields<HandledAlarm>({ processId, processName: text, ...seenNotes, orNotes: optional(text), handledAt: date }),
);

/** The handled alarms, fsynced: forgetting one would restart a process twice. */
export function handledAlarmsOf(table: RecordTable<HandledAlarm>): HandledAlarms {
  return {
    get: (processId) => table.get(processId),
    set: (alarm) => table.put(alarm.processId, alarm, 'fsynced'),
    delete: (processId) => table.remove(processId, 'written'),
    list: () => table.all(),
  };
}
