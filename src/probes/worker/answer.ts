// What the worker answers, and how it is read: the worker parses what strangers send, so it is a stranger itself.
import { fields, flag, oneOf, optional, type Shape, such, text, wholeNumber } from '../../core/shape.ts';
import { printable } from '../../core/text/printable.ts';

/**
 * What one piece of work found. `failing` only if the target was seen to be other than it has to be; `unknown` if it could not be
 * looked at. `reason`: one line, printable, without a secret.
 */
export type Answer =
  | { readonly kind: 'ok' }
  /** `isWarning`: it works, but somebody should look at it soon. */
  | { readonly kind: 'failing'; readonly reason: string; readonly isWarning?: true }
  | { readonly kind: 'unknown'; readonly reason: string };

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
  const { id, kind, reason = '', isWarning = false } = lineShape(value, where);
  // What is shown is ours to make safe, whatever the worker has done about it.
  const shown = printable(reason).slice(0, LONGEST_REASON);
  if (kind === 'ok') return { id, answer: { kind } };
  return { id, answer: kind === 'failing' && isWarning ? { kind, reason: shown, isWarning } : { kind, reason: shown } };
};

/** The line for an answer, with its end. */
export function answerLine(id: number, answer: Answer): string {
  return `${JSON.stringify(answer.kind === 'ok' ? { id, ...answer } : { id, ...answer, reason: cut(answer.reason) })}\n`;
}

function cut(reason: string): string {
  return printable(reason).slice(0, LONGEST_REASON);
}

interface Line {
  readonly id: number;
  readonly kind: Answer['kind'];
  readonly reason?: string;
  readonly isWarning?: boolean;
}

const LONGEST_REASON = 500;

const lineShape = fields<Line>({
  id: wholeNumber(1),
  kind: oneOf('ok', 'failing', 'unknown'),
  reason: optional(such(text, `a text of at most ${LONGEST_REASON} characters`, ({ length }) => length <= LONGEST_REASON)),
  isWarning: optional(flag),
});
