// Shapes of fields that several records have.
import { nullable, type Shape, such, text, unexpected, wholeNumber, withDefault } from '../../core/shape.ts';

/** A whole number, not negative. */
export const count = wholeNumber(0);

/** A number of milliseconds that a machine can have been up: up to 1,000 years. */
export const milliseconds: Shape<number> = (value, where) => {
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_MS) return value;
  throw unexpected(where, 'a number of milliseconds', value);
};

const MAX_MS = 1000 * 366 * 86_400_000;

/** A text that is not empty. */
export const filledText = such(text, 'a text that is not empty', (value) => value !== '');

/** A process id; earlier versions wrote a number. */
export const processId: Shape<string> = (value, where) => (Number.isSafeInteger(value) ? String(value) : text(value, where));

/** The fields of SeenNotes. A record without a digest, as in earlier versions, has the whole notes. */
export const seenNotes = { notes: nullable(text), notesDigest: withDefault(nullable(text), null) };
