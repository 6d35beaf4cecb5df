import type { Journal, JournalAlarm, JournalEntry } from './daemon-state.ts';
import { dateOf, fieldsOf, isCount, isText, notesOf } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

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
  const { processId, processName } = fields;
  const notes = notesOf(fields);
  if (!Number.isSafeInteger(processId) || !isText(processName) || notes === undefined) return undefined;
  return { processId: Number(processId), processName, ...notes };
}
