import type { Pin, PinnedFile, PinnedLaunch, Pins } from '../../core/pin.ts';
import { dateOf, fieldsOf, isText } from './json-fields.ts';
import { launchKind } from './launches.ts';
import type { RecordKind, RecordTable } from './table.ts';

/** Pins, by system name. */
export const pinKind: RecordKind<Pin> = {
  table: 'pins',
  parse: (value) => {
    const { systemName, launches, pinnedAt } = fieldsOf(value);
    const date = dateOf(pinnedAt);
    const read = allOf(launches, launchOf);
    if (!isText(systemName) || date === undefined || read === undefined || read.length === 0) return undefined;
    return { systemName, launches: read, pinnedAt: date };
  },
};

/** The pins, fsynced both ways: an operator gave the order. */
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

function launchOf(value: unknown): PinnedLaunch | undefined {
  const { record, files } = fieldsOf(value);
  const [read, hashed] = [launchKind.parse(record), allOf(files, fileOf)];
  return read === undefined || hashed === undefined ? undefined : { record: read, files: hashed };
}

function fileOf(value: unknown): PinnedFile | undefined {
  const { path, sha256 } = fieldsOf(value);
  return isText(path) && isText(sha256) ? { path, sha256 } : undefined;
}

/** Each as `read` has it; undefined where it is no list, or one of them makes no sense. */
function allOf<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.flatMap((item) => read(item) ?? []);
  return items.length === value.length ? items : undefined;
}
