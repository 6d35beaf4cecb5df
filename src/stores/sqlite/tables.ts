// Reads the structure of the tables of a SQLite file.
import type { DatabaseSync } from 'node:sqlite';

/** The structure of both tables, or views. */
export interface SqliteTables {
  /** Whether STATUS_PROCESS and PROCESE have a column host_id. */
  readonly statusHost: boolean;
  readonly processHost: boolean;
  /**
   * True if a unique key guarantees that no two rows of either table have the same process_id; `PerHost`: no two rows of one
   * host.
   */
  readonly uniqueIds: boolean;
  readonly uniqueIdsPerHost: boolean;
  /** True if STATUS_PROCESS is a view: SQLite does not count what its triggers change. */
  readonly isView: boolean;
}

/** Reads the schema as it is now. */
export function readTables(database: DatabaseSync): SqliteTables {
  const columns = (table: string): string[] =>
    database
      .prepare('SELECT lower(name) AS name FROM pragma_table_xinfo(?)')
      .all(table)
      .map(({ name }) => String(name));
  const unique = (among: readonly string[]): boolean =>
    ['STATUS_PROCESS', 'PROCESE'].every((table) =>
      uniqueKeys(database, table).some((key) => key.includes('process_id') && key.every((column) => among.includes(column))),
    );
  return {
    statusHost: columns('STATUS_PROCESS').includes('host_id'),
    processHost: columns('PROCESE').includes('host_id'),
    uniqueIds: unique(['process_id']),
    uniqueIdsPerHost: unique(['process_id', 'host_id']),
    isView: isView(database, 'STATUS_PROCESS'),
  };
}

/** The columns, lower case, of each unique key. */
function uniqueKeys(database: DatabaseSync, table: string): string[][] {
  const primary = 'SELECT lower(name) AS name FROM pragma_table_xinfo(?) WHERE pk > 0';
  const keys = [
    database
      .prepare(primary)
      .all(table)
      .map(({ name }) => String(name)),
  ];
  const indexes = 'SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0';
  for (const { name } of database.prepare(indexes).all(table)) {
    const indexed = database.prepare('SELECT lower(name) AS name FROM pragma_index_info(?)').all(String(name));
    keys.push(indexed.map((column) => String(column.name)));
  }
  return keys.filter((key) => key.length > 0);
}

/** True if an index serves for that column: it is the first of a key or an index. */
export function hasIndex(database: DatabaseSync, table: string, column: string): boolean {
  const primary = 'SELECT lower(name) AS name FROM pragma_table_xinfo(?) WHERE pk = 1';
  const first = `SELECT lower(c.name) AS name FROM pragma_index_list(?) i, pragma_index_info(i.name) c WHERE c.seqno = 0 AND i.partial = 0`;
  return [primary, first].some((sql) =>
    database
      .prepare(sql)
      .all(table)
      .some(({ name }) => name === column),
  );
}

/** True if there is a view of that name, in upper or lower case. */
export function isView(database: DatabaseSync, name: string): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND lower(name) = lower(?)").get(name);
  return found !== undefined;
}
