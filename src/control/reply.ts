import { type Answer, errorAnswer, okAnswer } from './answer.ts';
import { anyText, check, converted, object, oneOf, type Shape } from './shape.ts';

/** An order was carried out, or not. */
export type OrderReply<T> = ({ readonly kind: 'done' } & T) | Refusal;

/**
 * One line why not. `not_found`: nothing of that name; `conflict`: not now; `unavailable`: the store is away; `denied`: the store
 * does not let us, or the order is root's alone.
 */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly reason: string;
}

type RefusalCode = keyof typeof REFUSAL_STATUS;

/** The request was in order, so `invalid` is a 422: what it asked for is not (a configuration file, say). */
const REFUSAL_STATUS = { invalid: 422, not_found: 404, conflict: 409, unavailable: 503, denied: 403 } as const;

/** How what was done of an order stands in the body of an answer 200. */
export interface ReplyForm<T> {
  /** Whether the order may be refused instead. */
  readonly mayBeRefused: boolean;
  /** What was done, as a body has it. */
  readonly read: Shape<T>;
  /** The body for what was done. */
  write(done: T): unknown;
}

/** `{kind: 'done'}` with what `shape` has; the body is without the word. */
export function done<T extends object>(
  shape: Shape<T>,
): ReplyForm<{ readonly kind: 'done' } & T> & { readonly mayBeRefused: true } {
  return {
    mayBeRefused: true,
    read: converted(shape, (body) => ({ kind: 'done', ...body })),
    write: ({ kind: _, ...body }) => body,
  };
}

/** What `shape` has and nothing else: the order is never refused. */
export function always<T>(shape: Shape<T>): ReplyForm<T> & { readonly mayBeRefused: false } {
  return { mayBeRefused: false, read: shape, write: (body) => body };
}

/** The answer to an order. */
export function replyAnswer(form: ReplyForm<unknown>, reply: unknown): Answer {
  return form.mayBeRefused && isRefusal(reply) ? refusalAnswer(reply) : okAnswer(form.write(reply));
}

function isRefusal(reply: unknown): reply is Refusal {
  return (reply as Refusal).kind === 'refused';
}

/** The answer to an order that is refused. */
export function refusalAnswer({ code, reason }: Refusal): Answer {
  return errorAnswer(REFUSAL_STATUS[code], code, reason);
}

/** The refusal that an error's code and message are; undefined if the code is none of a refusal: a fault of request or daemon. */
export function readRefusal({ code, message }: { readonly code: string; readonly message: string }): Refusal | undefined {
  const known = check(refusalCode, code);
  return known.kind === 'fits' ? { kind: 'refused', code: known.value, reason: message } : undefined;
}

const refusalCode = oneOf(...(Object.keys(REFUSAL_STATUS) as RefusalCode[]));

/** The body of every answer that is an error. */
export const errorBody = object({ error: object({ code: anyText, message: anyText }) });
