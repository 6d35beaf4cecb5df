import { readLaunchRecord } from '../../src/system/launch/read-record.ts';
import type { ProcessTable } from '../../src/system/proc/table.ts';
import { waitFor } from './wait-for.ts';

/** How the process was started, once a look can tell: on a busy machine its memory may be locked, or still changing, for a while. */
export function settledRecord(table: ProcessTable, pid: number, starter = process.pid): ReturnType<typeof readLaunchRecord> {
  return waitFor('a look that tells', async () => {
    const reading = await readLaunchRecord(table, pid, starter);
    return reading.kind === 'unusable' && reading.passing === true ? undefined : reading;
  });
}
