// What the results of checks come to in 5 minutes, an hour and a day.
import type { CheckResultRecord, Rollup } from './daemon-state.ts';
import type { Database } from './database.ts';

/** A rollup as it is recorded: with the sum of the durations, to which more can be added. */
interface RollupRow extends Omit<Rollup, 'from' | 'meanMs'> {
  readonly from: number;
  readonly sumMs: number;
}

const DAY_MS = 86_400_000;

/** How long each rollup is, and how long it is kept, in milliseconds. */
const KEPT_MS: ReadonlyMap<number, number> = new Map([
  [300_000, 7 * DAY_MS],
  [3_600_000, 90 * DAY_MS],
  [DAY_MS, 400 * DAY_MS],
]);

/** The CREATE statements. */
export const rollupSchema = `CREATE TABLE IF NOT EXISTS rollups (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL,
  began INTEGER NOT NULL, count INTEGER NOT NULL, failed INTEGER NOT NULL, unknown INTEGER NOT NULL, held INTEGER NOT NULL,
  min INTEGER NOT NULL, sum INTEGER NOT NULL, max INTEGER NOT NULL, UNIQUE (name, size, began)) STRICT;
  CREATE INDEX IF NOT EXISTS rollups_by_begin ON rollups (size, began)`;

/** What these results come to, of each size. */
function rollUp(results: readonly CheckResultRecord[]): readonly RollupRow[] {
  const rows = new Map<string, RollupRow>();
  for (const sizeMs of KEPT_MS.keys())
    for (const { name, at, kind, isHeld, durationMs } of results) {
      const from = Math.floor(at.getTime() / sizeMs) * sizeMs;
      const key = `${sizeMs} ${from} ${name}`;
      const known = rows.get(key);
      rows.set(key, {
        name,
        sizeMs,
        from,
        count: (known?.count ?? 0) + 1,
        failed: (known?.failed ?? 0) + Number(kind === 'failing'),
        unknown: (known?.unknown ?? 0) + Number(kind === 'unknown'),
        held: (known?.held ?? 0) + Number(isHeld),
        minMs: Math.min(known?.minMs ?? durationMs, durationMs),
        sumMs: (known?.sumMs ?? 0) + durationMs,
        maxMs: Math.max(known?.maxMs ?? durationMs, durationMs),
      });
    }
  return [...rows.values()];
}

/** Adds results to their rollups, in the transaction that writes them: so none is counted twice, or missing, after a crash. */
export function addToRollups(database: Database, results: readonly CheckResultRecord[]): void {
  for (const { name, sizeMs, from, count, failed, unknown, held, minMs, sumMs, maxMs } of rollUp(results))
    database.run(INTO_ROLLUPS, name, sizeMs, from, count, failed, unknown, held, minMs, sumMs, maxMs);
}

/** Deletes a portion of those that are too old at that time. */
export function deleteOldRollups(database: Database, now: number): void {
  for (const [sizeMs, keptMs] of KEPT_MS) {
    const oldest = 'SELECT id FROM rollups WHERE size = ? AND began < ? ORDER BY began LIMIT ?';
    database.run(`DELETE FROM rollups WHERE id IN (${oldest})`, sizeMs, now - keptMs, DELETED);
  }
}

/** The rollups of one size that begin at `since` or later, oldest first. */
export function readRollups(database: Database, name: string, sizeMs: number, since: Date): Rollup[] {
  const sql = 'SELECT * FROM rollups WHERE name = ? AND size = ? AND began >= ? ORDER BY began';
  return database.all(sql, name, sizeMs, since.getTime()).map((row) => ({
    name,
    sizeMs,
    from: new Date(Number(row.began)),
    count: Number(row.count),
    failed: Number(row.failed),
    unknown: Number(row.unknown),
    held: Number(row.held),
    minMs: Number(row.min),
    meanMs: Number(row.sum) / Number(row.count),
    maxMs: Number(row.max),
  }));
}

const INTO_ROLLUPS = `INSERT INTO rollups (name, size, began, count, failed, unknown, held, min, sum, max)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, size, began) DO UPDATE SET count = count + excluded.count,
  failed = failed + excluded.failed, unknown = unknown + excluded.unknown, held = held + excluded.held,
  min = min(min, excluded.min), sum = sum + excluded.sum, max = max(max, excluded.max)`;
const DELETED = 500;
