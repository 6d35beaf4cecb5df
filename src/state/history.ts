// The history of events in history.db.
import { printable } from '../core/text/printable.ts';
import type { History, HistoryEntry, HistoryQuery, RecordedEntry } from './daemon-state.ts';
import { type Database, usedBytes } from './database.ts';
import type { DiskTable, RecordSink } from './disk.ts';
import { type HistoryLimits, usualLimits } from './parse-history.ts';
import { hasMore } from './results.ts';

type Row = ReturnType<Database['all']>[number];

/** The history on the disk, in one file with the incidents; only rows that are not written yet are in memory. */
export class HistoryTable implements History, DiskTable {
  readonly name = 'history';
  readonly schema = `CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL,
    process_name TEXT NOT NULL, incident INTEGER, detail TEXT NOT NULL, output TEXT) STRICT;
    CREATE INDEX IF NOT EXISTS history_by_name ON history (process_name, id);
    CREATE INDEX IF NOT EXISTS history_by_name_and_type ON history (process_name, type, id);
    CREATE INDEX IF NOT EXISTS history_by_type ON history (type, id);
    CREATE INDEX IF NOT EXISTS history_by_time ON history (at);
    CREATE INDEX IF NOT EXISTS history_by_incident ON history (incident, id) WHERE incident IS NOT NULL`;
  readonly #sink: RecordSink;
  readonly #former: RecordSink | undefined;
  #waiting: HistoryEntry[] = [];
  #limits = usualLimits;

  /** `former`: state.db, which has the history that an earlier version wrote; it is moved from there. */
  constructor(sink: RecordSink, former?: RecordSink) {
    this.#sink = sink;
    this.#former = former;
  }

