import type { LaunchNote, LaunchRecord, LaunchRecords } from '../../core/launch-record.ts';
import { RESOURCES, type Resource, type ResourceLimit, type Surroundings } from '../../core/launch-record.ts';
import { fieldsOf, isCount, isListOf, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './table.ts';

/** How programs were started, by system name. */
export const launchKind: RecordKind<LaunchRecord> = {
  table: 'launches',
  parse: (value) => {
    const { argv, executable, cwd, environment, uid, gid, groups, unconfined, ...more } = fieldsOf(value);
    if (!isListOf(argv, isText) || !isText(executable) || !isText(cwd) || !isListOf(environment, isText)) return undefined;
    if (!isCount(uid) || !isCount(gid) || !isListOf(groups, isCount)) return undefined;
    const surroundings = more.surroundings === undefined ? undefined : surroundingsOf(more.surroundings);
    if (surroundings === 'wrong') return undefined;
    return {
      ...{ argv, executable, cwd, environment, uid, gid, groups },
      ...(unconfined === true ? { unconfined } : {}),
      ...(surroundings === undefined ? {} : { surroundings }),
    };
  },
};

/** How the copies beside the first were started, by system name. */
export const furtherLaunchKind: RecordKind<readonly LaunchRecord[]> = {
  table: 'further_launches',
  parse: (value) => {
    const records = Array.isArray(value) ? value.map(launchKind.parse) : [undefined];
    return records.every((record) => record !== undefined) ? records : undefined;
  },
};

/** What else is known of how programs run, by system name. */
export const launchNoteKind: RecordKind<LaunchNote> = {
  table: 'launch_notes',
  parse: (value) => {
    const { unusable, copies } = fieldsOf(value);
    if (!(unusable === undefined || isText(unusable)) || !(copies === undefined || isCount(copies))) return undefined;
    return { ...(unusable !== undefined && { unusable }), ...(copies !== undefined && { copies }) };
  },
};

/** The launch records; setting what is known already costs no write. */
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

/** The surroundings in a launch record; `wrong` where they make no sense. What is absent there is absent. */
function surroundingsOf(value: unknown): Surroundings | 'wrong' {
  const { limits, umask, nice, ignoredSignals, standardOutput, standardError, memoryMax, tasksMax } = fieldsOf(value);
  // In the order in which they are read from a process: records are compared as text.
  const fields: readonly (readonly [name: keyof Surroundings, value: unknown, makesSense: boolean])[] = [
    ['limits', limits, isLimits(limits)],
    ['umask', umask, isCount(umask) && umask <= 0o777],
    ['nice', nice, Number.isInteger(nice) && Math.abs(Number(nice)) <= MOST_NICE],
    ['ignoredSignals', ignoredSignals, isListOf(ignoredSignals, isSignal)],
    ['standardOutput', standardOutput, isPath(standardOutput)],
    ['standardError', standardError, isPath(standardError)],
    ['memoryMax', memoryMax, isCount(memoryMax)],
    ['tasksMax', tasksMax, isCount(tasksMax) || tasksMax === 'unlimited'],
  ];
  const there = fields.filter(([, field]) => field !== undefined);
  if (there.some(([, , makesSense]) => !makesSense)) return 'wrong';
  return Object.fromEntries(there);
}

const MOST_NICE = 20;

function isLimits(value: unknown): value is Partial<Record<Resource, ResourceLimit>> {
  return Object.entries(fieldsOf(value)).every(([name, limit]) => {
    const { soft, hard } = fieldsOf(limit);
    return RESOURCES.some((resource) => resource === name) && isBound(soft) && isBound(hard);
  });
}

function isBound(value: unknown): boolean {
  return isText(value) && /^(?:\d{1,20}|unlimited)$/.test(value);
}

function isSignal(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 31;
}

function isPath(value: unknown): boolean {
  return isText(value) && /^\/[^\p{Cc}]+$/u.test(value);
}
