import type { DatabaseSync } from 'node:sqlite';
import { flagRemark, MOST_IN_DOUBT, noSoundRemark, TABLES_VALID_MS } from '../alarms-read.ts';
import { textOf } from '../exact-text.ts';
import { noRowRemark, type RowScope } from '../row-scope.ts';
import { writableByOthers } from './file.ts';
import { Statements } from './statements.ts';
import { readTables, type SqliteTables } from './tables.ts';

/** The tables as they are now, and the statements for them. */
export interface Schema {
  readonly tables: SqliteTables;
  readonly statements: Statements;
  /** What is odd, a line each: about the tables now, about rows at most five minutes ago. */
  readonly remarks: readonly string[];
  /** Names of rows that may or may not be in alarm, because one of their flags is not a number (`sound` may be NULL); at most MOST_IN_DOUBT. */
  readonly inDoubt: readonly string[];
}

/** What is known about the tables of the open file. */
export class KnownTables {
  readonly #scope: RowScope;
  readonly #store: string;
  readonly #path: string;
  #known: (Schema & { readonly database: DatabaseSync; readonly version: unknown; readonly atMs: number }) | undefined;

  /** `store`: AlarmStore.description; `path`: the file. */
  constructor(scope: RowScope, store: string, path: string) {
    this.#scope = scope;
    this.#store = store;
    this.#path = path;
  }

  /** The schema of `database`. Throws a StoreError (`config`), or what node:sqlite throws. */
  of(database: DatabaseSync): Schema {
    const version = database.prepare('PRAGMA schema_version').get()?.schema_version;
    const known = this.#known;
    const isKnown = known?.database === database && known.version === version;
    if (isKnown && performance.now() - known.atMs < TABLES_VALID_MS) return known;
    const tables = isKnown ? known.tables : readTables(database);
    const statements = isKnown ? known.statements : new Statements(tables, this.#scope, this.#store);
    const flags = [oddFlagsRemark(database, statements), missingSoundsRemark(database, statements)];
    const lines = [
      writableByOthers(this.#path),
      statements.scopeRemark,
      hostRemark(database, statements, this.#scope),
      ...flags,
    ];
    const remarks = lines.filter((line) => line !== undefined);
    const inDoubt = flags.every((line) => line === undefined) ? [] : namesInDoubt(database, statements);
    this.#known = { tables, statements, remarks, inDoubt, database, version, atMs: performance.now() };
    return this.#known;
  }
}

function hostRemark(database: DatabaseSync, statements: Statements, scope: RowScope): string | undefined {
  const question = statements.anyOfHost();
  if (question === undefined || database.prepare(question.sql).get(...question.values) !== undefined) return undefined;
  return noRowRemark(scope);
}

function namesInDoubt(database: DatabaseSync, statements: Statements): string[] {
  const { sql, values } = statements.namesInDoubt(MOST_IN_DOUBT);
  return database
    .prepare(sql)
    .all(...values)
    .flatMap(({ process_name: name }) => (name instanceof Uint8Array ? textOf(name) : []));
}

function oddFlagsRemark(database: DatabaseSync, statements: Statements): string | undefined {
  const { sql, values } = statements.oddFlags();
  return flagRemark('alarma or sound', Number(database.prepare(sql).get(...values)?.odd));
}

function missingSoundsRemark(database: DatabaseSync, statements: Statements): string | undefined {
  const { sql, values } = statements.missingSounds();
  return noSoundRemark(Number(database.prepare(sql).get(...values)?.missing));
}
