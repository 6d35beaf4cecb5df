import type { ProcessRow } from '../../core/alarm.ts';
import { readAlarmsBy } from '../alarms-read.ts';
import { charactersThatFit, restartNote } from '../notes.ts';
import { NOTHING_CONFIGURED, type RowScope } from '../row-scope.ts';
import { type AlarmStore, type AlarmsRead, HALF_IDS, type HalfRow, type StoreReport } from '../store.ts';
import { Cautions } from './cautions.ts';
import { earlierHosts } from './endpoints.ts';
import { isRefusalOfNotes } from './faults/store-error.ts';
import { MysqlFailover } from './hosts/failover.ts';
import { describeMysql, type MysqlOptions } from './options.ts';
import { inspectMysql } from './schema/inspect.ts';
import { KnownTables, type Schema } from './schema/known-tables.ts';
import { notesChange, textFor } from './schema/notes-change.ts';
import { changes, one, processRows, rowsOf, text } from './schema/rows.ts';
import type { Statement } from './schema/statements.ts';
import type { MysqlSession, SqlValue } from './session.ts';

/** The alarm store of the bash service: STATUS_PROCESS and PROCESE of a MySQL or MariaDB server. */
export class MysqlStore implements AlarmStore {
  readonly #options: MysqlOptions;
  readonly #servers: MysqlFailover;
  readonly #cautions: Cautions;
  readonly #tables: KnownTables;

  /**
   * `idleTimeoutMs`: how long a connection may be idle before it is closed; default a minute. `warn` gets each caution once, in
   * one line: something works now but may stop working.
   */
  constructor(
    options: MysqlOptions,
    scope: RowScope = NOTHING_CONFIGURED,
    idleTimeoutMs: number = IDLE_TIMEOUT_MS,
    warn: (text: string) => void = () => {},
  ) {
    this.#options = options;
    this.#cautions = new Cautions(warn);
    this.#servers = new MysqlFailover(options, { idleTimeoutMs, caution: (text) => this.#cautions.add(text) });
    this.#tables = new KnownTables(scope, () => this.description);
  }

