// The results of checks in history.db.
import { printable } from '../core/text/printable.ts';
import type { CheckResultRecord, Results, Rollup } from './daemon-state.ts';
import { type Database, usedBytes } from './database.ts';
import type { DiskTable, RecordSink } from './disk.ts';
import { type HistoryLimits, usualLimits } from './parse-history.ts';
import { addToRollups, deleteOldRollups, readRollups, rollupSchema } from './rollups.ts';

/** What the looks of checks have found, and their rollups; only what is not written yet is in memory. */
export class ResultTable implements Results, DiskTable {
  readonly name = 'results';
  readonly schema = `CREATE TABLE IF NOT EXISTS results (id INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, reason TEXT, duration INTEGER NOT NULL, held INTEGER NOT NULL, value REAL) STRICT;
    CREATE INDEX IF NOT EXISTS results_by_name ON results (name, id);
    ${rollupSchema}`;
  readonly #sink: RecordSink;
  #waiting: CheckResultRecord[] = [];
  /** How many of each name were written since its oldest were deleted. */
  readonly #added = new Map<string, number>();
  #limits = usualLimits;

  constructor(sink: RecordSink) {
    this.#sink = sink;
  }

  add(result: CheckResultRecord): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.shift();
    this.#waiting.push({ ...result, reason: printable(result.reason.slice(0, MAX_REASON)) });
    // Otherwise with what is written anyway: the daemon does not wake up for it.
    if (this.#waiting.length % PORTION === 0) this.#sink.write('written');
  }

  keep(limits: HistoryLimits): void {
    this.#limits = limits;
  }

  last(name: string, count: number): readonly CheckResultRecord[] {
    this.#write();
    const sql = 'SELECT * FROM results WHERE name = ? ORDER BY id DESC LIMIT ?';
    const written = this.#sink.read((database) => database.all(sql, name, count).map(resultOf), []);
    // The disk could not be written.
    const all = [...written.reverse(), ...this.#waiting.filter((result) => result.name === name)];
    return all.slice(Math.max(0, all.length - count));
  }

  rollups(name: string, sizeMs: number, since: Date): readonly Rollup[] {
    this.#write();
    return this.#sink.read((database) => readRollups(database, name, sizeMs, since), []);
  }

  load(): number {
    return 0;
  }

  rewrite(): void {
    // Earlier rows stay on the disk; pending rows are written in this very transaction.
  }

  flush(database: Database): void {
    for (const { name, at, kind, reason, durationMs, isHeld } of this.#waiting) {
      const sql = 'INSERT INTO results (name, at, kind, reason, duration, held) VALUES (?, ?, ?, ?, ?, ?)';
      database.run(sql, name, at.getTime(), kind, kind === 'ok' ? null : reason, durationMs, Number(isHeld));
      this.#added.set(name, (this.#added.get(name) ?? 0) + 1);
    }
    addToRollups(database, this.#waiting);
    const now = this.#waiting.at(-1)?.at.getTime();
    if (now !== undefined) this.#deleteOldest(database, now);
    if (usedBytes(database) <= this.#limits.maxBytes) return;
    for (const table of TABLES)
      database.run(`DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY id LIMIT ${PORTION_TOO_LARGE})`);
  }

  committed(): void {
    this.#waiting = [];
  }

  #write(): void {
    if (this.#waiting.length > 0) this.#sink.write('written');
  }

  /** Deletes a portion of what is too much of a check, and of what is too old of those that there are no more. */
  #deleteOldest(database: Database, now: number): void {
    for (const [name, added] of this.#added) {
      if (added < DELETED_EACH) continue;
      this.#added.delete(name);
      const kept = 'SELECT id FROM results WHERE name = ? ORDER BY id DESC LIMIT 1 OFFSET ?';
      const [oldest] = database.all(kept, name, this.#limits.results);
      if (oldest === undefined) continue;
      const portion = 'SELECT id FROM results WHERE name = ? AND id <= ? ORDER BY id LIMIT ?';
      database.run(`DELETE FROM results WHERE id IN (${portion})`, name, Number(oldest.id), PORTION);
    }
    const oldest = 'SELECT id FROM results ORDER BY id LIMIT ?';
    database.run(`DELETE FROM results WHERE id IN (${oldest}) AND at < ?`, DELETED_EACH, now - LONGEST_MS);
    deleteOldRollups(database, now);
  }
}

/** True if there are more results or rollups than one portion: those go before the history does. */
export function hasMore(database: Database): boolean {
  return TABLES.some((table) => database.all(`SELECT 1 FROM ${table} LIMIT 1 OFFSET ${PORTION_TOO_LARGE}`).length > 0);
}

function resultOf({ name, at, kind, reason, duration, held }: ReturnType<Database['all']>[number]): CheckResultRecord {
  return {
    name: String(name),
    at: new Date(Number(at)),
    kind: kind === 'ok' || kind === 'failing' ? kind : 'unknown',
    reason: reason === null ? '' : String(reason),
    durationMs: Number(duration),
    isHeld: held === 1,
  };
}

const TABLES = ['results', 'rollups'] as const;
/** A check has at most so many more than it may. */
const DELETED_EACH = 100;
/** How many are written, or deleted of one check, at once. */
const PORTION = 1_000;
const PORTION_TOO_LARGE = 2_000;
const MAX_WAITING = 5_000;
const MAX_REASON = 500;
/** Of a check that there is no more, the last ones go after this time. */
const LONGEST_MS = 400 * 86_400_000;
