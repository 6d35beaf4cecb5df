import type { WatchedLife, WatchedLifeRecords } from './daemon-state.ts';
import { dateOf, fieldsOf, isCount, isMilliseconds, isText } from './json-fields.ts';
import type { RecordKind, RecordTable } from './record-table.ts';

/** A life as it was in one boot. */
interface WatchedLifeRecord extends WatchedLife {
  /** /proc/sys/kernel/random/boot_id; empty where unknown. */
  readonly bootId: string;
}

/** What is known of the lives of watched processes, by process name. */
export const watchedLifeKind: RecordKind<WatchedLifeRecord> = {
  table: 'watched_lives',
  parse: (value) => {
    const { processName, pid, since, unit, exits, lastExit, bootId } = fieldsOf(value);
    const started = since === null ? null : dateOf(since);
    const last = lastExit === null ? null : lastExitOf(lastExit);
    if (!isText(processName) || !isCount(pid) || !isCount(exits) || started === undefined || last === undefined)
      return undefined;
    const [unitName, boot] = [isText(unit) ? unit : null, isText(bootId) ? bootId : ''];
    return { processName, pid, since: started, unit: unitName, exits, lastExit: last, bootId: boot };
  },
};

/** The watched lives, as the boot `bootId` sees them: nothing that ran in another one, or on the machine of a copied file, runs. */
export function watchedLifeRecordsOf(table: RecordTable<WatchedLifeRecord>, bootId: string): WatchedLifeRecords {
  const seen = ({ bootId: of, beforeBoot: _, ...life }: WatchedLifeRecord): WatchedLife =>
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

function lastExitOf(value: unknown): WatchedLife['lastExit'] | undefined {
  const { at, cause, uptimeMs, expected, ours } = fieldsOf(value);
  const date = dateOf(at);
  if (date === undefined || !isText(cause) || !isMilliseconds(uptimeMs) || typeof expected !== 'boolean') return undefined;
  return { at: date, cause, uptimeMs, expected, ...(ours === true && { ours }) };
}
