import { createHash } from 'node:crypto';
import type { SeenNotes } from '../core/alarm.ts';
import { localTimestamp } from '../core/clock.ts';
import { textOf } from './exact-text.ts';

/** How many characters of notes are read: many rows may be in alarm, and a LONGTEXT holds 4 GiB. */
export const READ_CHARACTERS = 4096;

/** What a row shows of notes that are these bytes. */
export function seenNotes(bytes: Uint8Array | null): SeenNotes {
  if (bytes === null) return { notes: null, notesDigest: null };
  // A character is one or two UTF-16 units: of a longer text this is more than is kept.
  const characters = Array.from(textOf(bytes).slice(0, READ_CHARACTERS * 2 + 1));
  return {
    notes: characters.slice(0, READ_CHARACTERS).join(''),
    notesDigest: characters.length > READ_CHARACTERS ? createHash('sha256').update(bytes).digest('hex') : null,
  };
}

/** How much a `notes` column holds. */
export interface NotesCapacity {
  /** VARCHAR counts characters, TEXT counts bytes. */
  readonly unit: 'characters' | 'bytes';
  /** Infinity where there is no limit, or none is known. */
  readonly limit: number;
  /** The column's character set, `utf8mb4`; empty where it has none. */
  readonly charset: string;
  /** Bytes of the longest character of that set. */
  readonly maxBytes: number;
}

/** A column without a limit. */
export const UNLIMITED: NotesCapacity = {
  unit: 'characters',
  limit: Number.POSITIVE_INFINITY,
  charset: 'utf8mb4',
  maxBytes: 4,
};

/** What a clearing appends to notes: ` - Restarted at YYYY-MM-DD HH:MM:SS`, local time (seed 000). */
export function restartNote(restartedAt: Date): string {
  return ` - Restarted at ${localTimestamp(restartedAt)}`;
}

/**
 * How many whole characters of `text`, counted from its `side`, a column of that capacity holds: the count for SQL's LEFT and
 * RIGHT. Never too many, whatever the character set; too few only in sets of mixed width other than UTF-8.
 */
export function charactersThatFit(text: string, capacity: NotesCapacity, side: 'left' | 'right'): number {
  const characters = Array.from(text);
  if (side === 'right') characters.reverse();
  let used = 0;
  let count = 0;
  for (const character of characters) {
    used += capacity.unit === 'characters' ? 1 : bytesIn(character, capacity);
    if (used > capacity.limit) break;
    count++;
  }
  return count;
}

function bytesIn(character: string, { charset, maxBytes }: NotesCapacity): number {
  if (charset.startsWith('utf8')) return Buffer.byteLength(character, 'utf8');
  if (/^(?:ucs2|utf16|utf32)/.test(charset)) return maxBytes;
  return character.charCodeAt(0) < 0x80 ? 1 : maxBytes;
}
