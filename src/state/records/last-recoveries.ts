// How the last recovery of each process ended, in state.db.
import { date, fields, flag, nullable, oneOf, text } from '../../core/shape.ts';
import type { LastRecoveryRecord, LastRecoveryRecords } from '../daemon-state.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** How the last recovery of each process ended, by its name. */
export const lastRecoveryKind: RecordKind<LastRecoveryRecord> = recordKind(
  'last_recoveries',
  fields<LastRecoveryRecord>({
    processName: text,
    last: nullable(
      fields<NonNullable<LastRecoveryRecord['last']>>({
        at: date,
        outcome: oneOf('recovered', 'failed', 'not_proved'),
        detail: text,
      }),
    ),
    openedFor: nullable(text),
    isMended: flag,
  }),
);

/** The records; the oldest go if there are more than 10,000, because names of alarms are not ours to choose. */
export function lastRecoveryRecordsOf(table: RecordTable<LastRecoveryRecord>): LastRecoveryRecords {
  return {
    list: () => table.all(),
    set: (record) => {
      table.put(record.processName, record, 'written');
      const forgotten = table.size > MAX_NAMES ? table.keys().slice(0, 1) : [];
      for (const name of forgotten) table.remove(name, 'written');
      return forgotten;
    },
  };
}

const MAX_NAMES = 10_000;
