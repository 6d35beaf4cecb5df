// What the worker answers, and how it is read: the worker parses what strangers send, so it is a stranger itself.
import { fields, nullable, oneOf, optional, type Shape, such, text, wholeNumber } from '../../core/shape.ts';
import { printable } from '../../core/text/printable.ts';
import type { CertificateWarning } from '../certificate.ts';

/**
 * What one piece of work found. `failing` only if the target was seen to be other than it has to be; `unknown` if it could not be
 * looked at. `reason`: one line, printable, without a secret.
 */
export type Answer = (
  | { readonly kind: 'ok' }
  | { readonly kind: 'failing'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }
) & {
  /** Of all the certificates that were shown. */
  readonly certificate?: CertificateWarning;
  /** When a schedule is due next, in milliseconds since the epoch. */
  readonly dueMs?: number;
};

/** The worker did not do the work, which says nothing about the target. `reason`: one line. */
export interface Away {
  readonly kind: 'away';
  readonly reason: string;
}

/** An answer, and which piece of work it is for. */
interface NumberedAnswer {
  readonly id: number;
  readonly answer: Answer;
}

/** The shape of a line of the worker. */
export const answerShape: Shape<NumberedAnswer> = (value, where) => {
  const { id, kind, reason = '', certificate, dueMs } = lineShape(value, where);
  const found = {
    ...(certificate !== undefined && { certificate: certificate && cut(certificate) }),
    ...(dueMs !== undefined && { dueMs }),
  };
  // What is shown is ours to make safe, whatever the worker has done about it.
  return { id, answer: kind === 'ok' ? { kind, ...found } : { kind, reason: cut(reason), ...found } };
};

/** The line for an answer, with its end. */
export function answerLine(id: number, answer: Answer): string {
  const { certificate } = answer;
  const reason = answer.kind === 'ok' ? {} : { reason: cut(answer.reason) };
  return `${JSON.stringify({ id, ...answer, ...reason, ...(certificate && { certificate: cut(certificate) }) })}\n`;
}

function cut(reason: string): string {
  return printable(reason).slice(0, LONGEST_REASON);
}

interface Line {
  readonly id: number;
  readonly kind: Answer['kind'];
  readonly reason?: string;
  readonly certificate?: string | null;
  readonly dueMs?: number;
}

const LONGEST_REASON = 500;

const shortText = such(text, `a text of at most ${LONGEST_REASON} characters`, ({ length }) => length <= LONGEST_REASON);

const lineShape = fields<Line>({
  id: wholeNumber(1),
  kind: oneOf('ok', 'failing', 'unknown'),
  reason: optional(shortText),
  certificate: optional(nullable(shortText)),
  dueMs: optional(wholeNumber(0)),
});
