// The order to hold processes.
import { flag, nullable, optional, wholeNumber } from '../../core/shape.ts';
import { type Input, scope, scoped, scopeFields } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, converted, object, strictObject, text } from '../shape.ts';

/** Ten years: a hold that is meant to last longer has no end. */
const MAX_HOLD_MS = 3650 * 86_400_000;

const body = scoped(
  strictObject({
    ...scopeFields,
    forMs: optional(wholeNumber(1, MAX_HOLD_MS)),
    reason: optional(text(1000)),
    strict: optional(flag),
  }),
);

const input: Input<[name: string | undefined, forMs: number | undefined, reason: string, strict?: boolean]> = {
  read: converted(body, ({ name, forMs, reason = '', strict }) =>
    strict ? [name, forMs, reason, strict] : [name, forMs, reason],
  ),
  // An older daemon without strict holds must reject those only, and take the others.
  write: (name, forMs, reason, strict) => ({ ...scope(name), forMs, reason, ...(strict && { strict }) }),
};

/**
 * Forbids restarts of `name` and of its target under any other name (undefined: of everything), for `forMs` (undefined: until
 * released); `strict`: also starts that something else only wants. POST /v1/holds `{name}` or `{all: true}`, `forMs`, `reason`,
 * `strict`.
 */
export const hold = {
  method: 'POST',
  path: '/v1/holds',
  scope: 'users',
  withoutDaemon: 'place',
  timeoutMs: USUAL_MS,
  input,
  /** `unsaved`: why it is lost if the daemon ends; absent if it is saved. */
  reply: done(object({ until: nullable(anyText), unsaved: optional(anyText) })),
} as const satisfies Order;
