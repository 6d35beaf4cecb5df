import { escapeInvisible, printable } from '../core/text/printable.ts';

/**
 * `text` in the form in which a message shows it: one printable line of at most `limit` characters, without the secrets of its
 * URLs. Invisible characters are escaped, because the message may be about them.
 */
export function shownText(text: string, limit: number): string {
  const clean = printable(escapeInvisible(maskUrls(text)));
  return clean.length <= limit ? clean : `${clean.slice(0, limit).toWellFormed().trimEnd()}…`;
}

/** `text` with the credentials and the query of every URL in it replaced by `***`. */
function maskUrls(text: string): string {
  // A run without blanks and quotes is at most one URL. No pattern here searches for an end that may be missing, so the time is
  // linear.
  return text.replace(/[^\s"']+/g, (word) => {
    const authority = word.indexOf('://') + 3;
    if (authority < 3) return word;
    const at = word.lastIndexOf('@');
    const masked = at >= authority ? `${word.slice(0, authority)}***${word.slice(at)}` : word;
    const query = masked.indexOf('?', authority);
    return query < 0 ? masked : `${masked.slice(0, query)}?***`;
  });
}
