// The statements of the SQLite store, for tables of a given structure.
import type { SQLInputValue } from 'node:sqlite';
import { bytesOf, MOST_BYTES } from '../exact-text.ts';
import { READ_CHARACTERS } from '../notes.ts';
import { ownRows, type RowScope } from '../row-scope.ts';
import type { SqliteTables } from './tables.ts';

/** A statement and the values of its `?`. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** How many bytes of long notes are digested. */
const DIGESTED_BYTES = 1 << 20;

const size = (table: string): string => `octet_length(${table}notes)`;
/** The shown part of notes; SQLite also ends a text at a NUL. */
const head = (table: string): string => `substr(CAST(${table}notes AS TEXT), 1, ${READ_CHARACTERS})`;
/** A digest in place of notes that are not shown whole; sha256 is our own SQL function. */
const digest = (table: string): string =>
  `CASE WHEN ${size(table)} > octet_length(${head(table)}) THEN sha256(substr(CAST(${table}notes AS BLOB), 1, ${DIGESTED_BYTES})) END`;
/** NULL is neither alarma = 1 nor sound = 0: a row in doubt is left alone. */
const inAlarm = (table: string): string => `${table}alarma = 1 AND ${table}sound = 0`;

/** Every statement on tables of this kind. None of them sees or changes a row that is not ours. */
export class Statements {
  /** The remark about whose rows are ours, if there is one. */
  readonly scopeRemark: string | undefined;
  /** True if no two of our rows can have the same process_id. */
  readonly idsAreUnique: boolean;
  readonly #rows: Statement;
  /** The same, and the rows of STATUS_PROCESS that have none in PROCESE: no other host can claim them. */
  readonly #allRows: Statement;
  /** The condition that a row is ours, for STATUS_PROCESS alone. */
  readonly #ours: Statement;
  /** The same for PROCESE. */
  readonly #ourNames: Statement;

