import { keptKey, storedKey } from '../../core/alarm.ts';
import type { Journal, JournalAlarm, JournalEntry } from '../daemon-state.ts';
import { dateOf, fieldsOf, isCount, isText, notesOf, processIdOf } from './json-fields.ts';
import type { RecordKind, RecordTable } from './table.ts';

/** Attempts under way, by target. */
export const journalKind: RecordKind<JournalEntry> = {
  table: 'journal',
  parse: (value) => {
    const { target, runId, attempt, alarms: rows, startedAt } = fieldsOf(value);
    const alarms = Array.isArray(rows) ? rows.map(alarmOf) : [undefined];
    const date = dateOf(startedAt);
    if (!isText(target) || !isText(runId) || !isCount(attempt) || date === undefined) return undefined;
    if (!alarms.every((alarm) => alarm !== undefined)) return undefined;
    return { target, runId, attempt, alarms, startedAt: date };
  },
};

/** The journal: `begin` is fsynced; `end` need not be, a repeated end costs a look at the process and no restart. */
export function journalOf(table: RecordTable<JournalEntry>): Journal {
  return {
    begin: (entry) => table.put(entry.target, entry, 'fsynced'),
    end: (target) => table.remove(target, 'written'),
    list: () => table.all(),
  };
}

function alarmOf(value: unknown): JournalAlarm | undefined {
  const fields = fieldsOf(value);
  const { processName } = fields;
  const place = placeOf(fields);
  const notes = notesOf(fields);
  return isText(processName) && place !== undefined && notes !== undefined ? { ...place, processName, ...notes } : undefined;
}

function placeOf({
  source,
  key,
  processId,
  processName,
}: Readonly<Record<string, unknown>>): Pick<JournalAlarm, 'source' | 'key'> | undefined {
  if ((source === 'store' || source === 'kept') && isText(key)) return { source, key };
  // Earlier versions wrote the id of the row, and one that no row has where there was none.
  const id = processIdOf(processId);
  if (id === undefined || !isText(processName)) return undefined;
  return Number(id) < NO_ROW ? { source: 'kept', key: keptKey(processName) } : { source: 'store', key: storedKey(id) };
}

const NO_ROW = -(2 ** 52) + 1;
