import { statSync } from 'node:fs';
import { ProcFiles, tryRead } from './files.ts';

/**
 * The process that holds a write lock of fcntl(2) on a file, as this machine's kernel lists it; undefined if none does, or if
 * that is unknown. The file is not opened: a process with a lock on it would lose the lock when it closes the file again.
 * Source: proc_locks(5).
 */
export function lockHolder(path: string, files = new ProcFiles('/proc')): LockHolder | undefined {
  const file = tryRead(() => statSync(path, { bigint: true }));
  const { text } = files.longText('locks', TABLE_LIMIT) ?? { text: '' };
  for (const line of file === undefined ? [] : text.split('\n')) {
    // A process that waits for a lock has an arrow before the first word. The device is not compared: some file systems do not
    // reveal by which device this list knows a file.
    const [, pid, ofInode] = /^\d+: POSIX +ADVISORY +WRITE +(\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line) ?? [];
    if (ofInode === String(file?.ino) && Number(pid) > 0) return { pid: Number(pid), owner: Number(file?.uid) };
  }
  return undefined;
}

/** The process that holds a lock, and the user who owns the file. */
interface LockHolder {
  readonly pid: number;
  readonly owner: number;
}

const TABLE_LIMIT = 4 * 1024 * 1024;
