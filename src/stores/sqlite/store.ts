// The SQLite store.
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameNotes, type ProcessRow } from '../../core/alarm.ts';
import { StoreError } from '../../core/errors.ts';
import { readAlarmsBy } from '../alarms-read.ts';
import { bytesOf, textOf } from '../exact-text.ts';
import { charactersThatFit, type NotesCapacity, restartedNotes, restartNote } from '../notes.ts';
import { NOTHING_CONFIGURED, type RowScope } from '../row-scope.ts';
import { type AlarmStore, type AlarmsRead, HALF_IDS, type HalfRow, MOST_ALARMS, type StoreReport } from '../store.ts';
import { bytes, isChanged, one, processRow, readRow, text } from './answers.ts';
import { sqliteError, sqliteFault } from './faults.ts';
import { SqliteFile } from './file.ts';
import { inspectSqlite } from './inspect.ts';
import { KnownTables, type Schema } from './known-tables.ts';
import type { SqliteOptions } from './options.ts';
import { type KeyedRow, readInPortions } from './portions.ts';
import type { Key, Statement } from './statements.ts';

export { createSchema } from './file.ts';

/** The embedded store: one file, which other programs may write to at the same time (WAL). */
export class SqliteStore implements AlarmStore {
  readonly description: string;
  readonly #options: SqliteOptions;
  readonly #file: SqliteFile;
  readonly #tables: KnownTables;
  #closed = false;

  /** `existing`: nothing missing is created. */
  constructor(options: SqliteOptions, scope: RowScope = NOTHING_CONFIGURED, use: 'create' | 'existing' = 'create') {
    this.#options = options;
    this.#file = new SqliteFile(options.path, use);
    this.description = `sqlite ${options.path}`;
    this.#tables = new KnownTables(scope, this.description, options.path);
  }