  get description(): string {
    return describeMysql(this.#options, this.#servers.serverName);
  }

  get failoverMs(): number | undefined {
    const { endpoints, readTimeoutMs } = this.#options;
    return earlierHosts(endpoints, endpoints.length - 1).length > 0 ? readTimeoutMs : undefined;
  }

  readAlarms(first: readonly string[] = []): Promise<AlarmsRead> {
    return this.#poll(async (session, { statements, remarks, inDoubt }) => {
      const questions = {
        alarms: (limit: number) => processRows(session, statements.alarms(limit)),
        namedAlarms: (limit: number) => processRows(session, statements.namedAlarms(limit)),
        alarmsOf: (names: readonly string[], limit: number) => processRows(session, statements.alarmsOf(names, limit)),
        count: async () => Number((await one(session, statements.alarmCount()))?.alarms),
        ambiguousIds: async (limit: number) => {
          if (statements.idsAreUnique) return [];
          return (await rowsOf(session, statements.sharedIds(limit, true))).flatMap(({ id }) => text(id) ?? []);
        },
      };
      return readAlarmsBy(questions, first, { remarks, inDoubt });
    });
  }

  readProcess(processId: string): Promise<ProcessRow | 'ambiguous' | undefined> {
    return this.#poll(async (session, { statements }) => {
      const [row, another] = await processRows(session, statements.byId(processId));
      if (another === undefined) return row;
      // A unique key excluded such rows: the next poll has to notice that it is gone.
      if (statements.idsAreUnique) this.#tables.forget(session);
      return 'ambiguous';
    });
  }

  findProcesses(processName: string): Promise<ProcessRow[]> {
    return this.#read((session, { statements }) => processRows(session, statements.byName(processName)));
  }

  findHalf(nameOrId: string): Promise<HalfRow | undefined> {
    return this.#read(async (session, { statements }) => {
      const ids = await rowsOf(session, statements.idsOfName(nameOrId, HALF_IDS));
      if (ids.length > 0) return { kind: 'no_status', processIds: ids.flatMap(({ id }) => text(id) ?? []) };
      if ((await one(session, statements.status('1', nameOrId))) !== undefined) return { kind: 'no_name' };
      const named = await one(session, statements.nameOfId(nameOrId));
      return named && { kind: 'no_status_of_id', processName: text(named.process_name) ?? '' };
    });
  }

  listNames(limit: number): Promise<string[]> {
    return this.#read(async (session, { statements }) =>
      (await rowsOf(session, statements.names(limit))).flatMap(({ process_name: name }) => text(name) ?? []),
    );
  }

  clearAlarm(seen: ProcessRow, restartedAt: Date): Promise<'cleared' | 'changed' | 'ambiguous'> {
    const note = restartNote(restartedAt);
    return this.#write(async (session, schema) => {
      const { statements } = schema;
      if (await isAmbiguous(session, schema, seen.processId)) return 'ambiguous';
      const change = await notesChange(session, schema, seen, note);
      const asSeen = statements.asSeen(seen);
      const cleared = statements.flags(0);
      try {
        // CONCAT_WS, because CONCAT of NULL is NULL; notes first, because MySQL assigns from left to right.
        const assignments = `notes = CONCAT_WS('', LEFT(notes, GREATEST(CHAR_LENGTH(notes) - ?, 0)), ?), ${cleared}`;
        return await outcome(session, statements.change(assignments, [change.drop, change.note], seen.processId, asSeen));
      } catch (error) {
        if (!isRefusalOfNotes(error)) throw error;
        // The alarm has to end even if the note cannot be written: the column was altered, or its text is damaged.
        this.#tables.forget(session);
        return await leniently(session, () => outcome(session, statements.change(cleared, [], seen.processId, asSeen)));
      }
    });
  }

  raiseAlarm(processId: string, notes: string | undefined): Promise<'raised' | 'missing' | 'ambiguous'> {
    return this.#write(async (session, schema) => {
      const { statements } = schema;
      if (await isAmbiguous(session, schema, processId)) return 'ambiguous';
      const silent = { sql: statements.silent(), values: [] };
      // Without a change to `sound` first: the least-privilege user may not change it, and usually it is 0 already.
      if ((await set(session, schema, statements.flags(1), processId, notes, silent)) > 0) return 'raised';
      const row = await one(session, statements.status(`${statements.inAlarm()} AS raised`, processId));
      if (row === undefined) return 'missing';
      if (row.raised !== 1) await set(session, schema, statements.flags(1, 0), processId, notes);
      return 'raised';
    });
  }

  raiseNewAlarm(processId: string, notes: string): Promise<'raised' | 'standing' | 'missing' | 'ambiguous'> {
    return this.#write(async (session, schema) => {
      const { statements } = schema;
      if (await isAmbiguous(session, schema, processId)) return 'ambiguous';
      const quiet = { sql: statements.quiet(), values: [] };
      if ((await set(session, schema, statements.flags(1), processId, notes, quiet)) > 0) return 'raised';
      return (await one(session, statements.status('1', processId))) === undefined ? 'missing' : 'standing';
    });
  }

  dropAlarm(processId: string, notes: string | undefined): Promise<'dropped' | 'missing' | 'ambiguous'> {
    return this.#write(async (session, schema) => {
      const { statements } = schema;
      if (await isAmbiguous(session, schema, processId)) return 'ambiguous';
      if ((await set(session, schema, statements.flags(0), processId, notes)) > 0) return 'dropped';
      // The server counts changed rows only.
      return (await one(session, statements.status('1', processId))) === undefined ? 'missing' : 'dropped';
    });
  }

  async inspect(): Promise<StoreReport> {
    const report = await this.#read(inspectMysql);
    return { ...report, remarks: [...report.remarks, ...this.#cautions.texts] };
  }

  close(): Promise<void> {
    return this.#servers.close();
  }

  /** For polls and re-reads: it never waits for another call. */
  #poll<T>(work: (session: MysqlSession, schema: Schema) => Promise<T>): Promise<T> {
    return this.#servers.poll((session) => this.#tables.use(session, (schema) => work(session, schema)));
  }

  #read<T>(work: (session: MysqlSession, schema: Schema) => Promise<T>): Promise<T> {
    return this.#servers.read((session) => this.#tables.use(session, (schema) => work(session, schema)));
  }

  #write<T>(work: (session: MysqlSession, schema: Schema) => Promise<T>): Promise<T> {
    return this.#servers.write((session) => this.#tables.use(session, (schema) => work(session, schema)));
  }
}

const IDLE_TIMEOUT_MS = 60_000;

async function outcome(session: MysqlSession, statement: Statement | undefined): Promise<'cleared' | 'changed'> {
  return (await changes(session, statement)) > 0 ? 'cleared' : 'changed';
}

/** True if a change to that row would also change another row. */
async function isAmbiguous(session: MysqlSession, { statements }: Schema, processId: string): Promise<boolean> {
  return !statements.idsAreUnique && (await rowsOf(session, statements.byId(processId))).length > 1;
}

async function set(
  session: MysqlSession,
  { statements, tables }: Schema,
  flags: string,
  processId: string,
  notes: string | undefined,
  where?: Statement,
): Promise<number> {
  if (notes === undefined) return changes(session, statements.change(flags, [], processId, where));
  const written = await textFor(session, notes, tables.notes.charset);
  const values: SqlValue[] = [written, charactersThatFit(written, tables.notes)];
  return changes(session, statements.change(`${flags}, notes = LEFT(?, ?)`, values, processId, where));
}

/** Strict mode would refuse even to compare a damaged text. */
async function leniently<T>(session: MysqlSession, work: () => Promise<T>): Promise<T> {
  await session.query("SET SESSION sql_mode = ''");
  const result = await work();
  await session.query('SET SESSION sql_mode = DEFAULT');
  return result;
}
