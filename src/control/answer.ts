import type { OrderReply } from './orders.ts';

/** What goes back over the control socket: a status of RFC 9110 and a body of JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** The `Allow` header of a 405. */
  readonly allow?: string;
}

/** Why an order was not carried out, as `{"error":{"code","message"}}`. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

/** 200 with `body`. */
export function okAnswer(body: unknown): Answer {
  return { status: 200, body };
}

/** An error; `code` is for programs, `message` for people. */
export function errorAnswer(status: number, code: string, message: string): Answer {
  const body: ErrorBody = { error: { code, message } };
  return { status, body };
}

/** 400: the request itself is wrong; `problem` in one line. */
export function badRequest(problem: string): Answer {
  return errorAnswer(400, 'bad_request', problem);
}

/** The answer to an order: what was done, or the refusal with its status. */
export function replyAnswer(reply: OrderReply<object>): Answer {
  if (reply.kind === 'refused') return errorAnswer(REFUSAL_STATUS[reply.code], reply.code, reply.reason);
  const { kind: _, ...body } = reply;
  return okAnswer(body);
}

type RefusalCode = Extract<OrderReply<object>, { kind: 'refused' }>['code'];

/** The request was in order, so `invalid` is a 422: what it asked for is not (a configuration file, say). */
const REFUSAL_STATUS = { invalid: 422, not_found: 404, conflict: 409, unavailable: 503, denied: 403 } as const satisfies Record<
  RefusalCode,
  number
>;
