// The lock on a state_dir, which lets only one daemon run there.
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { createFile, Database, isBusy, isDamage } from './database.ts';
import { type HolderRole, LOCK_FILE, lookForHolder, removeHolder, writeHolder } from './holder.ts';

/** The result of asking for the lock. */
export type Lock =
  | { readonly kind: 'acquired'; release(): void }
  /** `pid` is undefined if the holder could not register it. */
  | { readonly kind: 'held'; readonly pid: number | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Takes the lock on `dir` that makes its holder the only daemon there: an exclusive SQLite transaction on `daemon.lock`. That
 * is an fcntl(2) lock of the kernel, which ends with the process however it dies, and which only one of two starters gets. The
 * holder registers in `daemon.pid`, as the daemon unless `role` says otherwise. Never throws.
 */
export function acquireLock(dir: string, role: HolderRole = { kind: 'daemon' }): Lock {
  const path = join(dir, LOCK_FILE);
  let database: Database | undefined;
  try {
    const problem = createFile(path);
    if (problem !== undefined) return { kind: 'unavailable', reason: `${path}: ${problem}` };
    database = new Database(path, { timeout: 0 });
    // No journal file: nothing is ever written, and a full disk must not prevent the lock.
    database.run('PRAGMA journal_mode = MEMORY');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (isBusy(error)) return { kind: 'held', pid: awaitHolder(dir) };
    if (isDamage(error) && emptyLockFile(path)) return acquireLock(dir, role);
    return { kind: 'unavailable', reason: `${path}: ${errorMessage(error)}` };
  }
  writeHolder(dir, role);
  const held = database;
  return {
    kind: 'acquired',
    release: () => {
      removeHolder(dir);
      held.close();
    },
  };
}

/** The pid of the process that runs on `dir`; undefined if there is none, or if it cannot be determined. */
function readHolder(dir: string): number | undefined {
  const holder = lookForHolder(dir);
  return holder.kind === 'runs' ? holder.pid : undefined;
}

/** A holder that has just taken the lock may not have written its pid yet. */
function awaitHolder(dir: string): number | undefined {
  for (let i = 0; i < 20; i++) {
    const pid = readHolder(dir);
    if (pid !== undefined) return pid;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  return undefined;
}

/** Empties a lock file that is not a database; nobody can hold a lock on such a file. False if this fails. */
function emptyLockFile(path: string): boolean {
  try {
    truncateSync(path);
    return true;
  } catch {
    return false;
  }
}
