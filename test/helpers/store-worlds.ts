import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createPool } from 'mysql2/promise';
import type { ProcessRow } from '../../src/core/alarm.ts';
import type { MysqlOptions } from '../../src/stores/mysql/options.ts';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import type { RowScope } from '../../src/stores/row-scope.ts';
import { createSchema, SqliteStore } from '../../src/stores/sqlite/store.ts';
import type { AlarmStore } from '../../src/stores/store.ts';
import type { Mariadb } from './mariadb.ts';

/** A row as another program writes it; bytes where a text would say too little. */
export interface Row {
  readonly id: number;
  readonly name: string | Uint8Array | null;
  readonly alarma?: number | null;
  readonly sound?: number | null;
  readonly notes?: string | Uint8Array | null;
}

/** A row of STATUS_PROCESS. */
export interface StatusRow {
  readonly alarma: number | null;
  readonly sound: number | null;
  readonly notes: Buffer | null;
}

/** A store on tables of its own, and the hand of another program on them. */
export interface StoreWorld {
  readonly store: AlarmStore;
  add(...rows: readonly Row[]): Promise<void>;
  /** What stands in STATUS_PROCESS; `notes` as bytes, in UTF-8. */
  row(id: number | string): Promise<StatusRow | undefined>;
  exec(sql: string, values?: readonly (string | number | null)[]): Promise<void>;
  /** Several statements at once. */
  script(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** A world on a server, in a database of its own. */
export interface MysqlWorld extends StoreWorld {
  readonly database: string;
}

/** The row with that id, if there is one; throws where there are several. */
export async function readRow({ store }: Pick<StoreWorld, 'store'>, processId: string): Promise<ProcessRow | undefined> {
  const row = await store.readProcess(processId);
  if (row === 'ambiguous') throw new Error(`several rows have the process_id ${processId}`);
  return row;
}

/** The script that ships. */
export const setupSql: string = join(import.meta.dirname, '../../setup.sql');

/** Options that reach a private server as root by its socket, in `database`. */
export function mysqlOptions(server: Pick<Mariadb, 'socket'>, change: Partial<MysqlOptions> = {}): MysqlOptions {
  return {
    endpoints: [{ kind: 'socket', path: server.socket, optional: false }],
    socketOwner: undefined,
    user: 'root',
    password: '',
    database: 'v_process_monitor',
    ssl: 'off',
    ca: undefined,
    serverPublicKey: undefined,
    compress: false,
    connectTimeoutMs: 10_000,
    queryTimeoutMs: 10_000,
    readTimeoutMs: Math.min(change.queryTimeoutMs ?? 10_000, 10_000),
    failbackMs: 60_000,
    poolSize: 4,
    ...change,
  };
}

let databases = 0;

/** Nothing is said of hosts. */
const AS_EVER: RowScope = { hostId: undefined, onlyConfigured: false };

/** Empty tables of setup.sql, in a database of their own on a running server; or, where given, other tables. */
export async function mysqlWorld(
  server: Mariadb,
  tables = setupTables(),
  database = `world_${process.pid}_${++databases}`,
  scope: RowScope = AS_EVER,
): Promise<MysqlWorld> {
  await server.sql(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  await server.sql(tables, database);
  const other = createPool({ socketPath: server.socket, user: 'root', database, charset: 'utf8mb4', connectionLimit: 2 });
  const store = new MysqlStore(mysqlOptions(server, { database }), scope);
  const binary = (value: string | Uint8Array | null): Buffer | string | null =>
    value instanceof Uint8Array ? Buffer.from(value) : value;
  return {
    store,
    database,
    add: async (...rows) => {
      if (rows.length === 0) return;
      await other.query('INSERT INTO PROCESE VALUES ?', [rows.map(({ id, name }) => [id, binary(name)])]);
      const values = rows.map(({ id, alarma = 0, sound = 0, notes = null }) => [id, alarma, sound, binary(notes)]);
      await other.query('INSERT INTO STATUS_PROCESS VALUES ?', [values]);
    },
    row: async (id) => {
      const sql =
        'SELECT alarma, sound, CAST(CONVERT(notes USING utf8mb4) AS BINARY) AS notes FROM STATUS_PROCESS WHERE process_id = ?';
      const [rows] = await other.query(sql, [id]);
      const [row] = rows as StatusRow[];
      return row && { ...row };
    },
    exec: async (sql, values = []) => void (await other.query(sql, [...values])),
    script: async (sql) => void (await server.sql(sql, database)),
    close: async () => {
      await store.close();
      await other.end();
    },
  };
}

/** The CREATE and ALTER part of setup.sql, for any database. */
function setupTables(): string {
  const script = readFileSync(setupSql, 'utf8').replace(/^(?:CREATE DATABASE|USE).*$/gm, '');
  return script
    .slice(0, script.indexOf('-- Sample rows'))
    .replace(/TABLE_SCHEMA = 'v_process_monitor'/g, 'TABLE_SCHEMA = DATABASE()');
}

/** A new file in `dir` with the usual tables or, where given, others, and a second handle on it. */
export function sqliteWorld(dir: string, tables?: string, scope: RowScope = AS_EVER): StoreWorld & { readonly path: string } {
  const path = join(dir, `alarms-${++databases}.db`);
  const other = new DatabaseSync(path, { timeout: 5000 });
  if (tables === undefined) createSchema(other);
  else other.exec(tables);
  const store = new SqliteStore({ path, queryTimeoutMs: 10_000 }, scope);
  const run = (sql: string, values: readonly (string | number | null | Uint8Array)[]): void =>
    void other.prepare(sql).run(...values);
  return {
    store,
    path,
    add: async (...rows) => {
      other.exec('BEGIN');
      for (const { id, name, alarma = 0, sound = 0, notes = null } of rows) {
        run('INSERT INTO PROCESE VALUES (?, CAST(? AS TEXT))', [id, name]);
        run('INSERT INTO STATUS_PROCESS VALUES (?, ?, ?, CAST(? AS TEXT))', [id, alarma, sound, notes]);
      }
      other.exec('COMMIT');
    },
    row: async (id) => {
      const sql = 'SELECT alarma, sound, CAST(notes AS BLOB) AS notes FROM STATUS_PROCESS WHERE process_id = ?';
      const row = other.prepare(sql).get(id) as { alarma: number; sound: number; notes: Uint8Array | null } | undefined;
      return row && { ...row, notes: row.notes && Buffer.from(row.notes) };
    },
    exec: async (sql, values = []) => run(sql, values),
    script: async (sql) => other.exec(sql),
    close: async () => {
      await store.close();
      other.close();
    },
  };
}
