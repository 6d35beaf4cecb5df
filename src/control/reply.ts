import { check, oneOf, type Shape } from '../core/shape.ts';
import { type Answer, errorAnswer, okAnswer } from './answer.ts';
import { anyText, converted, object } from './shape.ts';

/** The result of an order: it was carried out, or refused. */
export type OrderReply<T> = ({ readonly kind: 'done' } & T) | Refusal;

/**
 * Why an order was refused, in one line. `not_found`: nothing has that name; `conflict`: not now; `unavailable`: the store does
 * not answer; `denied`: the store does not permit it, or only root may give the order.
 */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly reason: string;
}

type RefusalCode = keyof typeof REFUSAL_STATUS;

/** `invalid` is a 422: the request itself was correct, but what it refers to (a configuration file, say) is not. */
const REFUSAL_STATUS = { invalid: 422, not_found: 404, conflict: 409, unavailable: 503, denied: 403 } as const;

/** How the result of an order is written to, and read from, the body of an answer 200. */
export interface ReplyForm<T> {
  /** Whether the order may be refused instead. */
  readonly mayBeRefused: boolean;
  /** Reads the result from a body. */
  readonly read: Shape<T>;
  /** The body for a result. */
  write(done: T): unknown;
}

/** `{kind: 'done'}` with the fields of `shape`; the body leaves `kind` out. */
export function done<T extends object>(
  shape: Shape<T>,
): ReplyForm<{ readonly kind: 'done' } & T> & { readonly mayBeRefused: true } {
  return {
    mayBeRefused: true,
    read: converted(shape, (body) => ({ kind: 'done', ...body })),
    write: ({ kind: _, ...body }) => body,
  };
}

/** The value of `shape` alone, for an order that is never refused. */
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

/**
 * The refusal for an error's code and message; undefined if the code is not one of a refusal but a fault of request or daemon.
 */
export function readRefusal({ code, message }: { readonly code: string; readonly message: string }): Refusal | undefined {
  const known = check(refusalCode, code);
  return known.kind === 'fits' ? { kind: 'refused', code: known.value, reason: message } : undefined;
}

const refusalCode = oneOf(...(Object.keys(REFUSAL_STATUS) as RefusalCode[]));

/** The body of every answer that is an error. */
export const errorBody = object({ error: object({ code: anyText, message: anyText }) });
