import { date, fields, nullable, otherwise, text, yes } from '../../core/shape.ts';
import type { HoldRecord, HoldRecords } from '../daemon-state.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** A hold as it is kept: `name` as storedName has it. */
interface StoredHold extends HoldRecord {
  readonly name: string;
}

/** Holds, by the names that are kept. */
export const holdKind: RecordKind<StoredHold> = recordKind(
  'holds',
  fields<StoredHold>({ name: text, until: nullable(date), reason: text, strict: otherwise(yes, undefined) }),
);

/** The holds, fsynced both ways: an operator gave the order. */
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

/** All versions keep the hold on everything as `*`. A process may be called so too: it has the place of the empty name, which none has. */
function storedName(name: HoldRecord['name']): string {
  return name === null ? EVERYTHING : name === EVERYTHING ? '' : name;
}

function nameOf({ name }: StoredHold): HoldRecord['name'] {
  return name === EVERYTHING ? null : name === '' ? EVERYTHING : name;
}

const EVERYTHING = '*';
