// The lives of watched processes in state.db.
import { date, fields, flag, nullable, otherwise, text, yes } from '../../core/shape.ts';
import type { WatchedLife, WatchedLifeRecords } from '../daemon-state.ts';
import { count, milliseconds } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

/** A life as recorded in one boot. */
interface WatchedLifeRecord extends Omit<WatchedLife, 'beforeBoot'> {
  /** /proc/sys/kernel/random/boot_id; empty if unknown. */
  readonly bootId: string;
}

/** What is known about the lives of watched processes, by process name. */
export const watchedLifeKind: RecordKind<WatchedLifeRecord> = recordKind(
  'watched_lives',
  fields<WatchedLifeRecord>({
    processName: text,
    pid: count,
    since: nullable(date),
    unit: otherwise(text, null),
    exits: count,
    lastExit: nullable(
      fields<NonNullable<WatchedLife['lastExit']>>({
        at: date,
        cause: text,
        uptimeMs: milliseconds,
        expected: flag,
        ours: otherwise(yes, undefined),
      }),
    ),
    bootId: otherwise(text, ''),
  }),
);

/**
 * The watched lives, as they appear in boot `bootId`: nothing that ran in another boot, or on the machine from which the file
 * was copied, runs now.
 */
export function watchedLifeRecordsOf(table: RecordTable<WatchedLifeRecord>, bootId: string): WatchedLifeRecords {
  const seen = ({ bootId: of, ...life }: WatchedLifeRecord): WatchedLife =>
    of === bootId ? life : { ...life, since: null, beforeBoot: true };
  return {
    get: (processName) => {
      const record = table.get(processName);
      return record && seen(record);
    },
    set: (life) => table.put(life.processName, { ...life, bootId }, 'written'),
    delete: (processName) => table.remove(processName, 'written'),
    list: () => table.all().map(seen),
  };
}
