import { hasEnded } from '../../system/proc/parse.ts';
import type { ProcessIdentity, ProcessTable } from '../../system/proc/table.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isRestartedBySystemd, isUp } from './state.ts';

/** The processes whose end is the unit's: its main process; of a unit that has none and is up, all in its cgroup, the oldest first. */
export async function processesOfUnit(table: ProcessTable, status: UnitStatus): Promise<ProcessIdentity[]> {
  if (isRestartedBySystemd(status)) return [];
  if (status.mainPid > 0) {
    const main = table.read(status.mainPid, FIELDS);
    return main === undefined || hasEnded(main) ? [] : [main];
  }
  if (!isUp(status) || status.controlGroup === '') return [];
  const isInside = (cgroup: string | undefined): boolean =>
    cgroup === status.controlGroup || cgroup?.startsWith(`${status.controlGroup}/`) === true;
  return (await table.survey([...FIELDS, 'cgroup']))
    .filter((process) => !hasEnded(process) && isInside(process.cgroup))
    .sort((a, b) => a.startTime - b.startTime);
}

const FIELDS = ['startTime', 'state', 'threads'] as const;
