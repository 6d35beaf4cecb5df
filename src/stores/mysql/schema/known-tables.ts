import { flagRemark, MOST_IN_DOUBT, noSoundRemark, TABLES_VALID_MS } from '../../alarms-read.ts';
import { textOf } from '../../exact-text.ts';
import { noRowRemark, type RowScope } from '../../row-scope.ts';
import { isUnknownColumn } from '../faults/store-error.ts';
import type { MysqlSession } from '../session.ts';
import { Statements } from './statements.ts';
import { readTables, type Tables } from './tables.ts';

/** The tables as last seen, and the statements for them. */
export interface Schema {
  readonly tables: Tables;
  readonly statements: Statements;
  /** What is odd about the tables, a line each. */
  readonly remarks: readonly string[];
  /** Names of rows that may or may not be in alarm, because one of their flags is not a number (`sound` may be NULL); at most MOST_IN_DOUBT. */
  readonly inDoubt: readonly string[];
}

/**
 * What is known about the tables. They are read on each connection, again every five minutes, and again if a column turns out
 * to be missing.
 */
export class KnownTables {
  readonly #scope: RowScope;
  readonly #store: () => string;
  readonly #known = new WeakMap<object, Schema & { readonly readAtMs: number }>();
  /** Reads in progress; simultaneous calls on one connection share them. */
  readonly #looking = new WeakMap<object, Promise<Schema>>();

  /** `store`: AlarmStore.description. */
  constructor(scope: RowScope, store: () => string) {
    this.#scope = scope;
    this.#store = store;
  }

  /** Does `work` with what is known, and once more if a statement was refused because the tables have changed. */
  async use<T>(session: MysqlSession, work: (schema: Schema) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#schema(session));
    } catch (error) {
      if (!isUnknownColumn(error)) throw error;
      this.forget(session);
      return work(await this.#schema(session));
    }
  }

  /** Makes the next call on that connection read the tables again first. */
  forget({ connection }: MysqlSession): void {
    this.#known.delete(connection);
  }

  async #schema(session: MysqlSession): Promise<Schema> {
    const known = this.#known.get(session.connection);
    if (known !== undefined && performance.now() - known.readAtMs < TABLES_VALID_MS) return known;
    const { connection } = session;
    const looking = this.#looking.get(connection) ?? this.#look(session).finally(() => this.#looking.delete(connection));
    this.#looking.set(connection, looking);
    return looking;
  }

  async #look(session: MysqlSession): Promise<Schema> {
    const tables = await readTables(session);
    const statements = new Statements(tables, this.#scope, this.#store());
    const flags = [await oddFlagsRemark(session, tables, statements), await missingSoundsRemark(session, statements)];
    const lines = [statements.scopeRemark, await hostRemark(session, statements, this.#scope), ...flags];
    const remarks = lines.filter((line) => line !== undefined);
    const inDoubt = flags.every((line) => line === undefined) ? [] : await namesInDoubt(session, statements);
    const schema = { tables, statements, remarks, inDoubt, readAtMs: performance.now() };
    this.#known.set(session.connection, schema);
    return schema;
  }
}

async function hostRemark(session: MysqlSession, statements: Statements, scope: RowScope): Promise<string | undefined> {
  const question = statements.anyOfHost();
  return question === undefined || (await session.query(question)).length > 0 ? undefined : noRowRemark(scope);
}

async function namesInDoubt(session: MysqlSession, statements: Statements): Promise<string[]> {
  const question = statements.namesInDoubt(MOST_IN_DOUBT);
  return (await session.rows(question.sql, question.values)).flatMap(({ process_name: name }) =>
    name instanceof Uint8Array ? textOf(name) : [],
  );
}

async function oddFlagsRemark(session: MysqlSession, { status }: Tables, statements: Statements): Promise<string | undefined> {
  const question = statements.oddFlags();
  if (question === undefined) return undefined;
  const [row] = await session.rows(question.sql, question.values);
  return flagRemark(`alarma is ${status.alarma.type}, sound is ${status.sound.type}, and the value`, Number(row?.odd));
}

async function missingSoundsRemark(session: MysqlSession, statements: Statements): Promise<string | undefined> {
  const { sql, values } = statements.missingSounds();
  const [row] = await session.rows(sql, values);
  return noSoundRemark(Number(row?.missing));
}
