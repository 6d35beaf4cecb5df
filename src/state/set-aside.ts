import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { localTimestamp } from '../core/clock.ts';

/**
 * Moves a damaged database out of the way, with its -wal and -shm, to `NAME.damaged-YYYYMMDDHHMMSS`; of these the newest three
 * are kept. Returns the new path; throws where the disk does not let us.
 */
export function setAside(path: string, date: Date): string {
  const aside = `${path}.damaged-${localTimestamp(date).replace(/\D/g, '')}`;
  renameSync(path, aside);
  for (const companion of COMPANIONS) {
    try {
      renameSync(path + companion, aside + companion);
    } catch {
      // Mostly there is none.
    }
  }
  forget(path);
  return aside;
}

const COMPANIONS = ['-wal', '-shm'];
const KEPT = 3;

/** A dying disk must not fill itself with copies. */
function forget(path: string): void {
  const prefix = `${basename(path)}.damaged-`;
  const kept = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(prefix) && /^\d{14}$/.test(name.slice(prefix.length)),
  );
  for (const name of kept.sort().slice(0, -KEPT)) {
    for (const suffix of ['', ...COMPANIONS]) rmSync(join(dirname(path), name + suffix), { recursive: true, force: true });
  }
}
