/**
 * `text` fit for one line of a log, a terminal, a mail header or HTML: control characters (C0, DEL, C1), line and paragraph
 * separators, and the marks that turn the direction of writing become `?`; tabs and line breaks become a blank.
 * What comes from a database, a command or a process name passes through here before a person sees it.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n|[\t\n\r\v\f\u0085\u2028\u2029]/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '?');
}
