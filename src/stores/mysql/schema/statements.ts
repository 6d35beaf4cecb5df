// The statements of the MySQL store, for tables of a given structure.
import type { SeenNotes } from '../../../core/alarm.ts';
import { StoreError } from '../../../core/errors.ts';
import { quoted } from '../../../core/text/printable.ts';
import { NAMES_AT_ONCE } from '../../alarms-read.ts';
import { bytesOf, MOST_BYTES } from '../../exact-text.ts';
import { UNLIMITED } from '../../notes.ts';
import { ownRows, type RowScope } from '../../row-scope.ts';
import { MOST_ALARMS } from '../../store.ts';
import type { SqlValue } from '../session.ts';
import { type Column, exact, flagIs, flagValue, isNoFlag, joins, type KeyTest, keyTest } from './column.ts';
import { digest, head, literal } from './expressions.ts';
import type { Tables } from './tables.ts';

/** A statement and the values of its `?`. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** Every statement on tables of this kind. None of them sees or changes a row that is not ours. */
export class Statements {
  /** The remark about whose rows are ours, if there is one. */
  readonly scopeRemark: string | undefined;
  readonly #tables: Tables;
  /** `FROM … WHERE` with the condition that a row is ours. */
  readonly #rows: Statement;
  /** The same, and the rows of STATUS_PROCESS that have none in PROCESE: no other host can claim them. */
  readonly #allRows: Statement;
  /** The condition that a row is ours, for STATUS_PROCESS alone. */
  readonly #ours: Statement;
  /** The same for PROCESE. */
  readonly #ourNames: Statement;
  readonly #idTest: KeyTest;
  readonly #bareIdTest: KeyTest;
  #poll: { readonly limit: number; readonly statement: Statement } | undefined;

