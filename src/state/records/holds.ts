// Holds in state.db.
import { date, fields, nullable, otherwise, text, yes } from '../../core/shape.ts';
import type { HoldRecord, HoldRecords } from '../daemon-state.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** A hold as it is stored: `name` in the form of storedName. */
interface StoredHold extends HoldRecord {
  readonly name: string;
}

/** Holds, by stored name. */
export const holdKind: RecordKind<StoredHold> = recordKind(
  'holds',
  fields<StoredHold>({ name: text, until: nullable(date), reason: text, strict: otherwise(yes, undefined) }),
);

/** The holds, fsynced when set and when deleted: an operator gave the order. */
export function holdRecordsOf(table: RecordTable<StoredHold>): HoldRecords {
  return {
    list: () => table.all().map((hold) => ({ ...hold, name: nameOf(hold) })),
    set: (hold) => {
      const name = storedName(hold.name);
      table.put(name, { ...hold, name }, 'fsynced');
    },
    delete: (name) => table.remove(storedName(name), 'fsynced'),
  };
}

/**
 * All versions store the hold on everything as `*`. A process may have that name too: it is stored under the empty name, which
 * no process has.
 */
function storedName(name: HoldRecord['name']): string {
  return name === null ? EVERYTHING : name === EVERYTHING ? '' : name;
}

function nameOf({ name }: StoredHold): HoldRecord['name'] {
  return name === EVERYTHING ? null : name === '' ? EVERYTHING : name;
}

const EVERYTHING = '*';
