import { escapeUnseen, printable } from '../core/text/printable.ts';

/**
 * `text` as it may stand in a message: one printable line of at most `limit` characters, without the secrets of its URLs. What is not
 * seen is escaped: the message may be about just that.
 */
export function shownText(text: string, limit: number): string {
  const clean = printable(escapeUnseen(maskUrls(text)));
  return clean.length <= limit ? clean : `${clean.slice(0, limit).toWellFormed().trimEnd()}…`;
}

/** `text` with the credentials and the query of every URL in it replaced by `***`. */
function maskUrls(text: string): string {
  // A run without blanks and quotes is one URL at most. Nothing here looks for an end that may not come: linear.
  return text.replace(/[^\s"']+/g, (word) => {
    const authority = word.indexOf('://') + 3;
    if (authority < 3) return word;
    const at = word.lastIndexOf('@');
    const masked = at >= authority ? `${word.slice(0, authority)}***${word.slice(at)}` : word;
    const query = masked.indexOf('?', authority);
    return query < 0 ? masked : `${masked.slice(0, query)}?***`;
  });
}