  async readAlarms(first: readonly string[] = []): Promise<AlarmsRead> {
    const { statements, remarks, inDoubt } = await this.#attempt((_, schema) => schema);
    const questions = {
      alarms: (limit: number) => this.#rows((after) => statements.alarms(after), limit),
      namedAlarms: (limit: number) => this.#rows((after) => statements.namedAlarms(after), limit),
      alarmsOf: (names: readonly string[], limit: number) => this.#rows((after) => statements.alarmsOf(names, after), limit),
      count: () => this.#attempt((database) => Number(one(database, statements.alarmCount())?.alarms)),
      ambiguousIds: async (limit: number) => {
        if (statements.idsAreUnique) return [];
        const { sql, values } = statements.sharedIds(limit, true);
        return this.#attempt((database) =>
          database
            .prepare(sql)
            .all(...values)
            .flatMap(({ id }) => text(id) ?? []),
        );
      },
    };
    return readAlarmsBy(questions, first, { remarks, inDoubt });
  }

  readProcess(processId: string): Promise<ProcessRow | 'ambiguous' | undefined> {
    return this.#attempt((database, schema) => readRow(database, schema, processId)?.row);
  }

  async findProcesses(processName: string): Promise<ProcessRow[]> {
    const { statements } = await this.#attempt((_, schema) => schema);
    return this.#rows((after) => statements.byName(processName, after), MOST_ALARMS);
  }

  findHalf(nameOrId: string): Promise<HalfRow | undefined> {
    return this.#attempt((database, { statements }) => {
      const { sql, values } = statements.idsOfName(nameOrId, HALF_IDS);
      const ids = database.prepare(sql).all(...values);
      if (ids.length > 0) return { kind: 'no_status', processIds: ids.flatMap(({ id }) => text(id) ?? []) };
      if (one(database, statements.status(nameOrId)) !== undefined) return { kind: 'no_name' };
      const named = one(database, statements.nameOfId(nameOrId));
      return named && { kind: 'no_status_of_id', processName: text(named.process_name) ?? '' };
    });
  }

  async listNames(limit: number): Promise<string[]> {
    const { statements } = await this.#attempt((_, schema) => schema);
    const names = new Set<string>();
    await this.#portions(
      (after) => statements.names(after),
      ({ process_name: bytes }) => text(bytes),
      (name) => {
        if (name !== null) names.add(name);
        return names.size < limit;
      },
    );
    return [...names];
  }

  clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed' | 'ambiguous'> {
    return this.#attempt((database, schema) => {
      const { statements } = schema;
      const found = readRow(database, schema, seen.processId);
      if (found?.row === 'ambiguous') return 'ambiguous';
      if (found === undefined || !isSameNotes(found.row, seen)) return 'changed';
      const whole = bytes(one(database, statements.wholeNotes(seen.processId))?.notes) ?? new Uint8Array();
      const former = textOf(whole);
      const { drop, note } = restartedNotes(former, restartNote(restartedAt), CAPACITY);
      const head = drop === 0 ? former : Array.from(former).slice(0, -drop).join('');
      const clear = statements.change(
        'alarma = 0, notes = CAST(? AS TEXT)',
        [bytesOf(`${head}${note}`)],
        seen.processId,
        statements.asSeen(found),
      );
      return isChanged(database, schema, clear, seen.processId, (row) => !row.alarma) ? 'cleared' : 'changed';
    });
  }

  raiseAlarm(processId: string, notes: string | undefined): Promise<'raised' | 'missing' | 'ambiguous'> {
    return this.#set(processId, 'alarma = 1, sound = 0', notes, 'raised');
  }

  raiseNewAlarm(processId: string, notes: string): Promise<'raised' | 'standing' | 'missing' | 'ambiguous'> {
    return this.#attempt((database, schema) => {
      const row = readRow(database, schema, processId)?.row;
      if (row === undefined) return 'missing';
      if (row === 'ambiguous') return 'ambiguous';
      if (row.alarma || row.sound) return 'standing';
      return set(database, schema, processId, { flags: 'alarma = 1', notes, where: schema.statements.quiet() })
        ? 'raised'
        : 'standing';
    });
  }

  dropAlarm(processId: string, notes: string | undefined): Promise<'dropped' | 'missing' | 'ambiguous'> {
    return this.#set(processId, 'alarma = 0', notes, 'dropped');
  }

  inspect(): Promise<StoreReport> {
    return this.#attempt((database, schema) => inspectSqlite(database, schema, `TEXT, kept to ${CAPACITY.limit} bytes`));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#file.close();
  }

  #set<T extends string>(
    processId: string,
    flags: string,
    notes: string | undefined,
    done: T,
  ): Promise<T | 'missing' | 'ambiguous'> {
    return this.#attempt((database, schema) => {
      if (!schema.statements.idsAreUnique && readRow(database, schema, processId)?.row === 'ambiguous') return 'ambiguous';
      return set(database, schema, processId, { flags, notes }) ? done : 'missing';
    });
  }

  async #rows(statement: (after: Key | undefined) => Statement, limit: number): Promise<ProcessRow[]> {
    const rows: ProcessRow[] = [];
    await this.#portions(statement, processRow, (row) => rows.push(row) < limit);
    return rows;
  }

  #portions<T>(
    statement: (after: Key | undefined) => Statement,
    map: (row: KeyedRow) => T,
    take: (item: T) => boolean,
  ): Promise<void> {
    return readInPortions((call) => this.#attempt(call), statement, map, take);
  }

  /** Runs `call` until the file is not locked or the deadline has passed; the loop goes on between two attempts. */
  async #attempt<T>(call: (database: DatabaseSync, schema: Schema) => T): Promise<T> {
    const end = performance.now() + this.#options.queryTimeoutMs;
    for (;;) {
      if (this.#closed) throw new StoreError('unreachable', `${this.description}: the store was closed`);
      try {
        const database = this.#file.open();
        return call(database, this.#tables.of(database));
      } catch (error) {
        if (sqliteFault(error) !== 'busy' || performance.now() > end) {
          // The file may be repaired or replaced: the next call opens it again.
          if (sqliteFault(error) !== 'config') this.#file.close();
          throw sqliteError(this.description, error);
        }
      }
      await delay(RETRY_MS);
    }
  }
}

/** The pause between two attempts while another program holds the lock. */
const RETRY_MS = 25;

/** As much as TEXT holds in MySQL. */
const CAPACITY: NotesCapacity = { unit: 'bytes', limit: 65_535, charset: 'utf8mb4', maxBytes: 4 };

interface Change {
  /** Assignments. */
  readonly flags: string;
  readonly notes: string | undefined;
  readonly where?: Statement;
}

/** Changes one row; false if there is none for which `where` is true. */
function set(database: DatabaseSync, schema: Schema, processId: string, { flags, notes, where }: Change): boolean {
  const fitting = notes === undefined ? [] : [Array.from(notes).slice(0, charactersThatFit(notes, CAPACITY)).join('')];
  const assignments = notes === undefined ? flags : `${flags}, notes = ?`;
  const written = fitting.map((text) => text.toWellFormed());
  const change = schema.statements.change(assignments, written, processId, where);
  return isChanged(database, schema, change, processId, () => true);
}
