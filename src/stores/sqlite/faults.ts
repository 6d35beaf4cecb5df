import { errorMessage, StoreError, type StoreFault } from '../../core/errors.ts';

/** `error` as a StoreError whose message begins with `store`; a StoreError stays as it is. */
export function sqliteError(store: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError(sqliteFault(error), `${store}: ${errorMessage(error)}`, error);
}

/**
 * What may be done about an error of node:sqlite, which has SQLite's extended result code as `errcode`
 * (sqlite.org/rescode.html).
 */
export function sqliteFault(error: unknown): StoreFault {
  if (error instanceof StoreError) return error.fault;
  const code = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff;
  return FAULTS.get(code) ?? 'failed';
}

const FAULTS: ReadonlyMap<number, StoreFault> = new Map<number, StoreFault>([
  [1, 'schema'], // SQLITE_ERROR: with our statements, a table or column that is missing
  [3, 'denied'], // SQLITE_PERM
  [5, 'busy'], // SQLITE_BUSY
  [6, 'busy'], // SQLITE_LOCKED
  [8, 'read_only'], // SQLITE_READONLY
  [10, 'unreachable'], // SQLITE_IOERR
  [11, 'schema'], // SQLITE_CORRUPT
  [14, 'unreachable'], // SQLITE_CANTOPEN
  [17, 'busy'], // SQLITE_SCHEMA: the schema changed under us
  [23, 'denied'], // SQLITE_AUTH
  [26, 'schema'], // SQLITE_NOTADB
]);
