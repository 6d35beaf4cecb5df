// Reads many rows in portions, so that neither the daemon nor other writers wait for long.
import type { DatabaseSync } from 'node:sqlite';
import type { Key, Statement } from './statements.ts';

/** A row of a statement that includes its key. */
export type KeyedRow = Readonly<Record<string, unknown>>;

/** How long one portion may block the loop, counted from its first row; longer if the first row itself took longer. */
const PORTION_MS = 15;

/**
 * Reads the rows of a statement in the order of their keys, a portion at a time, and passes what `map` makes of each to `take`,
 * which returns false once it has enough. Between two portions the loop goes on, and no cursor is open that would lock out
 * writers. `attempt` runs a call on the database. A portion never ends between rows of one key, because the next one begins
 * after that key.
 */
export async function readInPortions<T>(
  attempt: <R>(call: (database: DatabaseSync) => R) => Promise<R>,
  statement: (after: Key | undefined) => Statement,
  map: (row: KeyedRow) => T,
  take: (item: T) => boolean,
): Promise<void> {
  let after: Key | undefined;
  for (;;) {
    const portion = await attempt((database) => readPortion(database, statement(after), map));
    for (const item of portion.items) if (!take(item)) return;
    if (portion.next === undefined) return;
    after = portion.next;
    await new Promise(setImmediate);
  }
}

interface Portion<T> {
  readonly items: readonly T[];
  /** The last key that was read; undefined at the end. */
  readonly next: Key | undefined;
}

function readPortion<T>(database: DatabaseSync, { sql, values }: Statement, map: (row: KeyedRow) => T): Portion<T> {
  const statement = database.prepare(sql);
  // Otherwise one number beyond 2^53 would make the whole poll fail.
  statement.setReadBigInts(true);
  const items: T[] = [];
  const startMs = performance.now();
  let endMs: number | undefined;
  let last: Key | undefined;
  for (const row of statement.iterate(...values) as Iterable<KeyedRow>) {
    const key = keyOf(row);
    // If SQLite sorts all rows before it returns the first, a short portion would make it sort them again for each row.
    endMs ??= performance.now() + Math.max(PORTION_MS, performance.now() - startMs);
    // Rows after the time limit are read again, unless they belong to the last key.
    if (last !== undefined && performance.now() > endMs && !isSameKey(last, key)) return { items, next: last };
    items.push(map(row));
    last = key;
  }
  return { items, next: undefined };
}

function keyOf({ keyType, key }: KeyedRow): Key {
  return { type: String(keyType), value: key as Key['value'] };
}

function isSameKey(one: Key, other: Key): boolean {
  if (one.value instanceof Uint8Array && other.value instanceof Uint8Array)
    return one.type === other.type && Buffer.compare(one.value, other.value) === 0;
  return isNumber(one.value) && isNumber(other.value) && !(one.value < other.value) && !(one.value > other.value);
}

/** 1 and 1.0 are one key. */
function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
