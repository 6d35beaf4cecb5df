// Opens the daemon's persistent state.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { makeFolder } from '../system/files/make-folder.ts';
import { readBootId } from './boot-id.ts';
import type { DaemonState } from './daemon-state.ts';
import { Disk } from './disk.ts';
import { HistoryTable } from './history.ts';
import type { HolderRole } from './holder.ts';
import { IncidentTable } from './incidents.ts';
import { acquireLock, type Lock } from './lock.ts';
import { createViews } from './records/index.ts';
import { ResultTable } from './results.ts';
import { TimelineTable } from './timeline.ts';

/** What the state needs. */
interface StateOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** The boot in which `clock` counts; default: the kernel's boot id. */
  readonly bootId?: string;
  /** The role in which the directory is held; default: the daemon. */
  readonly role?: HolderRole;
}

/**
 * Opens the daemon's persistent state in `dir`, which is created if it is missing (0700): `state.db` (0600, WAL), the lock and
 * the pid file; and, once something happens, `history.db`. A damaged file is moved away with a warning. If the disk is not
 * available, one error is logged and the state continues in memory. Only a directory that another daemon holds is refused: throws
 * a StateHeldError.
 */
export function openState(dir: string, options: StateOptions): DaemonState {
  const { log, clock } = options;
  let lock: Lock | undefined;
  // Before each opening of the file: a disk that becomes available later is locked before it is written to.
  const prepare = (): string | undefined => {
    const problem = prepareStateDir(dir);
    if (problem !== undefined || lock?.kind === 'acquired') return problem;
    lock = acquireLock(dir, options.role);
    if (lock.kind === 'held') return heldMessage(dir, lock.pid);
    return lock.kind === 'unavailable' ? lock.reason : undefined;
  };
  prepare();
  if (lock?.kind === 'held') throw new StateHeldError(dir, lock.pid);
  const crashed = lastEnd(join(dir, STATE_FILE));
  const disk = new Disk({ path: join(dir, STATE_FILE), version: STATE_VERSION, isChecked: true, log, clock, prepare });
  const { tables, views } = createViews(disk, clock, options.bootId ?? readBootId());
  disk.open(tables);
  // Not checked: it may be large, and nothing that the daemon does depends on it.
  const historyDisk = new Disk({
    path: join(dir, HISTORY_FILE),
    version: HISTORY_VERSION,
    isChecked: false,
    log,
    clock,
    prepare,
    isReported: () => disk.problem() === undefined,
  });
  const history = new HistoryTable(historyDisk, disk);
  const incidents = new IncidentTable(historyDisk);
  const timeline = new TimelineTable(historyDisk, clock);
  const results = new ResultTable(historyDisk);
  // Before the history, of which something goes only if there are no more results that can go.
  historyDisk.use([results, history, incidents, timeline]);
  return {
    ...views,
    history,
    incidents,
    timeline,
    results,
    crashed,
    problem: () => disk.problem(),
    close: () => {
      historyDisk.close();
      disk.close();
      if (lock?.kind === 'acquired') lock.release();
    },
  };
}

/**
 * Creates `dir` (mode 0700) if there is none. Returns why it cannot be used, in one line, or undefined. We start programs again
 * from what it contains, so nobody else may write there or replace the directory.
 */
function prepareStateDir(dir: string): string | undefined {
  try {
    makeFolder(dir, 0o700);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

/** Whether the last daemon left a log that was not merged into the file: closing it removes that. */
function lastEnd(path: string): boolean | null {
  return existsSync(path) ? existsSync(`${path}-wal`) : null;
}

/** The databases in a state_dir. */
export const STATE_FILE = 'state.db';
export const HISTORY_FILE = 'history.db';

/**
 * 2: kept alarms and watched lives; 3: further launches, pins, program roots and launch notes; 4: units with processes; 5: last
 * recoveries, and the history moves to a file of its own; 6: states of checks.
 */
const STATE_VERSION = 6;
/** 2: timeline, results and rollups. */
const HISTORY_VERSION = 2;

/** Another daemon runs on the same state_dir. */
export class StateHeldError extends Error {
  readonly code = 'STATE_HELD';
  readonly dir: string;
  /** The pid of the other daemon; undefined if it could not write its pid. */
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
