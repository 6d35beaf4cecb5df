import { type Answer, badRequest } from './answer.ts';
import type { Orders } from './orders.ts';
import { check, flag, optional, type Shape, text } from './shape.ts';

/** One method of one resource. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Only for root, by the kernel's word on who is at the other end: never for a group that may use the socket. */
  readonly rootOnly?: true;
  /** `input`: the parsed body of a POST, the query of a GET; not yet checked. */
  readonly handle: (input: unknown, orders: Orders) => Answer | Promise<Answer>;
}

/** A route whose `handle` only sees what `shape` lets through; all else is a 400 with one line. */
export function route<T>(
  method: Route['method'],
  path: string,
  shape: Shape<T>,
  handle: (input: T, orders: Orders) => Answer | Promise<Answer>,
): Route {
  return {
    method,
    path,
    handle: (input, orders) => {
      const checked = check(shape, input);
      return checked.kind === 'fits' ? handle(checked.value, orders) : badRequest(checked.problem);
    },
  };
}

/** The same for root alone. */
export function rootsRoute<T>(...args: Parameters<typeof route<T>>): Route {
  return { ...route(...args), rootOnly: true };
}

/** A process's name: whatever a database can hold in a name column. */
export const processName: Shape<string> = text(1024, 1);

/** The keys of an order that concerns one process or all of them. */
export const scopeFields = { name: optional(processName), all: optional(flag) } as const;

/** Turns `{name}` or `{all: true}` into what Orders takes; all must be said, so that a forgotten name is not all. */
export function withScope(
  scope: { readonly name: string | undefined; readonly all: boolean | undefined },
  handle: (name: string | undefined) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  if ((scope.name !== undefined) === (scope.all === true)) return badRequest('expected either name, or all: true');
  return handle(scope.name);
}
