import type { DatabaseSync } from 'node:sqlite';
import { ambiguityRemark, unnamedRemark } from '../alarms-read.ts';
import { textOf } from '../exact-text.ts';
import type { StoreReport } from '../store.ts';
import { sqliteFault } from './faults.ts';
import type { Schema } from './known-tables.ts';
import type { Statement } from './statements.ts';

/** Inspects the file and its schema. Throws what node:sqlite throws. */
export function inspectSqlite(database: DatabaseSync, { statements, remarks }: Schema, notes: string): StoreReport {
  // Does what a poll does, so that whatever is missing for a poll is a fault here too.
  const poll = statements.alarms(undefined);
  database.prepare(poll.sql).get(...poll.values);
  const count = ({ sql, values }: Statement) => database.prepare(sql).get(...values) ?? {};
  const { processes } = count(statements.processCount());
  const { alarms } = count(statements.alarmCount());
  const unnamed = count(statements.unnamed());
  const shared = statements.idsAreUnique ? [] : sharedIds(database, statements);
  const readOnly = isReadOnly(database);
  return {
    server: `SQLite ${String(database.prepare('SELECT sqlite_version() AS version').get()?.version)}`,
    processes: Number(processes),
    alarms: Number(alarms),
    canClear: !readOnly,
    notes,
    remarks: [
      ...remarks,
      ...(shared.length > 0 ? [ambiguityRemark(shared)] : []),
      ...unnamedRemark(Number(unnamed.unnamed), Number(unnamed.alarms)),
      ...(readOnly ? ['the file is read-only: alarms can be read but not cleared'] : []),
    ],
  };
}

const MOST_SHARED_IDS = 1000;

function sharedIds(database: DatabaseSync, statements: Schema['statements']): string[] {
  const { sql, values } = statements.sharedIds(MOST_SHARED_IDS, false);
  const rows = database.prepare(sql).all(...values);
  return rows.flatMap(({ id }) => (id instanceof Uint8Array ? textOf(id) : []));
}

/** Takes the writer's lock and releases it. */
function isReadOnly(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch (error) {
    if (sqliteFault(error) !== 'read_only') throw error;
    return true;
  }
}
