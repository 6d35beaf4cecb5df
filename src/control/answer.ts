/** An answer over the control socket: an HTTP status (RFC 9110) and a JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** The `Allow` header of a 405. */
  readonly allow?: string;
}

/** The body of an error: why an order was not carried out, as `{"error":{"code","message"}}`. */
interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

/** 200 with `body`. */
export function okAnswer(body: unknown): Answer {
  return { status: 200, body };
}

/** An error answer; `code` is for programs, `message` for people. */
export function errorAnswer(status: number, code: string, message: string): Answer {
  const body: ErrorBody = { error: { code, message } };
  return { status, body };
}

/** 400: the request itself is wrong; `problem` says why in one line. */
export function badRequest(problem: string): Answer {
  return errorAnswer(400, 'bad_request', problem);
}
