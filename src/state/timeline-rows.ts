// The rows of the timeline in history.db.
import type { SpanKind } from './daemon-state.ts';
import type { Database } from './database.ts';

/** A span as it is recorded, or a floor. Times are wall clock, in milliseconds. */
export interface TimelineRow {
  readonly kind: SpanKind | typeof FLOOR;
  readonly name: string;
  readonly from: number;
  /** null: it lasts. */
  to: number | null;
  /** The incident that it belongs to; null if to none. */
  incident: number | null;
}

/** The kind of the row before whose begin nothing is known any more. */
export const FLOOR = 'floor';

/** The CREATE statements. */
export const timelineSchema = `CREATE TABLE IF NOT EXISTS timeline (name TEXT NOT NULL, kind TEXT NOT NULL, began INTEGER NOT NULL,
  ended INTEGER, incident INTEGER, PRIMARY KEY (name, kind, began)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS timeline_by_end ON timeline (ended)`;

/** Writes a row, or what has changed in it. */
export function writeRow(database: Database, { name, kind, from, to, incident }: TimelineRow): void {
  const sql = 'INSERT OR REPLACE INTO timeline (name, kind, began, ended, incident) VALUES (?, ?, ?, ?, ?)';
  database.run(sql, name, kind, from, to, incident);
}

/** The rows of these names and of what concerns all, or of all names, that have not ended before `since`. */
export function readRows(database: Database, since: Date, names: readonly string[] | undefined): TimelineRow[] {
  const asked = names === undefined ? [] : ['', ...names];
  const ofNames = names === undefined ? '' : `name IN (${asked.map(() => '?').join(', ')}) AND`;
  const sql = `SELECT * FROM timeline WHERE ${ofNames} (ended IS NULL OR ended >= ?)`;
  return database.all(sql, ...asked, since.getTime()).map(rowOf);
}

/** What an earlier life has left open, or on hold for longer than now, and the last time at which it is known to have lived; 0 if none did. */
export function leftRows(database: Database, now: number): { readonly rows: readonly TimelineRow[]; readonly lastMs: number } {
  const [last] = database.all("SELECT max(ended) AS ended FROM timeline WHERE name = '' AND kind = 'run'");
  const rows = database.all("SELECT * FROM timeline WHERE ended IS NULL OR (kind = 'held' AND ended > ?)", now);
  return { rows: rows.map(rowOf), lastMs: Number(last?.ended ?? 0) };
}

/** True if the life that began then is recorded. */
export function hasRun(database: Database, from: number): boolean {
  return database.all("SELECT 1 FROM timeline WHERE name = '' AND kind = 'run' AND began = ?", from).length > 0;
}

/** Deletes a portion of what is too old or too much. Before its end nothing is known from then on. */
export function deleteOldest(database: Database, now: number): void {
  const [{ rows } = {}] = database.all('SELECT count(*) AS rows FROM timeline');
  const [portion] = database.all('SELECT ended FROM timeline WHERE ended < ? ORDER BY ended LIMIT 1 OFFSET ?', now, DELETED);
  const tooOld = now - LONGEST_MS;
  const portionMs = Number(portion?.ended ?? tooOld);
  const floor = Number(rows) > MAX_ROWS ? portionMs : Math.min(portionMs, tooOld);
  if (database.all('SELECT 1 FROM timeline WHERE ended <= ? LIMIT 1', floor).length === 0) return;
  database.run('DELETE FROM timeline WHERE ended <= ?', floor);
  database.run('DELETE FROM timeline WHERE name = ? AND kind = ? AND began < ?', '', FLOOR, floor);
  writeRow(database, { kind: FLOOR, name: '', from: floor, to: null, incident: null });
}

function rowOf({ kind, name, began, ended, incident }: ReturnType<Database['all']>[number]): TimelineRow {
  return {
    kind: String(kind) as TimelineRow['kind'],
    name: String(name),
    from: Number(began),
    to: ended === null ? null : Number(ended),
    incident: incident === null ? null : Number(incident),
  };
}

const LONGEST_MS = 401 * 86_400_000;
const MAX_ROWS = 50_000;
/** How many are deleted at once. */
const DELETED = 1_000;
