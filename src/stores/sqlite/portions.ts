import type { DatabaseSync } from 'node:sqlite';
import type { Key, Statement } from './statements.ts';

/** A row of a statement that tells its key. */
export type KeyedRow = Readonly<Record<string, unknown>>;

/** How long one portion may block the loop. */
const PORTION_MS = 15;

/**
 * Reads the rows of a statement in the order of their keys, a portion at a time, and hands each to `take`, which returns false once it
 * has enough. Between two portions no cursor is open, which would keep writers out, and the loop goes on. `attempt` runs a call on the
 * database. A portion never ends between rows of one key: what comes next begins beyond it.
 */
export async function readInPortions(
  attempt: <T>(call: (database: DatabaseSync) => T) => Promise<T>,
  statement: (after: Key | undefined) => Statement,
  take: (row: KeyedRow) => boolean,
): Promise<void> {
  let after: Key | undefined;
  for (;;) {
    const portion = await attempt((database) => readPortion(database, statement(after)));
    for (const row of portion.rows) if (!take(row)) return;
    if (portion.next === undefined) return;
    after = portion.next;
    await new Promise(setImmediate);
  }
}

interface Portion {
  readonly rows: readonly KeyedRow[];
  /** The last key that was read; undefined at the end. */
  readonly next: Key | undefined;
}

function readPortion(database: DatabaseSync, { sql, values }: Statement): Portion {
  const statement = database.prepare(sql);
  // One number beyond 2^53 would else fail the whole poll.
  statement.setReadBigInts(true);
  const rows: KeyedRow[] = [];
  const end = performance.now() + PORTION_MS;
  let last: Key | undefined;
  let isOver = false;
  for (const row of statement.iterate(...values) as Iterable<KeyedRow>) {
    const key = keyOf(row);
    // What comes after the time is over is read again, unless it belongs to the last key.
    if (isOver && last !== undefined && !isSameKey(last, key)) return { rows, next: last };
    rows.push(row);
    last = key;
    isOver ||= performance.now() > end;
  }
  return { rows, next: undefined };
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
