import type { LaunchRecord, LaunchRecords } from '../core/launch-record.ts';
import { fieldsOf, isCount, isListOf, isText } from './json-fields.ts';
import { surroundingsOf } from './launch-surroundings.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

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

/** The launch records; setting what is known already costs no write. */
export function launchRecordsOf(table: RecordTable<LaunchRecord>): LaunchRecords {
  return {
    get: (systemName) => table.get(systemName),
    set: (systemName, record) => table.put(systemName, record, 'written'),
  };
}
