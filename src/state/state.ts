import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { readBootId } from './boot-id.ts';
import { breakerKind, breakerRecordsOf } from './breaker-records.ts';
import type { DaemonState } from './daemon-state.ts';
import { Disk, type DiskTable, type RecordSink } from './disk.ts';
import { handledAlarmsOf, handledKind } from './handled-alarms.ts';
import { HistoryTable } from './history.ts';
import { holdKind, holdRecordsOf } from './hold-records.ts';
import type { HolderRole } from './holder.ts';
import { journalKind, journalOf } from './journal.ts';
import { keptAlarmKind, keptAlarmRecordsOf } from './kept-alarm-records.ts';
import { furtherLaunchKind, launchKind, launchNoteKind, launchRecordsOf } from './launch-records.ts';
import { acquireLock, type Lock } from './lock.ts';
import { pinKind, pinRecordsOf } from './pin-records.ts';
import { programRootKind, programRootsOf } from './program-root-records.ts';
import { RecordTable } from './record-table.ts';
import { prepareStateDir } from './state-dir.ts';
import { unitsWithProcessesOf, unitWithProcessesKind } from './unit-with-processes-records.ts';
import { unprovedAlarmsOf, unprovedKind } from './unproved-alarms.ts';
import { watchedLifeKind, watchedLifeRecordsOf } from './watched-life-records.ts';

/** What the memory is given. */
interface StateOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Of the boot that `clock` counts in; the kernel's own where left out. */
  readonly bootId?: string;
  /** As what the directory is held; as the daemon unless given. */
  readonly role?: HolderRole;
}

/**
 * Opens the daemon's memory in `dir`, made where missing (0700): `state.db` (0600, WAL), the lock and the pid file. A damaged
 * file is set aside with a warning. Where the disk is not to be had it complains once and serves from memory; only a directory
 * that another daemon has is refused: throws a StateHeldError.
 */
export function openState(dir: string, options: StateOptions): DaemonState {
  const { log, clock } = options;
  let lock: Lock | undefined;
  // Before each opening of the file: a disk that comes back later is locked before it is written to.
  const prepare = (): string | undefined => {
    const problem = prepareStateDir(dir);
    if (problem !== undefined || lock?.kind === 'acquired') return problem;
    lock = acquireLock(dir, options.role);
    if (lock.kind === 'held') return heldMessage(dir, lock.pid);
    return lock.kind === 'unavailable' ? lock.reason : undefined;
  };
  prepare();
  if (lock?.kind === 'held') throw new StateHeldError(dir, lock.pid);
  const disk = new Disk({ path: join(dir, STATE_FILE), log, clock, prepare });
  const { tables, views } = createViews(disk, clock, options.bootId ?? readBootId());
  disk.open(tables);
  return {
    ...views,
    close: () => {
      disk.close();
      if (lock?.kind === 'acquired') lock.release();
    },
  };
}

/** The database in a state_dir. */
export const STATE_FILE = 'state.db';

/** Another daemon runs on the same state_dir. */
export class StateHeldError extends Error {
  readonly code = 'STATE_HELD';
  readonly dir: string;
  /** The other daemon; undefined where it could not write its pid down. */
  readonly pid: number | undefined;

  constructor(dir: string, pid: number | undefined) {
    super(heldMessage(dir, pid));
    this.name = 'StateHeldError';
    this.dir = dir;
    this.pid = pid;
  }
}

function heldMessage(dir: string, pid: number | undefined): string {
  return `another monitor_service (${pid === undefined ? 'pid unknown' : `pid ${pid}`}) runs on ${dir}`;
}

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