  /** Throws a StoreError (`config`) if it is not known whose rows are ours. `store`: AlarmStore.description. */
  constructor(tables: SqliteTables, scope: RowScope, store: string) {
    const { statusHost, processHost, uniqueIds, uniqueIdsPerHost } = tables;
    const own = ownRows(scope, statusHost || processHost, store);
    this.scopeRemark = own.kind === 'all' ? own.remark : undefined;
    const hosts = (name: string): Statement => (own.kind === 'host' ? hasKey(name, own.hostId) : EVERY);
    const ours = statusHost ? hosts('s.host_id') : processHost ? hosts('p.host_id') : EVERY;
    const on = `p.process_id = s.process_id${statusHost && processHost ? ' AND p.host_id = s.host_id' : ''}`;
    const short = `octet_length(s.process_id) <= ${MOST_BYTES}`;
    this.#rows = { sql: `FROM STATUS_PROCESS s JOIN PROCESE p ON ${on} WHERE ${short} AND ${ours.sql}`, values: ours.values };
    const oursOrNobodys = statusHost ? ours.sql : `(${ours.sql} OR p.process_id IS NULL)`;
    this.#allRows = {
      sql: `FROM STATUS_PROCESS s LEFT JOIN PROCESE p ON ${on} WHERE ${short} AND ${oursOrNobodys}`,
      values: ours.values,
    };
    this.#ours = statusHost ? hosts('host_id') : EVERY;
    this.#ourNames = processHost ? hosts('host_id') : EVERY;
    this.idsAreUnique = uniqueIds || (uniqueIdsPerHost && ours.values.length > 0);
  }

  /** The rows in alarm after `after`, ordered by process_id, including rows without a name. */
  alarms(after: Key | undefined): Statement {
    return this.#select(`${inAlarm('s.')} AND ${beyond(after)}`, keyValues(after), INDEXED_ORDER, this.#allRows);
  }

  /** Those of them that have a name. */
  namedAlarms(after: Key | undefined): Statement {
    const isNamed = 'p.process_name IS NOT NULL';
    return this.#select(`${inAlarm('s.')} AND ${isNamed} AND ${beyond(after)}`, keyValues(after), INDEXED_ORDER);
  }

  /** Those of them that have one of these names. */
  alarmsOf(names: readonly string[], after: Key | undefined): Statement {
    const among = `CAST(p.process_name AS BLOB) IN (${names.map(() => '?').join(', ')})`;
    const values = [...names.map(bytesOf), ...keyValues(after)];
    return this.#select(`${inAlarm('s.')} AND ${among} AND ${beyond(after)}`, values, INDEXED_ORDER);
  }

  /** How many rows are in both tables, as `processes`. */
  processCount(): Statement {
    return { sql: `SELECT count(*) AS processes ${this.#rows.sql}`, values: this.#rows.values };
  }

  /** One row of this host; undefined if the rows of every host are ours. */
  anyOfHost(): Statement | undefined {
    const { sql, values } = this.#rows;
    return values.length === 0 ? undefined : { sql: `SELECT 1 ${sql} LIMIT 1`, values };
  }

  /** How many rows are in alarm, as `alarms`. */
  alarmCount(): Statement {
    const { sql, values } = this.#allRows;
    return { sql: `SELECT count(*) AS alarms ${sql} AND ${inAlarm('s.')}`, values };
  }

  /** How many rows have no name, as `unnamed`, and how many of those are in alarm, as `alarms`. */
  unnamed(): Statement {
    const { sql, values } = this.#allRows;
    const isUnnamed = "(p.process_name IS NULL OR trim(CAST(p.process_name AS TEXT)) = '')";
    return {
      sql: `SELECT count(*) AS unnamed, count(*) FILTER (WHERE ${inAlarm('s.')}) AS alarms ${sql} AND ${isUnnamed}`,
      values,
    };
  }

  /**
   * The process_ids, as `id`, that several of our rows have, the first `limit`; `onlyAlarms`: only if one of them is in alarm.
   */
  sharedIds(limit: number, onlyAlarms: boolean): Statement {
    const suspects = `s.process_id IN (SELECT process_id FROM STATUS_PROCESS WHERE ${inAlarm('')})`;
    const { sql, values } = this.#rows;
    return {
      sql: `SELECT ${ID} AS id ${sql} AND ${onlyAlarms ? suspects : 'TRUE'} GROUP BY id HAVING count(*) > 1 LIMIT ${limit}`,
      values,
    };
  }

  /** How many rows, as `odd`, have a flag that is not a number. */
  oddFlags(): Statement {
    const odd = `${isNoFlag('alarma')} OR ${isNoFlag('sound')}`;
    return {
      sql: `SELECT count(*) AS odd FROM STATUS_PROCESS WHERE ${this.#ours.sql} AND (${odd})`,
      values: this.#ours.values,
    };
  }

  /** How many rows, as `missing`, have `alarma = 1`, and NULL for `sound`. */
  missingSounds(): Statement {
    const { sql, values } = this.#ours;
    return { sql: `SELECT count(*) AS missing FROM STATUS_PROCESS WHERE ${sql} AND alarma = 1 AND sound IS NULL`, values };
  }

  /** The distinct names, as `process_name`, of rows that are in doubt (ProcessRow.inDoubt), the first `limit`. */
  namesInDoubt(limit: number): Statement {
    const { sql, values } = this.#rows;
    return { sql: `SELECT DISTINCT ${NAME} AS process_name ${sql} AND (${IN_DOUBT}) LIMIT ${limit}`, values };
  }

  /** The rows with that id: two are enough to know that there are several. */
  byId(processId: string): Statement {
    const { sql, values } = hasKey('s.process_id', processId);
    return this.#select(sql, values, 'LIMIT 2');
  }

  /** The rows with exactly that name after `after`. */
  byName(name: string, after: Key | undefined): Statement {
    const values = [bytesOf(name), ...keyValues(after)];
    return this.#select(`CAST(p.process_name AS BLOB) = ? AND ${beyond(after)}`, values, INDEXED_ORDER);
  }

  /** The process_ids, as `id`, that only PROCESE has for exactly that name, the first `limit`. */
  idsOfName(name: string, limit: number): Statement {
    const { sql, values } = this.#ourNames;
    return {
      sql: `SELECT CAST(CAST(process_id AS TEXT) AS BLOB) AS id FROM PROCESE WHERE ${sql} AND CAST(process_name AS BLOB) = ? ORDER BY process_id LIMIT ${limit}`,
      values: [...values, bytesOf(name)],
    };
  }

  /** The name, as `process_name`, that PROCESE has for that id, if STATUS_PROCESS has no row of it for any host. */
  nameOfId(processId: string): Statement {
    const id = hasKey('p.process_id', processId);
    const { sql, values } = this.#ourNames;
    return {
      sql: `SELECT ${NAME} AS process_name FROM PROCESE p WHERE ${sql} AND ${id.sql} AND NOT EXISTS (SELECT 1 FROM STATUS_PROCESS s WHERE s.process_id = p.process_id) LIMIT 1`,
      values: [...values, ...id.values],
    };
  }

  /** A row of STATUS_PROCESS with that id, whether or not PROCESE has a name for it. */
  status(processId: string): Statement {
    const { sql, values } = this.#oneStatus(processId);
    return { sql: `SELECT 1 FROM STATUS_PROCESS WHERE ${sql} LIMIT 1`, values };
  }

  /** The names, as `process_name`, of the rows after `after`. */
  names(after: Key | undefined): Statement {
    const { sql, values } = this.#rows;
    return {
      sql: `SELECT ${KEY}, ${NAME} AS process_name ${sql} AND ${beyond(after)} ${INDEXED_ORDER}`,
      values: [...values, ...keyValues(after)],
    };
  }

  /** The notes of a row, as far as they are digested. */
  wholeNotes(processId: string): Statement {
    const { sql, values } = this.#oneStatus(processId);
    return {
      sql: `SELECT substr(CAST(notes AS BLOB), 1, ${DIGESTED_BYTES}) AS notes FROM STATUS_PROCESS WHERE ${sql}`,
      values,
    };
  }

  /** Changes the row with that id by `assignments`, with `assigned` for their `?`. */
  change(assignments: string, assigned: readonly SQLInputValue[], processId: string, where: Statement = EVERY): Statement {
    const { sql, values } = this.#oneStatus(processId);
    return {
      sql: `UPDATE STATUS_PROCESS SET ${assignments} WHERE ${sql} AND ${where.sql}`,
      values: [...assigned, ...values, ...where.values],
    };
  }

  /** The condition that a row is still in alarm, and that its notes have this size and digest. */
  asSeen(seen: { readonly size: bigint | null; readonly digest: string | null }): Statement {
    return { sql: `${inAlarm('')} AND ${size('')} IS ? AND ${digest('')} IS ?`, values: [seen.size, seen.digest] };
  }

  /** The condition that a row is neither in alarm nor acknowledged. */
  quiet(): Statement {
    return { sql: '(alarma = 1) IS NOT TRUE AND sound = 0', values: [] };
  }

  #oneStatus(processId: string): Statement {
    const id = hasKey('process_id', processId);
    return { sql: `${this.#ours.sql} AND ${id.sql}`, values: [...this.#ours.values, ...id.values] };
  }

  #select(condition: string, values: readonly SQLInputValue[], order: string, rows = this.#rows): Statement {
    const flags = `s.alarma = 1 AS alarma, s.sound = 0 AS silent, ${IN_DOUBT} AS inDoubt`;
    const notes = `CAST(${head('s.')} AS BLOB) AS notes, ${size('s.')} AS size, ${digest('s.')} AS digest`;
    const columns = `${KEY}, ${ID} AS process_id, ${NAME} AS process_name, ${flags}, ${notes}`;
    return {
      sql: `SELECT ${columns} ${rows.sql} AND ${condition} ${order}`,
      values: [...rows.values, ...values],
    };
  }
}

