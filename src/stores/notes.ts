// The notes of a row: their capacity, and how a clearing changes them.
import { localTimestamp } from '../core/clock.ts';
import { bytesOf } from './exact-text.ts';

/** How many characters of notes are read: ten thousand rows may be in alarm, and a LONGTEXT holds 4 GiB. */
export const READ_CHARACTERS = 1024;

/** How much a `notes` column holds. */
export interface NotesCapacity {
  /** VARCHAR counts characters, TEXT counts bytes. */
  readonly unit: 'characters' | 'bytes';
  /** Infinity if there is no limit, or if it is unknown. */
  readonly limit: number;
  /** The column's character set, such as `utf8mb4`; empty if it has none. */
  readonly charset: string;
  /** The bytes of the longest character of that set. */
  readonly maxBytes: number;
}

/** A column without a limit. */
export const UNLIMITED: NotesCapacity = {
  unit: 'characters',
  limit: Number.POSITIVE_INFINITY,
  charset: 'utf8mb4',
  maxBytes: 4,
};

/**
 * The text that a clearing appends to notes: ` - Restarted at YYYY-MM-DD HH:MM:SS`, local time, as the bash service wrote it.
 */
export function restartNote(restartedAt: Date): string {
  return ` - Restarted at ${localTimestamp(restartedAt)}`;
}

/** The remark about a column that is so short that a clearing leaves little of the earlier text. */
export function shortNotesRemark({ limit, unit }: NotesCapacity): string[] {
  const taken = restartNote(new Date(0)).length;
  if (limit >= 2 * taken) return [];
  return [
    `notes hold ${limit} ${unit}, and a clearing takes ${taken} of them: earlier text is cut (expected at least ${2 * taken})`,
  ];
}

/** `notes` without the restart notes of former clearings at their end. */
export function withoutRestartNotes(notes: string): string {
  return notes.replace(FORMER, '');
}

const FORMER = /(?: - Restarted at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d)+$/;

/**
 * How a clearing changes notes: `drop` is removed from their end (characters; bytes if the column has no character set), then
 * `note` is appended.
 */
export interface NotesChange {
  readonly drop: number;
  readonly note: string;
}

/**
 * The change that a clearing makes to notes that are `whole`: their head stays and `note` follows; if there is not enough room
 * for both, the head is cut.
 */
export function restartedNotes(whole: string, note: string, capacity: NotesCapacity): NotesChange {
  const fitting = lastCharacters(note, capacity);
  const head = withoutRestartNotes(whole);
  const room = capacity.limit - spaceOf(fitting, capacity);
  const kept = Array.from(head).slice(0, charactersThatFit(head, { ...capacity, limit: room }));
  return { drop: lengthIn(whole, capacity) - lengthIn(kept.join(''), capacity), note: fitting };
}

/** How much of a column of that capacity a text takes. */
export function spaceOf(text: string, capacity: NotesCapacity): number {
  return Array.from(text).reduce((sum, character) => sum + widthOf(character, capacity), 0);
}

/**
 * How many whole characters from the beginning of `text` a column of that capacity holds: the count for SQL's LEFT. Never too
 * many, whatever the character set; too few only in character sets of mixed width other than UTF-8.
 */
export function charactersThatFit(text: string, capacity: NotesCapacity): number {
  let used = 0;
  let count = 0;
  for (const character of text) {
    used += widthOf(character, capacity);
    if (used > capacity.limit) break;
    count++;
  }
  return count;
}

/** As many characters from the end of `text` as fit: the end of a date says most. */
function lastCharacters(text: string, capacity: NotesCapacity): string {
  const reversed = Array.from(text).reverse();
  return reversed
    .slice(0, charactersThatFit(reversed.join(''), capacity))
    .reverse()
    .join('');
}

function lengthIn(text: string, { charset }: NotesCapacity): number {
  return charset === '' ? bytesOf(text).length : Array.from(text).length;
}

function widthOf(character: string, capacity: NotesCapacity): number {
  return capacity.unit === 'characters' ? 1 : bytesIn(character, capacity);
}

function bytesIn(character: string, { charset, maxBytes }: NotesCapacity): number {
  if (charset === '' || charset.startsWith('utf8')) return bytesOf(character).length;
  if (/^(?:ucs2|utf16|utf32)/.test(charset)) return maxBytes;
  return character.charCodeAt(0) < 0x80 ? 1 : maxBytes;
}
