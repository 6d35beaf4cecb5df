/**
 * `text` fit for one line of a log, a terminal, a mail header or HTML. Control characters (C0, DEL, C1) and codes that are no
 * characters become `?`; tabs, line breaks, line and paragraph separators a blank; half a surrogate pair U+FFFD, as in UTF-8. What is
 * not seen is left out: format characters, among them the marks that turn the direction of writing, default-ignorable ones, and some
 * letters that are drawn as nothing. What comes from a database, a command or a process name passes through here before a person sees
 * it; what is compared, kept or handed on stays as it is. Source: UAX #44, general category Cf and Default_Ignorable_Code_Point.
 */
export function printable(text: string): string {
  // Nearly every log line.
  if (PLAIN.test(text)) return text;
  return text.toWellFormed().replace(BREAKS, ' ').replace(CONTROLS, '?').replace(UNSEEN, '');
}

/** The code points of `text` that `printable` leaves out, of many the first four: `U+200B, U+3164`; undefined where it has none. */
export function unseenIn(text: string): string | undefined {
  const points = new Set(Array.from(text.matchAll(UNSEEN), ([character]) => codePoint(character)));
  if (points.size === 0) return undefined;
  return [...points].slice(0, MAX_TOLD).join(', ') + (points.size > MAX_TOLD ? ' and others' : '');
}

/** `text` in double quotes as in JSON, where its end, its blanks and what is not seen have to be seen: `"ngi\u200bnx "`. */
export function quoted(text: string): string {
  return escapeUnfit(JSON.stringify(text));
}

/** A name in a sentence: in quotes if it could be taken for more of the sentence, or for less. Plain ones stay as they are. */
export function nameWords(name: string): string {
  return /^[\p{L}\p{M}\p{N}_.+:@=/-]+$/u.test(name) && unseenIn(name) === undefined ? name : quoted(name);
}

/** JSON whose value is the same, with `\uXXXX` for what JSON leaves alone and `printable` does not. */
export function escapeUnfit(json: string): string {
  return json.replace(UNFIT, escaped);
}

/** `text` with `\uXXXX` for what `printable` would leave out: for messages about that very text. */
export function escapeUnseen(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSEEN, escaped);
}

/** Nothing but ranges in which all is seen: Latin, Greek to Hebrew, quotes and dashes, arrows, Kana, the common Han, Hangul. */
const PLAIN =
  /^[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u05ff\u2010-\u2027\u2190-\u21ff\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]*$/;
const BREAKS = /\r\n|[\t\n\r\v\f\u0085\u2028\u2029]/g;
const CONTROLS = /[\p{Cc}\p{Noncharacter_Code_Point}]/gu;
/** Beside the two properties: blanks of Braille, of hieroglyphs and of music, and the filler of Khitan. */
const UNSEEN = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{13441}\u{13442}\u{16fe4}\u{1d159}]/gu;
const UNFIT = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029]|${UNSEEN.source}`, 'gu');
const MAX_TOLD = 4;

/** As in JSON: one beyond U+FFFF is two. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
