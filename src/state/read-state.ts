import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { readBootId } from './boot-id.ts';
import type { DaemonState } from './daemon-state.ts';
import { Database } from './database.ts';
import { createViews } from './records/index.ts';
import { STATE_FILE } from './state.ts';

/** What came of a look at a state_dir. */
type StateLook =
  | {
      readonly kind: 'read';
      readonly state: DaemonState;
    }
  /** No daemon has ever written there. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * A look at the daemon's memory while the daemon is down, without the lock and without a change: what is set or deleted in the
 * `state` it gives goes nowhere. To be closed. Never throws.
 */
export function readState(dir: string, clock: Clock, bootId: string = readBootId()): StateLook {
  const path = join(dir, STATE_FILE);
  let database: Database | undefined;
  try {
    statSync(path);
    const opened = new Database(readOnlyUrl(path), { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    database = opened;
    const { tables, views } = createViews({ write: () => {}, read: (look) => look(opened) }, clock, bootId);
    // A file of an earlier version lacks some of them until a daemon has opened it.
    const names = new Set(opened.all('SELECT name FROM sqlite_schema').map(({ name }) => name));
    for (const table of tables) if (names.has(table.name)) table.load(opened);
    return { kind: 'read', state: { ...views, close: () => opened.close() } };
  } catch (error) {
    database?.close();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'failed', reason: `${path}: ${errorMessage(error)}` };
  }
}

/** The memory of a daemon that never was: what is written to it goes nowhere. */
export function emptyState(clock: Clock): DaemonState {
  const { views } = createViews({ write: () => {}, read: (_, fallback) => fallback }, clock, readBootId());
  return { ...views, close: () => {} };
}

/**
 * SQLite makes a -shm file even for a reader, unless it is told that the file cannot change: true where no -wal is left, for
 * then the last daemon ended in order.
 */
function readOnlyUrl(path: string): URL {
  const url = pathToFileURL(path);
  if (!existsSync(`${path}-wal`)) url.search = '?immutable=1';
  return url;
}

const BUSY_TIMEOUT_MS = 250;
