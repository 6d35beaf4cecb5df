import { READ_CHARACTERS } from '../../notes.ts';
import type { SqlValue } from '../session.ts';
import { exact } from './column.ts';

/**
 * SQL for the part of notes that a row shows, and that a clearing compares. Only long notes are digested, and the server does
 * it: no whole text is transferred, however many rows are in alarm. `isBinary`: the column has no character set, and counts
 * bytes.
 */
export function head(notes: string, isBinary: boolean): string {
  const text = isBinary ? `CONVERT(${notes} USING utf8mb4)` : notes;
  const cut = `LEFT(${text}, ${READ_CHARACTERS})`;
  return `CAST(${isBinary ? cut : `CONVERT(${cut} USING utf8mb4)`} AS BINARY)`;
}

/**
 * SQL for the length of notes and a digest of their first quarter of a million characters: digesting four gigabytes would keep
 * the server busy for too long.
 */
export function digest(notes: string, isBinary: boolean): string {
  const beginning = exact(`LEFT(${notes}, ${DIGESTED_CHARACTERS})`, { kind: isBinary ? 'binary' : 'text' });
  const whole = `CAST(CONCAT(LENGTH(${notes}), ':', SHA2(${beginning}, 256)) AS BINARY)`;
  return `IF(CHAR_LENGTH(${notes}) > ${READ_CHARACTERS}, ${whole}, NULL)`;
}

const DIGESTED_CHARACTERS = 262_144;

/** A value as SQL: a text as the hexadecimal digits of its bytes, which have no other meaning in any mode of the server. */
export function literal(value: SqlValue): string {
  if (typeof value === 'number' || value === null) return String(value);
  if (value instanceof Buffer) return `x'${value.toString('hex')}'`;
  return `CONVERT(x'${Buffer.from(value).toString('hex')}' USING utf8mb4)`;
}
