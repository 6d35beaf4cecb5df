import type { Journal, JournalEntry } from './daemon-state.ts';
import { dateOf, fieldsOf, isCount, isListOf, isText, isTextOrNull } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** Attempts under way, by target. */
export const journalKind: RecordKind<JournalEntry> = {
  table: 'journal',
  parse: (value) => {
    const { target, runId, attempt, alarms, startedAt } = fieldsOf(value);
    const date = dateOf(startedAt);
    if (!isText(target) || !isText(runId) || !isCount(attempt) || !isListOf(alarms, isAlarm) || date === undefined)
      return undefined;
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

function isAlarm(value: unknown): value is JournalEntry['alarms'][number] {
  const { processId, processName, notes } = fieldsOf(value);
  return Number.isSafeInteger(processId) && isText(processName) && isTextOrNull(notes);
}
