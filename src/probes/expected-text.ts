// What a text must contain or match, in a form that can be sent to the worker.
import { quoted } from '../core/text/printable.ts';
import { matches } from './match.ts';

/** A text, or a regular expression. */
export type ExpectedText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'expression'; readonly source: string; readonly flags: string };

/** The same as it is sent; undefined if nothing is expected. */
export function sendable(wanted: string | RegExp | undefined): ExpectedText | undefined {
  if (wanted === undefined) return undefined;
  if (typeof wanted === 'string') return { kind: 'text', text: wanted };
  return { kind: 'expression', source: wanted.source, flags: wanted.flags };
}

/** Whether `text` is as expected (matches). */
export function meets(text: string, wanted: ExpectedText): 'yes' | 'no' | 'slow' {
  return matches(text, wanted.kind === 'text' ? wanted.text : expression(wanted));
}

/** For people: `"text"`, `/expression/i`. */
export function expectedWords(wanted: ExpectedText): string {
  return wanted.kind === 'text' ? quoted(wanted.text) : String(expression(wanted));
}

function expression({ source, flags }: { readonly source: string; readonly flags: string }): RegExp {
  return new RegExp(source, flags);
}