  append(entry: HistoryEntry): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift();
    const output = entry.output?.slice(-MAX_OUTPUT).map((line) => printable(line.slice(0, MAX_LINE)));
    this.#waiting.push({ ...entry, detail: printable(entry.detail.slice(0, MAX_DETAIL)), ...(output && { output }) });
    // A flood is written in portions.
    this.#sink.write(this.#waiting.length % PORTION === 0 ? 'written' : 'soon');
  }

  find(query: HistoryQuery): RecordedEntry[] {
    if (this.#waiting.length > 0) this.#sink.write('written');
    const count = Math.max(0, Math.min(Math.trunc(query.limit), MAX_READ));
    const written = this.#sink.read((database) => read(database, query, count), []);
    // The disk could not be written.
    const waiting = this.#waiting.filter((entry) => fits(entry, query)).map((entry) => ({ ...entry, id: null }));
    const all = [...written, ...waiting];
    return all.slice(Math.max(0, all.length - count));
  }

  count(incidents: readonly number[]): number {
    const sql = `SELECT count(*) AS count FROM history WHERE incident IN (${marks(incidents)})`;
    const written = this.#sink.read((database) => Number(database.all(sql, ...incidents)[0]?.count ?? 0), 0);
    return written + this.#waiting.filter((entry) => fits(entry, { incidents, limit: 0 })).length;
  }

  /** Moves what an earlier version wrote into state.db. Its ids stay, so that a crash in between repeats nothing. */
  load(database: Database): number {
    const rows = this.#former?.read(formerRows, []) ?? [];
    if (rows.length === 0) return 0;
    database.transaction('FULL', () => {
      for (const row of rows) {
        database.run(`INSERT OR IGNORE ${INTO_HISTORY}`, Number(row.id), ...valuesOf(entryOf(row)));
      }
    });
    this.#former?.write('written', (former) => former.run('DROP TABLE history'));
    return 0;
  }

  rewrite(): void {
    // Earlier rows stay on the disk; pending rows are written in this very transaction.
  }

  flush(database: Database): void {
    if (this.#waiting.length === 0) return;
    for (const entry of this.#waiting) database.run(`INSERT ${INTO_HISTORY}`, null, ...valuesOf(entry));
    this.#deleteOldest(database);
  }

  keep(limits: HistoryLimits): void {
    this.#limits = limits;
  }

  /** Deletes a portion of what is too old or too much: more than a write adds, and not so much that it takes long. */
  #deleteOldest(database: Database): void {
    const { storyMs, maxBytes } = this.#limits;
    const oldest = (table: string): string => `id IN (SELECT id FROM ${table} ORDER BY id LIMIT ${DELETED})`;
    const since = (this.#waiting.at(-1)?.at.getTime() ?? 0) - storyMs;
    database.run(`DELETE FROM history WHERE ${oldest('history')} AND at < ?`, since);
    database.run(`DELETE FROM incidents WHERE ${oldest('incidents')} AND closed_at < ?`, since);
    if (usedBytes(database) <= maxBytes || hasMore(database)) return;
    const isNew = `id > (SELECT max(id) FROM history) - ${LEAST_KEPT}`;
    database.run(`DELETE FROM history WHERE ${oldest('history')} AND NOT ${isNew}`);
    database.run(`DELETE FROM incidents WHERE ${oldest('incidents')} AND closed_at IS NOT NULL`);
  }

  committed(): void {
    this.#waiting = [];
  }
}

function read(database: Database, query: HistoryQuery, count: number): RecordedEntry[] {
  const { processName, incidents, hasIncident, types, since, until, before, after } = query;
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const only = (condition: string, ...given: readonly (string | number)[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (processName !== undefined) only('process_name = ?', processName);
  if (incidents !== undefined) only(`incident IN (${marks(incidents)})`, ...incidents);
  if (hasIncident) only('incident IS NOT NULL');
  if (types !== undefined) only(`type IN (${marks(types)})`, ...types);
  // By id too, which the rows are read by: none is read only to be left out, however many there are.
  if (since !== undefined)
    only('at >= ? AND id >= (SELECT id FROM history WHERE at >= ? ORDER BY at LIMIT 1)', since.getTime(), since.getTime());
  if (until !== undefined)
    only('at <= ? AND id <= (SELECT id FROM history WHERE at <= ? ORDER BY at DESC LIMIT 1)', until.getTime(), until.getTime());
  if (before !== undefined) only('id < ?', before);
  if (after !== undefined) only('id > ?', after);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = after === undefined ? 'DESC' : 'ASC';
  const rows = database.all(`SELECT * FROM history ${where} ORDER BY id ${order} LIMIT ?`, ...values, count);
  const entries = rows.map((row) => ({ ...entryOf(row), id: Number(row.id) }));
  return after === undefined ? entries.reverse() : entries;
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

function fits(
  entry: HistoryEntry,
  { processName, incidents, hasIncident, types, since, until, before, after }: HistoryQuery,
): boolean {
  const { incident } = entry;
  return (
    (processName === undefined || entry.processName === processName) &&
    (incidents === undefined || (incident !== null && incidents.includes(incident))) &&
    (hasIncident === undefined || incident !== null) &&
    (types === undefined || types.includes(entry.type)) &&
    (since === undefined || entry.at >= since) &&
    (until === undefined || entry.at <= until) &&
    // It has no id to compare; whoever follows would get it again and again.
    before === undefined &&
    after === undefined
  );
}

/** The rows of an earlier version's state.db; [] if it has none. */
function formerRows(state: Database): Row[] {
  const [table] = state.all("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'history'");
  return table === undefined ? [] : state.all('SELECT * FROM history ORDER BY id');
}

/** An earlier version wrote the output into the lines of `detail` after the first. */
function entryOf({ at, type, process_name: name, incident, detail, output }: Row): HistoryEntry {
  const [first = '', ...former] = String(detail).split('\n');
  const lines = typeof output === 'string' ? output.split('\n') : former;
  const entry = {
    at: new Date(Number(at)),
    type: String(type),
    processName: String(name),
    incident: typeof incident === 'number' ? incident : null,
    detail: first,
  };
  return lines.length === 0 ? entry : { ...entry, output: lines };
}

function valuesOf({ at, type, processName, incident, detail, output }: HistoryEntry) {
  return [at.getTime() || 0, type, processName, incident, detail, output?.join('\n') ?? null];
}

/** With an `id` of null, SQLite gives it the next one. */
const INTO_HISTORY = 'INTO history (id, at, type, process_name, incident, detail, output) VALUES (?, ?, ?, ?, ?, ?, ?)';
/** How many are read at once. */
const MAX_READ = 10_000;
/** How many rows are deleted with a write. */
const DELETED = 2_000;
/** So many of the newest stay, however large the file is. */
const LEAST_KEPT = 1_000;
const PORTION = 1_000;
/** While the disk cannot be written. */
const MAX_WAITING = 5_000;
const MAX_DETAIL = 2_000;
const MAX_OUTPUT = 20;
const MAX_LINE = 400;