  /** Throws a StoreError (`config`) if it is not known whose rows are ours. `store`: AlarmStore.description. */
  constructor(tables: Tables, scope: RowScope, store: string) {
    this.#tables = tables;
    const { statusHost, processHost, status, process } = tables;
    const own = ownRows(scope, (statusHost ?? processHost) !== undefined, store);
    this.scopeRemark = own.kind === 'all' ? own.remark : undefined;
    const hosts = (name: string, column: Column | undefined): Statement =>
      own.kind === 'host' && column !== undefined ? hostTest(name, column, own.hostId, store) : EVERY;
    const sameHost = statusHost && processHost ? ` AND ${joins('p.host_id', processHost, 's.host_id', statusHost)}` : '';
    const on = `${joins('p.process_id', process.processId, 's.process_id', status.processId)}${sameHost}`;
    const ours = statusHost ? hosts('s.host_id', statusHost) : hosts('p.host_id', processHost);
    const short = status.processId.castType === '' ? `LENGTH(s.process_id) <= ${MOST_BYTES} AND ` : '';
    this.#rows = { sql: `FROM STATUS_PROCESS s JOIN PROCESE p ON ${on} WHERE ${short}${ours.sql}`, values: ours.values };
    const oursOrNobodys = statusHost ? ours.sql : `(${ours.sql} OR p.process_id IS NULL)`;
    this.#allRows = {
      sql: `FROM STATUS_PROCESS s LEFT JOIN PROCESE p ON ${on} WHERE ${short}${oursOrNobodys}`,
      values: ours.values,
    };
    this.#ours = hosts('host_id', statusHost);
    this.#ourNames = hosts('p.host_id', processHost);
    this.#idTest = keyTest('s.process_id', status.processId);
    this.#bareIdTest = keyTest('process_id', status.processId);
  }

  /** True if no two of our rows can have the same process_id. */
  get idsAreUnique(): boolean {
    const { uniqueIds, uniqueIdsPerHost } = this.#tables;
    return uniqueIds || (uniqueIdsPerHost && this.#rows.values.length > 0);
  }

  /** The first `limit` rows in alarm, ordered by process_id, including rows without a name. */
  alarms(limit: number): Statement {
    // The statement of each poll: the same string object is found faster among the prepared statements.
    if (this.#poll?.limit !== limit)
      this.#poll = { limit, statement: this.#select(this.#inAlarm('s.'), [], limit, this.#allRows) };
    return this.#poll.statement;
  }

  /** The first `limit` of them that have a name. */
  namedAlarms(limit: number): Statement {
    return this.#select(`${this.#inAlarm('s.')} AND p.process_name IS NOT NULL`, [], limit);
  }

  /** The first `limit` of them that have one of these names; at most NAMES_AT_ONCE names. */
  alarmsOf(names: readonly string[], limit: number): Statement {
    const bytes = Array.from({ length: NAMES_AT_ONCE }, (_, i) => bytesOf(names[i] ?? names[0] ?? ''));
    const among = `${this.#name} IN (${bytes.map(() => '?').join(', ')})`;
    return this.#select(`${this.#inAlarm('s.')} AND ${among}`, bytes, limit);
  }

  /** One row of this host, for a query without preparing; undefined if the rows of every host are ours. */
  anyOfHost(): string | undefined {
    const { sql, values } = this.#rows;
    if (values.length === 0) return undefined;
    let next = 0;
    return `SELECT 1 ${sql.replaceAll('?', () => literal(values[next++] ?? null))} LIMIT 1`;
  }

  /** How many rows are in alarm, as `alarms`. */
  alarmCount(): Statement {
    const { sql, values } = this.#allRows;
    return { sql: `SELECT COUNT(*) AS alarms ${sql} AND ${this.#inAlarm('s.')}`, values };
  }

  /** How many rows are in both tables, as `processes`. */
  processCount(): Statement {
    return { sql: `SELECT COUNT(*) AS processes ${this.#rows.sql}`, values: this.#rows.values };
  }

  /** The process_ids, as `id`, that several of our rows have, the first `limit`; `inAlarm`: only if one of them is in alarm. */
  sharedIds(limit: number, inAlarm = false): Statement {
    const id = exact('s.process_id', this.#tables.status.processId);
    const suspects = `s.process_id IN (SELECT a.process_id FROM STATUS_PROCESS a WHERE ${this.#inAlarm('a.')})`;
    return {
      sql: `SELECT ${id} AS id ${this.#rows.sql} AND ${inAlarm ? suspects : 'TRUE'} GROUP BY ${id} HAVING COUNT(*) > 1 LIMIT ${limit}`,
      values: this.#rows.values,
    };
  }

  /** How many rows, as `odd`, have a flag that is not a number; undefined if the columns hold numbers only. */
  oddFlags(): Statement | undefined {
    const { alarma, sound } = this.#tables.status;
    const odd = [isNoFlag('alarma', alarma), isNoFlag('sound', sound)].filter((condition) => condition !== undefined);
    if (odd.length === 0) return undefined;
    const { sql, values } = this.#ours;
    return {
      sql: `SELECT COUNT(*) AS odd FROM STATUS_PROCESS WHERE ${sql} AND (${odd.map((one) => `(${one})`).join(' OR ')})`,
      values,
    };
  }

  /** How many rows, as `missing`, have `alarma = 1`, and NULL for `sound`. */
  missingSounds(): Statement {
    const { sql, values } = this.#ours;
    const isMissing = `${flagIs('alarma', this.#tables.status.alarma, 1)} AND sound IS NULL`;
    return { sql: `SELECT COUNT(*) AS missing FROM STATUS_PROCESS WHERE ${sql} AND ${isMissing}`, values };
  }

  /** The distinct names, as `process_name`, of rows that are in doubt (ProcessRow.inDoubt), the first `limit`. */
  namesInDoubt(limit: number): Statement {
    const { sql, values } = this.#rows;
    const short = `LENGTH(p.process_name) <= ${MOST_BYTES}`;
    const condition = `(${this.#inDoubt}) AND ${short}`;
    return { sql: `SELECT DISTINCT ${this.#name} AS process_name ${sql} AND ${condition} LIMIT ${limit}`, values };
  }

  /** The rows with that id: two are enough to know that there are several. Undefined for an impossible id. */
  byId(processId: string): Statement | undefined {
    const values = this.#idTest.values(processId);
    return values && this.#select(this.#idTest.sql, values, 2);
  }

  /** The rows with exactly that name. */
  byName(name: string): Statement {
    return this.#select(`${this.#name} = ?`, [bytesOf(name)], MOST_ALARMS);
  }

  /** The process_ids, as `id`, that only PROCESE has for exactly that name, the first `limit`. */
  idsOfName(name: string, limit: number): Statement {
    const { sql, values } = this.#ourNames;
    const id = exact('p.process_id', this.#tables.process.processId);
    return {
      sql: `SELECT ${id} AS id FROM PROCESE p WHERE ${sql} AND ${this.#name} = ? ORDER BY p.process_id LIMIT ${limit}`,
      values: [...values, bytesOf(name)],
    };
  }

  /**
   * The name, as `process_name`, that PROCESE has for that id, if STATUS_PROCESS has no row of it for any host. Undefined for
   * an impossible id.
   */
  nameOfId(processId: string): Statement | undefined {
    const { process, status } = this.#tables;
    const test = keyTest('p.process_id', process.processId);
    const on = joins('p.process_id', process.processId, 's.process_id', status.processId);
    const id = test.values(processId);
    const { sql, values } = this.#ourNames;
    const alone = `LENGTH(p.process_name) <= ${MOST_BYTES} AND NOT EXISTS (SELECT 1 FROM STATUS_PROCESS s WHERE ${on})`;
    return (
      id && {
        sql: `SELECT ${this.#name} AS process_name FROM PROCESE p WHERE ${sql} AND ${test.sql} AND ${alone} LIMIT 1`,
        values: [...values, ...id],
      }
    );
  }

  /** The distinct names, the first `limit`. */
  names(limit: number): Statement {
    return {
      sql: `SELECT DISTINCT ${this.#name} AS process_name ${this.#rows.sql} AND LENGTH(p.process_name) <= ${MOST_BYTES} LIMIT ${limit}`,
      values: this.#rows.values,
    };
  }

  /** How many rows have no name, as `unnamed`, and how many of those are in alarm, as `alarms`. */
  unnamed(): Statement {
    const { sql, values } = this.#allRows;
    const alarms = `COALESCE(SUM(${this.#inAlarm('s.')}), 0)`;
    const isUnnamed = "(p.process_name IS NULL OR TRIM(p.process_name) = '')";
    return { sql: `SELECT COUNT(*) AS unnamed, ${alarms} AS alarms ${sql} AND ${isUnnamed}`, values };
  }

  /**
   * The columns `expression` of the row with that id in STATUS_PROCESS, of at most two rows. Undefined for an impossible id.
   */
  status(expression: string, processId: string): Statement | undefined {
    const id = this.#bareIdTest.values(processId);
    const { sql, values } = this.#ours;
    return (
      id && {
        sql: `SELECT ${expression} FROM STATUS_PROCESS WHERE ${sql} AND ${this.#bareIdTest.sql} LIMIT 2`,
        values: [...values, ...id],
      }
    );
  }

  /** Changes the row with that id by `assignments`, with `assigned` for their `?`. Undefined for an impossible id. */
  change(assignments: string, assigned: readonly SqlValue[], processId: string, where?: Statement): Statement | undefined {
    const id = this.#bareIdTest.values(processId);
    if (id === undefined) return undefined;
    const condition = [this.#ours.sql, this.#bareIdTest.sql, ...(where === undefined ? [] : [where.sql])].join(' AND ');
    return {
      sql: `UPDATE STATUS_PROCESS SET ${assignments} WHERE ${condition}`,
      values: [...assigned, ...this.#ours.values, ...id, ...(where?.values ?? [])],
    };
  }

  /** The condition that a row is still in alarm, with the notes that were seen. */
  asSeen({ notes, notesDigest }: SeenNotes): Statement {
    const exactly = (text: string | null): Buffer | null => (text === null ? null : bytesOf(text));
    return {
      sql: `${this.#inAlarm('')} AND ${head('notes', this.#isBinary)} <=> ? AND ${digest('notes', this.#isBinary)} <=> ?`,
      values: [exactly(notes), exactly(notesDigest)],
    };
  }

  /** The assignments that set `alarma` and, if given, `sound`. */
  flags(alarma: 0 | 1, sound?: 0 | 1): string {
    const { status } = this.#tables;
    const both = [`alarma = ${flagValue(status.alarma, alarma)}`];
    if (sound !== undefined) both.push(`sound = ${flagValue(status.sound, sound)}`);
    return both.join(', ');
  }

  /** The condition that `sound` is 0. */
  silent(): string {
    return flagIs('sound', this.#tables.status.sound, 0);
  }

  /** The condition that a row is neither in alarm nor acknowledged. */
  quiet(): string {
    return `(${flagIs('alarma', this.#tables.status.alarma, 1)}) IS NOT TRUE AND ${this.silent()}`;
  }

  /** The condition that a row is in alarm. */
  inAlarm(): string {
    return this.#inAlarm('');
  }

  get #isBinary(): boolean {
    return this.#tables.notes.charset === '' && this.#tables.notes !== UNLIMITED;
  }

  get #name(): string {
    return exact('p.process_name', this.#tables.process.processName);
  }

  get #inDoubt(): string {
    const { alarma, sound } = this.#tables.status;
    const [noAlarm, noSound] = [isNoFlag('s.alarma', alarma), isNoFlag('s.sound', sound)];
    const unclear = noSound === undefined ? 's.sound IS NULL' : `(s.sound IS NULL OR ${noSound})`;
    const silenced = `${flagIs('s.alarma', alarma, 1)} AND ${unclear}`;
    return noAlarm === undefined ? silenced : `(${noAlarm}) OR (${silenced})`;
  }

  #inAlarm(alias: string): string {
    const { alarma, sound } = this.#tables.status;
    return `${flagIs(`${alias}alarma`, alarma, 1)} AND ${flagIs(`${alias}sound`, sound, 0)}`;
  }

  #select(condition: string, values: readonly SqlValue[], limit: number, rows = this.#rows): Statement {
    const { alarma, sound, processId } = this.#tables.status;
    // A flag that is NULL is neither 0 nor 1: a row in doubt is left alone.
    const flags = `${flagIs('s.alarma', alarma, 1)} AS alarma, ${flagIs('s.sound', sound, 0)} AS silent, ${this.#inDoubt} AS inDoubt`;
    const name = `IF(LENGTH(p.process_name) <= ${MOST_BYTES}, ${this.#name}, NULL)`;
    const columns = `${exact('s.process_id', processId)} AS process_id, ${name} AS process_name, ${flags}`;
    const notes = `${head('s.notes', this.#isBinary)} AS notes, ${digest('s.notes', this.#isBinary)} AS notesDigest`;
    return {
      sql: `SELECT ${columns}, ${notes} ${rows.sql} AND ${condition} ORDER BY s.process_id LIMIT ${limit}`,
      values: [...rows.values, ...values],
    };
  }
}

const EVERY: Statement = { sql: 'TRUE', values: [] };

function hostTest(name: string, column: Column, hostId: string, store: string): Statement {
  const { sql, values } = keyTest(name, column);
  const bound = values(hostId);
  if (bound !== undefined) return { sql, values: bound };
  throw new StoreError(
    'config',
    `${store}: [host] host_id is ${quoted(hostId)}, but the column host_id is of type ${column.type}: no row can belong to this host (expected a number)`,
  );
}
