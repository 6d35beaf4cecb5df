import type { WatchedLife, WatchedLifeRecords } from './daemon-state.ts';
import { dateOf, fieldsOf, isCount, isMilliseconds, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** What is known of the lives of watched processes, by process name. */
export const watchedLifeKind: RecordKind<WatchedLife> = {
  table: 'watched_lives',
  parse: (value) => {
    const { processName, pid, since, unit, exits, lastExit } = fieldsOf(value);
    const started = since === null ? null : dateOf(since);
    const last = lastExit === null ? null : lastExitOf(lastExit);
    if (!isText(processName) || !isCount(pid) || !isCount(exits) || started === undefined || last === undefined)
      return undefined;
    return { processName, pid, since: started, unit: isText(unit) ? unit : null, exits, lastExit: last };
  },
};

/** The watched lives. */
export function watchedLifeRecordsOf(table: RecordTable<WatchedLife>): WatchedLifeRecords {
  return {
    get: (processName) => table.get(processName),
    set: (life) => table.put(life.processName, life, 'written'),
    delete: (processName) => table.remove(processName, 'written'),
    list: () => table.all(),
  };
}

function lastExitOf(value: unknown): WatchedLife['lastExit'] | undefined {
  const { at, cause, uptimeMs, expected } = fieldsOf(value);
  const date = dateOf(at);
  if (date === undefined || !isText(cause) || !isMilliseconds(uptimeMs) || typeof expected !== 'boolean') return undefined;
  return { at: date, cause, uptimeMs, expected };
}
