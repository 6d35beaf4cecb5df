import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.ts';
import { readBootId } from './boot-id.ts';
import { createFile, Database, isBusy, isDamage } from './database.ts';

/** What came of asking for the lock. */
export type Lock =
  | { readonly kind: 'acquired'; release(): void }
  /** `pid` is undefined where the holder could not write it down. */
  | { readonly kind: 'held'; readonly pid: number | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string };

/**
 * Takes the lock on `dir` that makes its holder the only daemon there: an exclusive SQLite transaction on `daemon.lock`, that
 * is an fcntl(2) lock of the kernel's, gone with the process however it dies, and given to one of two starters. The holder
 * writes itself down in `daemon.pid`. Never throws.
 */
export function acquireLock(dir: string): Lock {
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
    if (isDamage(error) && emptied(path)) return acquireLock(dir);
    return { kind: 'unavailable', reason: `${path}: ${errorMessage(error)}` };
  }
  writeHolder(dir);
  const held = database;
  return {
    kind: 'acquired',
    release: () => {
      rmSync(join(dir, PID_FILE), { force: true });
      held.close();
    },
  };
}

/**
 * The process id of the daemon that runs on `dir`; undefined where none does. Touches nothing: identity is pid, start time and
 * boot, so that a file left by a crash names nobody.
 */
export function readHolder(dir: string): number | undefined {
  try {
    const [pid = '', started = '', bootId = ''] = readFileSync(join(dir, PID_FILE), 'latin1').trim().split(' ');
    const alive = /^\d+$/.test(pid) && startTime(pid) === started && bootId === readBootId();
    return alive ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

const LOCK_FILE = 'daemon.lock';
const PID_FILE = 'daemon.pid';

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

/** By rename, so that a reader never sees half of it. The lock holds without it: a full disk is no reason not to start. */
function writeHolder(dir: string): void {
  const path = join(dir, PID_FILE);
  try {
    writeFileSync(`${path}.new`, `${process.pid} ${startTime(String(process.pid))} ${readBootId()}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    rmSync(`${path}.new`, { force: true });
    rmSync(path, { force: true });
  }
}

/** Field 22 of proc_pid_stat(5); the name before it may hold blanks and brackets. Throws where there is no such process. */
function startTime(pid: string): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
