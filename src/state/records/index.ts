import type { Clock } from '../../core/clock.ts';
import type { DaemonState } from '../daemon-state.ts';
import type { DiskTable, RecordSink } from '../disk.ts';
import { breakerKind, breakerRecordsOf } from './breakers.ts';
import { checkStateKind, checkStateRecordsOf } from './check-states.ts';
import { handledAlarmsOf, handledKind } from './handled-alarms.ts';
import { holdKind, holdRecordsOf } from './holds.ts';
import { journalKind, journalOf } from './journal.ts';
import { keptAlarmKind, keptAlarmRecordsOf } from './kept-alarms.ts';
import { lastRecoveryKind, lastRecoveryRecordsOf } from './last-recoveries.ts';
import { furtherLaunchKind, launchKind, launchNoteKind, launchRecordsOf } from './launches.ts';
import { pinKind, pinRecordsOf } from './pins.ts';
import { programRootKind, programRootsOf } from './program-roots.ts';
import { type RecordKind, RecordTable } from './table.ts';
import { unitsWithProcessesOf, unitWithProcessesKind } from './units-with-processes.ts';
import { unprovedAlarmsOf, unprovedKind } from './unproved-alarms.ts';
import { watchedLifeKind, watchedLifeRecordsOf } from './watched-lives.ts';

/** Creates the tables of records in state.db, and the daemon's views of them. */
export function createViews(
  sink: RecordSink,
  clock: Clock,
  bootId: string,
): {
  readonly tables: readonly DiskTable[];
  readonly views: Omit<DaemonState, 'history' | 'incidents' | 'timeline' | 'results' | 'crashed' | 'close'>;
} {
  const tables: DiskTable[] = [];
  const tableOf = <T>(kind: RecordKind<T>): RecordTable<T> => {
    const table = new RecordTable(kind, sink);
    tables.push(table);
    return table;
  };
  const views = {
    journal: journalOf(tableOf(journalKind)),
    breakers: breakerRecordsOf(tableOf(breakerKind), clock, bootId),
    handled: handledAlarmsOf(tableOf(handledKind)),
    unproved: unprovedAlarmsOf(tableOf(unprovedKind)),
    holds: holdRecordsOf(tableOf(holdKind)),
    launches: launchRecordsOf(tableOf(launchKind), tableOf(furtherLaunchKind), tableOf(launchNoteKind)),
    pins: pinRecordsOf(tableOf(pinKind)),
    roots: programRootsOf(tableOf(programRootKind), bootId),
    kept: keptAlarmRecordsOf(tableOf(keptAlarmKind)),
    lives: watchedLifeRecordsOf(tableOf(watchedLifeKind), bootId),
    unitsWithProcesses: unitsWithProcessesOf(tableOf(unitWithProcessesKind)),
    lastRecoveries: lastRecoveryRecordsOf(tableOf(lastRecoveryKind)),
    checkStates: checkStateRecordsOf(tableOf(checkStateKind)),
  };
  return { tables, views };
}
