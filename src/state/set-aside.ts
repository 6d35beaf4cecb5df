import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { localTimestamp } from '../core/clock.ts';

/**
 * Moves a damaged database, with its -wal and -shm, to `NAME.damaged-YYYYMMDDHHMMSS`, and keeps the newest three. Returns the
 * new path; throws if the disk does not allow it.
 */
export function setAside(path: string, date: Date): string {
  const aside = `${path}.damaged-${localTimestamp(date).replace(/\D/g, '')}`;
  renameSync(path, aside);
  for (const companion of COMPANIONS) {
    try {
      renameSync(path + companion, aside + companion);
    } catch {
      // Usually there is none.
    }
  }
  deleteOldest(path);
  return aside;
}

const COMPANIONS = ['-wal', '-shm'];
const KEPT = 3;

/** A failing disk must not be filled with copies. */
function deleteOldest(path: string): void {
  const prefix = `${basename(path)}.damaged-`;
  const kept = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(prefix) && /^\d{14}$/.test(name.slice(prefix.length)),
  );
  for (const name of kept.sort().slice(0, -KEPT)) {
    for (const suffix of ['', ...COMPANIONS]) rmSync(join(dirname(path), name + suffix), { recursive: true, force: true });
  }
}
