// Builds SQL for a column by the column's type.
import { bytesOf } from '../../exact-text.ts';
import type { SqlValue } from '../session.ts';

/** How a column's values are compared. `other`: as their text, or not at all. */
type ColumnKind = 'number' | 'bit' | 'text' | 'enum' | 'binary' | 'other';

/** A column of a table or view, as information_schema.COLUMNS describes it. */
export interface Column {
  readonly kind: ColumnKind;
  /** For people: `bigint(20) unsigned`. */
  readonly type: string;
  /** The type to which CAST converts such a number: `SIGNED`, `UNSIGNED`, `DECIMAL(20,4)`; empty if there is none. */
  readonly castType: string;
  /** `utf8mb4`, `utf8mb4_general_ci`; empty if it has none. */
  readonly charset: string;
  readonly collation: string;
}

/** A column about which nothing is known. */
export const UNKNOWN_COLUMN: Column = { kind: 'other', type: 'unknown', castType: '', charset: '', collation: '' };

/**
 * SQL for the bytes of a value's text in UTF-8, whatever its character set. Values that are read and compared in this form are
 * equal only if they are exactly the same.
 */
export function exact(name: string, { kind }: Pick<Column, 'kind'> = { kind: 'text' }): string {
  if (kind === 'binary') return `CAST(${name} AS BINARY)`;
  return `CAST(CONVERT(${kind === 'bit' ? `${name} + 0` : name} USING utf8mb4) AS BINARY)`;
}

/** A condition that a column holds a key, and the values of its `?`. */
export interface KeyTest {
  readonly sql: string;
  /** Undefined for a key that the column cannot hold. */
  values(key: string): readonly SqlValue[] | undefined;
}

/**
 * Compares as the column's type does, so that an index is used and no number is rounded. Everything but numbers is also
 * compared byte by byte, because a collation is not exact.
 */
export function keyTest(name: string, column: Column): KeyTest {
  if (column.castType !== '')
    return {
      sql: `${name} = CAST(? AS ${column.castType})`,
      values: (key) => (holds(column.castType, key) ? [key] : undefined),
    };
  const bytes = `${exact(name, column)} = ?`;
  const text = sameText(name, column, '?');
  return text === undefined
    ? { sql: bytes, values: (key) => [bytesOf(key)] }
    : { sql: `${text} AND ${bytes}`, values: (key) => [key.toWellFormed(), bytesOf(key)] };
}

/** True for a number that CAST keeps as it is; it turns a larger one into the largest that the type has. */
function holds(castType: string, key: string): boolean {
  const [, sign, digits = ''] = /^(-?)0*(\d+)(?:\.\d+)?$/.exec(key) ?? [];
  if (sign === undefined) return false;
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(castType) ?? [];
  if (precision !== undefined) return digits.length <= Math.max(Number(precision) - Number(scale), 1);
  const number = digits.length <= MOST_DIGITS ? BigInt(`${sign}${digits}`) : undefined;
  if (number === undefined || key.includes('.')) return false;
  return (castType === 'UNSIGNED' ? BigInt.asUintN(64, number) : BigInt.asIntN(64, number)) === number;
}

/** The digits of 2^64. */
const MOST_DIGITS = 20;

/** `name` = `text` by the column's own collation; undefined if it has none. */
function sameText(name: string, { kind, charset, collation }: Column, text: string): string | undefined {
  if (kind !== 'text' || !WORD.test(charset) || !WORD.test(collation)) return undefined;
  return `${name} = CONVERT(${text} USING ${charset}) COLLATE ${collation}`;
}

const WORD = /^\w+$/;

/** A condition that two columns hold the same key. Numbers compare as numbers, everything else as text, byte by byte. */
export function joins(one: string, oneColumn: Column, other: string, otherColumn: Column): string {
  if (oneColumn.castType !== '' && otherColumn.castType !== '') return `${one} = ${other}`;
  const bytes = `${exact(one, oneColumn)} = ${exact(other, otherColumn)}`;
  const cast = oneColumn.castType === '' ? undefined : `${one} = CAST(${other} AS ${oneColumn.castType})`;
  const native = cast ?? sameText(one, oneColumn, other);
  return native === undefined ? bytes : `${native} AND ${bytes}`;
}

/**
 * A condition that a flag is `value`. A flag of type text or ENUM matches only by its text: an ENUM's number is its index in a
 * list.
 */
export function flagIs(name: string, { kind }: Column, value: 0 | 1): string {
  switch (kind) {
    case 'number':
    case 'bit':
      return `${name} = ${value}`;
    case 'text':
    case 'enum':
    case 'binary':
      return `CONVERT(${name} USING utf8mb4) REGEXP '^ *0*${value} *$'`;
    case 'other':
      return 'FALSE';
    default:
      return kind satisfies never;
  }
}

/** The value that a flag is set to, as SQL. */
export function flagValue({ kind }: Column, value: 0 | 1): string {
  return kind === 'number' || kind === 'bit' ? String(value) : `'${value}'`;
}

/** A condition that a flag is not a number; undefined if it always is one. */
export function isNoFlag(name: string, { kind }: Column): string | undefined {
  if (kind === 'number' || kind === 'bit') return undefined;
  return kind === 'other'
    ? `${name} IS NOT NULL`
    : `${name} IS NOT NULL AND CONVERT(${name} USING utf8mb4) NOT REGEXP '^ *[0-9]+ *$'`;
}

/** The column of a row of information_schema.COLUMNS (`dataType`, `type`, `digits`, `decimals`, `charset`, `collation`). */
export function columnOf(row: Readonly<Record<string, unknown>>): Column {
  const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value).toLowerCase());
  const dataType = text(row.dataType);
  const type = text(row.type);
  const kind = KINDS.get(dataType) ?? 'other';
  const decimal = dataType === 'decimal' ? `DECIMAL(${Number(row.digits)},${Number(row.decimals)})` : '';
  const whole = dataType.endsWith('int') ? (type.includes('unsigned') ? 'UNSIGNED' : 'SIGNED') : '';
  return { kind, type, castType: decimal || whole, charset: text(row.charset), collation: text(row.collation) };
}

const KINDS: ReadonlyMap<string, ColumnKind> = new Map<string, ColumnKind>([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double'].map(
    (type) => [type, 'number'] as const,
  ),
  ['bit', 'bit'],
  ...['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'].map((type) => [type, 'text'] as const),
  ['enum', 'enum'],
  ['set', 'enum'],
  ...['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'].map((type) => [type, 'binary'] as const),
]);