const EVERY: Statement = { sql: 'TRUE', values: [] };
/** A longer name counts as none: no process has it, and SQLite does not limit the length of columns. */
const NAME = `CASE WHEN octet_length(p.process_name) <= ${MOST_BYTES} THEN CAST(p.process_name AS BLOB) END`;
const ID = 'CAST(CAST(s.process_id AS TEXT) AS BLOB)';
const IN_DOUBT = `${isNoFlag('s.alarma')} OR s.alarma = 1 AND (s.sound IS NULL OR ${isNoFlag('s.sound')})`;

/** The condition that a flag's column holds something other than a number. */
function isNoFlag(name: string): string {
  return `(typeof(${name}) IN ('text', 'blob') AND CAST(CAST(${name} AS NUMERIC) AS TEXT) <> CAST(${name} AS TEXT))`;
}

/** By bytes: values that are equal for a collation are several keys. */
const INDEXED_ORDER = 'ORDER BY s.process_id COLLATE BINARY';

/** A process_id as SQLite stores it; for a text, its bytes. */
export interface Key {
  readonly type: string;
  readonly value: SQLInputValue;
}

const KEY =
  "typeof(s.process_id) AS keyType, CASE typeof(s.process_id) WHEN 'text' THEN CAST(s.process_id AS BLOB) ELSE s.process_id END AS key";

function beyond(after: Key | undefined): string {
  if (after === undefined) return 'TRUE';
  // The plus is needed: after CAST alone, numbers would be compared as texts.
  return `s.process_id COLLATE BINARY > ${after.type === 'text' ? '+CAST(? AS TEXT)' : '?'}`;
}

function keyValues(after: Key | undefined): SQLInputValue[] {
  return after === undefined ? [] : [after.value];
}

/**
 * The condition that a column holds a key, in SQLite's text form, whatever its type. An index is used for whole numbers and
 * texts.
 */
function hasKey(name: string, key: string): Statement {
  const bytes = bytesOf(key);
  const exactly = `CAST(CAST(${name} AS TEXT) AS BLOB) = ?`;
  // The text of a number with a fraction, or beyond 64 bits, is rounded: the number could not be found by it.
  if (NUMBER.test(key) && !WHOLE.test(key)) return { sql: exactly, values: [bytes] };
  const whole = WHOLE.test(key) ? BigInt.asIntN(64, BigInt(key)) : 0n;
  return { sql: `${name} IN (CAST(? AS TEXT), ?, ?) AND ${exactly}`, values: [bytes, bytes, whole, bytes] };
}

const WHOLE = /^-?\d{1,19}$/;
const NUMBER = /^-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf)$/i;
