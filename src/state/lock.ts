import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { createFile, Database, isBusy, isDamage } from './database.ts';
import { type HolderRole, LOCK_FILE, lookForHolder, removeHolder, writeHolder } from './holder.ts';

/** What came of asking for the lock. */
export type Lock =
  | { readonly kind: 'acquired'; release(): void }
  /** `pid` is undefined where the holder could not write it down. */
  | { readonly kind: 'held'; readonly pid: number | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Takes the lock on `dir` that makes its holder the only daemon there: an exclusive SQLite transaction on `daemon.lock`, that
 * is an fcntl(2) lock of the kernel's, gone with the process however it dies, and given to one of two starters. The holder
 * writes itself down in `daemon.pid`, as a daemon unless it says otherwise. Never throws.
 */
export function acquireLock(dir: string, role: HolderRole = { kind: 'daemon' }): Lock {
  const path = join(dir, LOCK_FILE);
  let database: Database | undefined;
  try {
    const problem = createFile(path);
    if (problem !== undefined) return { kind: 'unavailable', reason: `${path}: ${problem}` };
    database = new Database(path, { timeout: 0 });
    // No journal file: nothing is ever written, and a full disk must not stand in the way.
    database.run('PRAGMA journal_mode = MEMORY');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (isBusy(error)) return { kind: 'held', pid: awaitHolder(dir) };
    if (isDamage(error) && emptied(path)) return acquireLock(dir, role);
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

/** The process id of who runs on `dir`; undefined if nobody does, or that cannot be told. */
export function readHolder(dir: string): number | undefined {
  const holder = lookForHolder(dir);
  return holder.kind === 'runs' ? holder.pid : undefined;
}

/** A holder that has just taken the lock has not written its pid yet. */
function awaitHolder(dir: string): number | undefined {
  for (let i = 0; i < 20; i++) {
    const pid = readHolder(dir);
    if (pid !== undefined) return pid;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  return undefined;
}

/** Empties a lock file that is no database; nobody can hold a lock on such a one. False where that cannot be done. */
function emptied(path: string): boolean {
  try {
    truncateSync(path);
    return true;
  } catch {
    return false;
  }
}
