// Reads the rows of the SQLite store.
import type { DatabaseSync } from 'node:sqlite';
import type { ProcessRow, SeenNotes } from '../../core/alarm.ts';
import { textOf } from '../exact-text.ts';
import type { Schema } from './known-tables.ts';
import type { Statement } from './statements.ts';

const NOTHING = new Uint8Array();

type Answer = Readonly<Record<string, unknown>>;

/** The first row of a statement. */
export function one(database: DatabaseSync, { sql, values }: Statement): Answer | undefined {
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  return statement.get(...values);
}

/** A row that was read by its id. */
type Found =
  | { readonly row: 'ambiguous' }
  /** `size`, `digest`: of the notes, for the statement that changes them. */
  | { readonly row: ProcessRow; readonly size: bigint | null; readonly digest: string | null };

/** The row with that id. */
export function readRow(database: DatabaseSync, { statements }: Schema, processId: string): Found | undefined {
  const { sql, values } = statements.byId(processId);
  const statement = database.prepare(sql);
  statement.setReadBigInts(true);
  const [row, another] = statement.all(...values);
  if (row === undefined) return undefined;
  if (another !== undefined) return { row: 'ambiguous' };
  return { row: processRow(row), size: row.size as bigint | null, digest: row.digest as string | null };
}

/** True if the statement has changed the row; `isDone`: whether a row has the intended state. */
export function isChanged(
  database: DatabaseSync,
  schema: Schema,
  { sql, values }: Statement,
  processId: string,
  isDone: (row: ProcessRow) => boolean,
): boolean {
  const { changes } = database.prepare(sql).run(...values);
  if (Number(changes) > 0 || !schema.tables.isView) return Number(changes) > 0;
  const found = readRow(database, schema, processId);
  return found !== undefined && found.row !== 'ambiguous' && isDone(found.row);
}

/** The process in a row of the database. */
export function processRow(row: Answer): ProcessRow {
  return {
    processId: text(row.process_id) ?? '',
    processName: text(row.process_name),
    alarma: row.alarma === 1n,
    sound: row.silent !== 1n,
    ...seenNotes(bytes(row.notes), row),
    ...(row.inDoubt === 1n && { inDoubt: true as const }),
  };
}

/** The shown part of notes that begin with `bytes`. */
function seenNotes(bytes: Uint8Array | null, { size, digest }: Answer): SeenNotes {
  if (size === null) return { notes: null, notesDigest: null };
  // SQLite returns NULL for a part of an empty value.
  return { notes: textOf(bytes ?? NOTHING), notesDigest: digest === null ? null : `${size}:${digest}` };
}

/** The text of received bytes; null for anything else. */
export function text(value: unknown): string | null {
  return value instanceof Uint8Array ? textOf(value) : null;
}

/** The received bytes; null for anything else. */
export function bytes(value: unknown): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}
