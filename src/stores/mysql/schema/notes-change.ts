import type { ProcessRow } from '../../../core/alarm.ts';
import {
  type NotesCapacity,
  type NotesChange,
  READ_CHARACTERS,
  restartedNotes,
  spaceOf,
  withoutRestartNotes,
} from '../../notes.ts';
import type { MysqlSession } from '../session.ts';
import { exact } from './column.ts';
import type { Schema } from './known-tables.ts';
import { one, text } from './rows.ts';

/**
 * How a clearing changes the notes. Only the beginning of long notes was read; the rest is needed only if some of it has to go.
 */
export async function notesChange(
  session: MysqlSession,
  { statements, tables }: Schema,
  seen: ProcessRow,
  note: string,
): Promise<NotesChange> {
  const { notes: capacity } = tables;
  if (seen.notesDigest === null) return restartedNotes(seen.notes ?? '', note, capacity);
  const ends = `${exact(`RIGHT(notes, ${READ_CHARACTERS})`)} AS tail, CHAR_LENGTH(notes) AS characters, LENGTH(notes) AS bytes`;
  const row = await one(session, statements.status(ends, seen.processId));
  const tail = text(row?.tail) ?? '';
  const former = tail.slice(withoutRestartNotes(tail).length);
  const length = Number(capacity.unit === 'characters' ? row?.characters : row?.bytes);
  if (length - spaceOf(former, capacity) + spaceOf(note, capacity) <= capacity.limit) return { drop: former.length, note };
  const whole = await one(session, statements.status(`${exact('notes')} AS notes`, seen.processId));
  return restartedNotes(text(whole?.notes) ?? '', note, capacity);
}

/**
 * `written` with a `?` for each character that the character set lacks: one such character would make strict mode refuse the
 * whole statement.
 */
export async function textFor(session: MysqlSession, written: string, charset: NotesCapacity['charset']): Promise<string> {
  if (!/^\w+$/.test(charset) || charset === 'utf8mb4') return written;
  // Strict mode does not apply to what is only read.
  const [row] = await session.rows(`SELECT ${exact(`CONVERT(? USING ${charset})`)} AS text`, [written]);
  return text(row?.text) ?? written;
}
