// Reads the state while the daemon is down.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { readBootId } from './boot-id.ts';
import type { DaemonState } from './daemon-state.ts';
import { Database } from './database.ts';
import type { RecordSink } from './disk.ts';
import { HistoryTable } from './history.ts';
import { IncidentTable } from './incidents.ts';
import { createViews } from './records/index.ts';
import { ResultTable } from './results.ts';
import { HISTORY_FILE, STATE_FILE } from './state.ts';
import { TimelineTable } from './timeline.ts';

/** The result of reading a state_dir. */
type StateLook =
  | {
      readonly kind: 'read';
      readonly state: DaemonState;
    }
  /** No daemon has ever written there. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * Reads the daemon's state while the daemon is down, without the lock and without changing anything: what is set or deleted in
 * the returned `state` is discarded. Close it after use. Never throws.
 */
export function readState(dir: string, clock: Clock, bootId: string = readBootId()): StateLook {
  const path = join(dir, STATE_FILE);
  let database: Database | undefined;
  try {
    statSync(path);
    const opened = new Database(readOnlyUrl(path), { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    database = opened;
    const { tables, views } = createViews({ write: () => {}, read: (look) => look(opened) }, clock, bootId);
    // A file of an earlier version lacks some tables until a daemon has opened it.
    const names = new Set(opened.all('SELECT name FROM sqlite_schema').map(({ name }) => name));
    for (const table of tables) if (names.has(table.name)) table.load(opened);
    // An earlier version wrote the history into state.db.
    const found = names.has('history') ? { database: opened } : openHistory(join(dir, HISTORY_FILE));
    const recorded = found.database;
    const sink: RecordSink = { write: () => {}, read: (look, fallback) => lookAt(recorded, look, fallback) };
    const history = new HistoryTable(sink);
    const incidents = new IncidentTable(sink);
    const timeline = new TimelineTable(sink, clock);
    const results = new ResultTable(sink);
    const close = (): void => {
      recorded?.close();
      opened.close();
    };
    const unreadable = found.problem === undefined ? {} : { unreadable: found.problem };
    return { kind: 'read', state: { ...views, history, incidents, timeline, results, ...unreadable, crashed: null, close } };
  } catch (error) {
    database?.close();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'failed', reason: `${path}: ${errorMessage(error)}` };
  }
}

/** What `look` finds; `fallback` if there is nothing to look at, or if it cannot be read. */
function lookAt<T>(database: Database | undefined, look: (database: Database) => T, fallback: T): T {
  try {
    return database === undefined ? fallback : look(database);
  } catch {
    return fallback;
  }
}

/** The history, or why it cannot be read, in one line; neither if there is none. */
function openHistory(path: string): { readonly database?: Database; readonly problem?: string } {
  if (!existsSync(path)) return {};
  let database: Database | undefined;
  try {
    database = new Database(readOnlyUrl(path), { timeout: BUSY_TIMEOUT_MS, readOnly: true });
    database.all('SELECT 1 FROM history LIMIT 1');
    return { database };
  } catch (error) {
    database?.close();
    return { problem: `${path}: ${errorMessage(error)}` };
  }
}

/** An empty state; what is written to it is discarded. `unreadable`: why the real one could not be read. */
export function emptyState(clock: Clock, unreadable?: string): DaemonState {
  const sink: RecordSink = { write: () => {}, read: (_, fallback) => fallback };
  const { views } = createViews(sink, clock, readBootId());
  const histories = {
    history: new HistoryTable(sink),
    incidents: new IncidentTable(sink),
    timeline: new TimelineTable(sink, clock),
    results: new ResultTable(sink),
  };
  return { ...views, ...histories, ...(unreadable !== undefined && { unreadable }), crashed: null, close: () => {} };
}

/**
 * The URL for reading. SQLite creates a -shm file even for a reader, unless the file is declared immutable. It is immutable if
 * there is no -wal file, because then the last daemon ended properly.
 */
function readOnlyUrl(path: string): URL {
  const url = pathToFileURL(path);
  if (!existsSync(`${path}-wal`)) url.search = '?immutable=1';
  return url;
}

const BUSY_TIMEOUT_MS = 250;
