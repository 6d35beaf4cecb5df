// Pins in state.db.
import type { Pin, PinnedFile, PinnedLaunch, Pins } from '../../core/program/pin.ts';
import { date, fields, listOf, such, text } from '../../core/shape.ts';
import { launchRecord } from './launches.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

const pinnedLaunch = fields<PinnedLaunch>({
  record: launchRecord,
  files: listOf(fields<PinnedFile>({ path: text, sha256: text })),
});

/** Pins, by system name. */
export const pinKind: RecordKind<Pin> = recordKind(
  'pins',
  fields<Pin>({
    systemName: text,
    launches: such(listOf(pinnedLaunch), 'at least one launch', (launches) => launches.length > 0),
    pinnedAt: date,
  }),
);

/** The pins, fsynced when set and when deleted: an operator gave the order. */
export function pinRecordsOf(table: RecordTable<Pin>): Pins {
  return {
    get: (systemName) => table.get(systemName),
    set: (pin) => table.put(pin.systemName, pin, 'fsynced'),
    delete: (systemName) => {
      const isThere = table.get(systemName) !== undefined;
      table.remove(systemName, 'fsynced');
      return isThere;
    },
    list: () => table.all(),
  };
}
