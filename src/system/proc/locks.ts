import { statSync } from 'node:fs';
import { attempt, ProcFiles } from './files.ts';

/**
 * The process that holds a write lock of fcntl(2) on a file, as this machine's kernel lists it; undefined if none does, or that cannot be
 * told. The file is not opened: who has a lock on it would lose it when it closes it again. Source: proc_locks(5).
 */
export function lockHolder(path: string, files = new ProcFiles('/proc')): LockHolder | undefined {
  const file = attempt(() => statSync(path, { bigint: true }));
  const { text } = files.longText('locks', TABLE_LIMIT) ?? { text: '' };
  for (const line of file === undefined ? [] : text.split('\n')) {
    // Those who wait for one have an arrow before the first word. By which device a file is known here some file systems do not tell.
    const [, pid, ofInode] = /^\d+: POSIX +ADVISORY +WRITE +(\d+) [\da-f]+:[\da-f]+:(\d+) /.exec(line) ?? [];
    if (ofInode === String(file?.ino) && Number(pid) > 0) return { pid: Number(pid), owner: Number(file?.uid) };
  }
  return undefined;
}

/** Who has a lock, and the user to whom the file belongs. */
interface LockHolder {
  readonly pid: number;
  readonly owner: number;
}

const TABLE_LIMIT = 4 * 1024 * 1024;
