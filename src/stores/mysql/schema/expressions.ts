import { READ_CHARACTERS } from '../../notes.ts';
import type { SqlValue } from '../session.ts';
import { exact } from './column.ts';

/**
 * What a row shows of its notes, and what a clearing compares of them. The digest is made of long notes only, and by the server:
 * however many rows are in alarm, no whole text of theirs travels. `isBinary`: the column has no character set, and counts bytes.
 */
export function head(notes: string, isBinary: boolean): string {
  const text = isBinary ? `CONVERT(${notes} USING utf8mb4)` : notes;
  const cut = `LEFT(${text}, ${READ_CHARACTERS})`;
  return `CAST(${isBinary ? cut : `CONVERT(${cut} USING utf8mb4)`} AS BINARY)`;
}

/** Their length, and what stands for their first quarter of a million characters: of four gigabytes the server would be busy for long. */
export function digest(notes: string, isBinary: boolean): string {
  const beginning = exact(`LEFT(${notes}, ${DIGESTED_CHARACTERS})`, { kind: isBinary ? 'binary' : 'text' });
  const whole = `CAST(CONCAT(LENGTH(${notes}), ':', SHA2(${beginning}, 256)) AS BINARY)`;
  return `IF(CHAR_LENGTH(${notes}) > ${READ_CHARACTERS}, ${whole}, NULL)`;
}

const DIGESTED_CHARACTERS = 262_144;

/** A value as it stands in a statement: of a text the digits of its bytes, which mean nothing else in any mode of the server. */
export function literal(value: SqlValue): string {
  if (typeof value === 'number' || value === null) return String(value);
  if (value instanceof Buffer) return `x'${value.toString('hex')}'`;
  return `CONVERT(x'${Buffer.from(value).toString('hex')}' USING utf8mb4)`;
}
