// Makes texts from outside safe to show.
/**
 * `text` made safe for one line of a log, a terminal, a mail header or HTML. Control characters (C0, DEL, C1) and noncharacters
 * become `?`; tabs, line breaks, line and paragraph separators a blank; half a surrogate pair U+FFFD, as in UTF-8. Invisible
 * characters are removed: format characters, including those that change the direction of writing, default-ignorable ones, and
 * some letters without a glyph. Everything from a database, a command or a process name passes through here before a person
 * sees it; what is compared, stored or passed on stays as it is. Source: UAX #44, general category Cf and
 * Default_Ignorable_Code_Point.
 */
export function printable(text: string): string {
  // Nearly every log line.
  if (PLAIN.test(text)) return text;
  return text.toWellFormed().replace(BREAKS, ' ').replace(CONTROLS, '?').replace(INVISIBLE, '');
}

/**
 * The code points of `text` that `printable` removes, at most the first four: `U+200B, U+3164`; undefined if there are none.
 */
export function invisibleIn(text: string): string | undefined {
  const points = new Set(Array.from(text.matchAll(INVISIBLE), ([character]) => codePoint(character)));
  if (points.size === 0) return undefined;
  return [...points].slice(0, MAX_LISTED).join(', ') + (points.size > MAX_LISTED ? ' and others' : '');
}

/**
 * `text` in double quotes as in JSON, for messages in which its end, its blanks and invisible characters must be visible:
 * `"ngi\u200bnx "`.
 */
export function quoted(text: string): string {
  return escapeUnfit(JSON.stringify(text));
}

/** A name in a sentence: in quotes if it could be mistaken for other parts of the sentence. Plain names stay as they are. */
export function nameWords(name: string): string {
  return /^[\p{L}\p{M}\p{N}_.+:@=/-]+$/u.test(name) && invisibleIn(name) === undefined ? name : quoted(name);
}

/** JSON with the same value, with `\uXXXX` for characters that JSON accepts and `printable` does not. */
export function escapeUnfit(json: string): string {
  return json.replace(UNFIT, escaped);
}

/** `text` with `\uXXXX` for what `printable` would remove: for messages about exactly that text. */
export function escapeInvisible(text: string): string {
  return PLAIN.test(text) ? text : text.replace(INVISIBLE, escaped);
}

/**
 * Only ranges in which every character is visible: Latin, Greek to Hebrew, quotes and dashes, arrows, Kana, the common Han,
 * Hangul.
 */
const PLAIN =
  /^[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u05ff\u2010-\u2027\u2190-\u21ff\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]*$/;
const BREAKS = /\r\n|[\t\n\r\v\f\u0085\u2028\u2029]/g;
const CONTROLS = /[\p{Cc}\p{Noncharacter_Code_Point}]/gu;
/** In addition to the two properties: blanks of Braille, of hieroglyphs and of music, and the filler of Khitan. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{13441}\u{13442}\u{16fe4}\u{1d159}]/gu;
const UNFIT = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029]|${INVISIBLE.source}`, 'gu');
const MAX_LISTED = 4;

/** As in JSON: a character beyond U+FFFF becomes two. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
