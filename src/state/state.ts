import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { makeFolder } from '../system/files/make-folder.ts';
import { readBootId } from './boot-id.ts';
import type { DaemonState } from './daemon-state.ts';
import { Disk } from './disk.ts';
import type { HolderRole } from './holder.ts';
import { acquireLock, type Lock } from './lock.ts';
import { createViews } from './records/index.ts';

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

/**
 * Makes `dir` (mode 0700) where there is none. Why it cannot be used, in one line, or undefined: what stands in it is started
 * again by us, so nobody else may write there, or put another in its place.
 */
function prepareStateDir(dir: string): string | undefined {
  try {
    makeFolder(dir, 0o700);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
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
