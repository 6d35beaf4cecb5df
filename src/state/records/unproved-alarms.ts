import type { UnprovedAlarm, UnprovedAlarms } from '../daemon-state.ts';
import { dateOf, fieldsOf, isCount, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './table.ts';

/** Alarms whose process was restarted, and of which nobody can tell whether it is well, by Alarm.key. */
export const unprovedKind: RecordKind<UnprovedAlarm> = {
  table: 'unproved',
  parse: (value) => {
    const { key, processName, reason, target, attempts, since } = fieldsOf(value);
    const date = dateOf(since);
    if (!isText(key) || !isText(processName) || !isText(reason) || !isCount(attempts) || date === undefined) return undefined;
    return { key, processName, reason, target: isText(target) ? target : null, attempts, since: date };
  },
};

/** The unproved alarms. Not fsynced: a power cut ends every process, and a restart too many of one that began anew harms nobody. */
export function unprovedAlarmsOf(table: RecordTable<UnprovedAlarm>): UnprovedAlarms {
  return {
    get: (key) => table.get(key),
    set: (alarm) => table.put(alarm.key, alarm, 'written'),
    delete: (key) => table.remove(key, 'written'),
    list: () => table.all(),
  };
}
