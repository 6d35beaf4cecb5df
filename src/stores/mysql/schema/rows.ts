// Reads the rows that a MySQL server has sent.
import type { ProcessRow } from '../../../core/alarm.ts';
import { textOf } from '../../exact-text.ts';
import type { MysqlSession } from '../session.ts';
import type { Statement } from './statements.ts';

/** A row as the server sent it. */
type Answer = Readonly<Record<string, unknown>>;

/** The rows of a statement; [] for an impossible one. */
export function rowsOf(session: MysqlSession, statement: Statement | undefined): Promise<Answer[]> {
  return statement === undefined ? Promise.resolve([]) : session.rows(statement.sql, statement.values);
}

/** The first row of a statement. */
export async function one(session: MysqlSession, statement: Statement | undefined): Promise<Answer | undefined> {
  return (await rowsOf(session, statement))[0];
}

/** The rows of a statement, as processes. */
export async function processRows(session: MysqlSession, statement: Statement | undefined): Promise<ProcessRow[]> {
  return (await rowsOf(session, statement)).map(processRow);
}

/** How many rows a statement has changed; 0 for an impossible one. */
export async function changes(session: MysqlSession, statement: Statement | undefined): Promise<number> {
  return statement === undefined ? 0 : session.change(statement.sql, statement.values);
}

/** The text of received bytes; null for anything else. */
export function text(value: unknown): string | null {
  return value instanceof Uint8Array ? textOf(value) : null;
}

function processRow(row: Answer): ProcessRow {
  return {
    processId: text(row.process_id) ?? '',
    processName: text(row.process_name),
    alarma: row.alarma === 1,
    sound: row.silent !== 1,
    notes: text(row.notes),
    notesDigest: text(row.notesDigest),
    ...(row.inDoubt === 1 && { inDoubt: true as const }),
  };
}
