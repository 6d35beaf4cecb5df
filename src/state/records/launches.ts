// How programs were started, so that they can be started in the same way.
import {
  type LaunchNote,
  type LaunchRecord,
  type LaunchRecords,
  RESOURCES,
  type Resource,
  type ResourceLimit,
  type Surroundings,
} from '../../core/program/launch-record.ts';
import { fields, listOf, mapOf, optional, otherwise, type Shape, such, text, wholeNumber, yes } from '../../core/shape.ts';
import { count } from './fields.ts';
import { type RecordKind, type RecordTable, recordKind } from './table.ts';

const bound = such(text, 'a number or unlimited', (value) => /^(?:\d{1,20}|unlimited)$/.test(value));

const path = such(text, 'an absolute path', (value) => /^\/[^\p{Cc}]+$/u.test(value));

const tasks: Shape<number | 'unlimited'> = (value, where) => (value === 'unlimited' ? value : count(value, where));

/** In the order in which they are read from a process, because records are compared as text. */
const surroundings = fields<Surroundings>({
  limits: optional(mapOf<Resource, ResourceLimit>(RESOURCES, fields<ResourceLimit>({ soft: bound, hard: bound }))),
  umask: optional(wholeNumber(0, 0o777)),
  nice: optional(wholeNumber(-20, 20)),
  ignoredSignals: optional(listOf(wholeNumber(1, 31))),
  standardOutput: optional(path),
  standardError: optional(path),
  memoryMax: optional(count),
  tasksMax: optional(tasks),
});

/** How a program was started. */
export const launchRecord = fields<LaunchRecord>({
  argv: listOf(text),
  executable: text,
  cwd: text,
  environment: listOf(text),
  uid: count,
  gid: count,
  groups: listOf(count),
  unconfined: otherwise(yes, undefined),
  surroundings: optional(surroundings),
});

/** How programs were started, by system name. */
export const launchKind: RecordKind<LaunchRecord> = recordKind('launches', launchRecord);

/** How the copies besides the first were started, by system name. */
export const furtherLaunchKind: RecordKind<readonly LaunchRecord[]> = recordKind('further_launches', listOf(launchRecord));

/** What else is known about how programs run, by system name. */
export const launchNoteKind: RecordKind<LaunchNote> = recordKind(
  'launch_notes',
  fields<LaunchNote>({ unusable: optional(text), copies: optional(count) }),
);

/** The launch records; setting an unchanged record does not write. */
export function launchRecordsOf(
  table: RecordTable<LaunchRecord>,
  furtherOnes: RecordTable<readonly LaunchRecord[]>,
  notes: RecordTable<LaunchNote>,
): LaunchRecords {
  return {
    get: (systemName) => table.get(systemName),
    set: (systemName, record) => table.put(systemName, record, 'written'),
    further: (systemName) => furtherOnes.get(systemName) ?? [],
    setFurther: (systemName, records) => {
      if (records.length === 0) furtherOnes.remove(systemName, 'written');
      else furtherOnes.put(systemName, records, 'written');
    },
    note: (systemName) => notes.get(systemName) ?? {},
    setNote: (systemName, note) => {
      if (Object.keys(note).length === 0) notes.remove(systemName, 'written');
      else notes.put(systemName, note, 'written');
    },
  };
}
