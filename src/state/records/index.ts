import type { Clock } from '../../core/clock.ts';
import type { DaemonState } from '../daemon-state.ts';
import type { DiskTable, RecordSink } from '../disk.ts';
import { HistoryTable } from '../history.ts';
import { breakerKind, breakerRecordsOf } from './breakers.ts';
import { handledAlarmsOf, handledKind } from './handled-alarms.ts';
import { holdKind, holdRecordsOf } from './holds.ts';
import { journalKind, journalOf } from './journal.ts';
import { keptAlarmKind, keptAlarmRecordsOf } from './kept-alarms.ts';
import { furtherLaunchKind, launchKind, launchNoteKind, launchRecordsOf } from './launches.ts';
import { pinKind, pinRecordsOf } from './pins.ts';
import { programRootKind, programRootsOf } from './program-roots.ts';
import { RecordTable } from './table.ts';
import { unitsWithProcessesOf, unitWithProcessesKind } from './units-with-processes.ts';
import { unprovedAlarmsOf, unprovedKind } from './unproved-alarms.ts';
import { watchedLifeKind, watchedLifeRecordsOf } from './watched-lives.ts';

/** The tables and what the daemon sees of them. */
export function createViews(
  sink: RecordSink,
  clock: Clock,
  bootId: string,
): { readonly tables: readonly DiskTable[]; readonly views: Omit<DaemonState, 'close'> } {
  const journal = new RecordTable(journalKind, sink);
  const breakers = new RecordTable(breakerKind, sink);
  const handled = new RecordTable(handledKind, sink);
  const unproved = new RecordTable(unprovedKind, sink);
  const holds = new RecordTable(holdKind, sink);
  const launches = new RecordTable(launchKind, sink);
  const furtherLaunches = new RecordTable(furtherLaunchKind, sink);
  const launchNotes = new RecordTable(launchNoteKind, sink);
  const pins = new RecordTable(pinKind, sink);
  const roots = new RecordTable(programRootKind, sink);
  const kept = new RecordTable(keptAlarmKind, sink);
  const lives = new RecordTable(watchedLifeKind, sink);
  const withProcesses = new RecordTable(unitWithProcessesKind, sink);
  const history = new HistoryTable(sink);
  return {
    tables: [
      journal,
      breakers,
      handled,
      unproved,
      holds,
      launches,
      furtherLaunches,
      launchNotes,
      pins,
      roots,
      kept,
      lives,
      withProcesses,
      history,
    ],
    views: {
      journal: journalOf(journal),
      breakers: breakerRecordsOf(breakers, clock, bootId),
      handled: handledAlarmsOf(handled),
      unproved: unprovedAlarmsOf(unproved),
      holds: holdRecordsOf(holds),
      launches: launchRecordsOf(launches, furtherLaunches, launchNotes),
      pins: pinRecordsOf(pins),
      roots: programRootsOf(roots, bootId),
      kept: keptAlarmRecordsOf(kept),
      lives: watchedLifeRecordsOf(lives, bootId),
      unitsWithProcesses: unitsWithProcessesOf(withProcesses),
      history,
    },
  };
}
