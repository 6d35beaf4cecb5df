import { date, fields, otherwise, text } from '../../core/shape.ts';
import type { UnprovedAlarm, UnprovedAlarms } from '../daemon-state.ts';
import { count } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** Alarms whose process was restarted and is not proved to be healthy or not, by Alarm.key. */
export const unprovedKind: RecordKind<UnprovedAlarm> = recordKind(
  'unproved',
  fields<UnprovedAlarm>({
    key: text,
    processName: text,
    reason: text,
    target: otherwise(text, null),
    attempts: count,
    since: date,
  }),
);

/**
 * The unproved alarms. Not fsynced: a power cut ends every process, and one restart too many of a process that has just started
 * does no harm.
 */
export function unprovedAlarmsOf(table: RecordTable<UnprovedAlarm>): UnprovedAlarms {
  return {
    get: (key) => table.get(key),
    set: (alarm) => table.put(alarm.key, alarm, 'written'),
    delete: (key) => table.remove(key, 'written'),
    list: () => table.all(),
  };
}
