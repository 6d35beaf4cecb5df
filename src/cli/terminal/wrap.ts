import { characterWidth, displayWidth } from './display-width.ts';

/**
 * `text`, printable, in lines of at most `width` columns (at least 2); undefined: in one line. It is broken at blanks, and
 * inside a word only if the word is longer than a line; numbers stay with their units. Only the blanks at a break and at the
 * end are left out. Returns at least one line, '' for an empty text.
 */
export function wrap(text: string, width: number | undefined): string[] {
  if (width === undefined || displayWidth(text) <= width) return [text.trimEnd()];
  const lines: string[] = [];
  let line = '';
  for (const part of parts(text, width)) {
    if (displayWidth(line) + displayWidth(part.trimEnd()) > width) {
      if (line.trimEnd() !== '') lines.push(line.trimEnd());
      const pieces = broken(part.trimEnd(), width);
      lines.push(...pieces.slice(0, -1));
      line = (pieces.at(-1) ?? '') + part.slice(part.trimEnd().length);
    } else line += part;
  }
  if (line.trimEnd() !== '') lines.push(line.trimEnd());
  return lines.length === 0 ? [''] : lines.map((each) => each.replaceAll(GLUE, ' '));
}

/** Words, each with the blanks after it. */
function parts(text: string, width: number): string[] {
  return text
    .replace(TOGETHER, GLUE)
    .split(WORDS)
    .flatMap((part) => (displayWidth(part.trimEnd()) <= width ? [part] : part.replaceAll(GLUE, ' ').split(WORDS)));
}

const WORDS = /(?<= )(?=[^ ])/;
/** The blanks in `12 min ago`, `5 failures`, `2026-11-26 22:08:07 +0100`. */
const TOGETHER =
  /(?<=\d) (?=%|[A-Za-z]{1,10}(?![^ ,;:.)]))|(?<=\d [a-z]{1,3}) (?=ago(?!\w))|(?<=\d{4}-\d\d-\d\d) (?=\d\d:\d\d)|(?<=\d\d:\d\d:\d\d) (?=[+-]\d{4}(?!\w))/g;
/** Printable text has none. */
const GLUE = '\u0000';

/** One word in pieces that fit; a mark without width stays with its character. */
function broken(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const character of word) {
    const columns = characterWidth(character);
    if (used + columns > width && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += character;
    used += columns;
  }
  return [...pieces, piece];
}
