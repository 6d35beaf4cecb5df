import type { SeenNotes } from '../../core/alarm.ts';

/** The fields of a JSON object; every field undefined where `value` is something else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** A process id in a record; a number in those of earlier versions. */
export function processIdOf(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return isText(value) ? value : undefined;
}

/** The notes in a record; undefined where they make no sense. A record without a digest, as all once were, has them whole. */
export function notesOf({ notes, notesDigest = null }: Readonly<Record<string, unknown>>): SeenNotes | undefined {
  return isTextOrNull(notes) && isTextOrNull(notesDigest) ? { notes, notesDigest } : undefined;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || isText(value);
}

/** A whole number, not negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** A number of milliseconds a machine can have lived through: up to 1,000 years. */
export function isMilliseconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_MS;
}

export function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

/** The date that JSON made a text of; undefined where it is none. */
export function dateOf(value: unknown): Date | undefined {
  const date = isText(value) ? new Date(value) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

const MAX_MS = 1000 * 366 * 86_400_000;
