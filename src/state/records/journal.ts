// The journal of recovery attempts, so that a restarted daemon knows which were interrupted.
import { keptKey, storedKey } from '../../core/alarm.ts';
import { check, date, fields, listOf, oneOf, type Shape, text } from '../../core/shape.ts';
import type { Journal, JournalAlarm, JournalEntry } from '../daemon-state.ts';
import { count, processId, seenNotes } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

type Place = Pick<JournalAlarm, 'source' | 'key'>;

const place = fields<Place>({ source: oneOf('store', 'kept'), key: text });

/** Earlier versions wrote the id of the row, and an id that no row has if there was no row. */
const earlierPlace: Shape<Place> = (value, where) => {
  const { processId: id, processName } = rowAndName(value, where);
  return Number(id) < NO_ROW ? { source: 'kept', key: keptKey(processName) } : { source: 'store', key: storedKey(id) };
};

const rowAndName = fields<{ readonly processId: string; readonly processName: string }>({ processId, processName: text });

const NO_ROW = -(2 ** 52) + 1;

const namedNotes = fields<Omit<JournalAlarm, keyof Place>>({ processName: text, ...seenNotes });

const journalAlarm: Shape<JournalAlarm> = (value, where) => {
  const placed = check(place, value);
  return { ...(placed.kind === 'fits' ? placed.value : earlierPlace(value, where)), ...namedNotes(value, where) };
};

/** Attempts in progress, by target. */
export const journalKind: RecordKind<JournalEntry> = recordKind(
  'journal',
  fields<JournalEntry>({
    target: text,
    runId: text,
    attempt: count,
    alarms: listOf(journalAlarm),
    startedAt: date,
  }),
);

/** The journal: `begin` is fsynced. `end` need not be: repeating it costs a check of the process and no restart. */
export function journalOf(table: RecordTable<JournalEntry>): Journal {
  return {
    begin: (entry) => table.put(entry.target, entry, 'fsynced'),
    end: (target) => table.remove(target, 'written'),
    list: () => table.all(),
  };
}
