// The order that shows what is known of checks, each with its last result.
import { flag, listOf, nullable, oneOf } from '../../core/shape.ts';
import { nothing } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, count, object, type Shaped } from '../shape.ts';
import { checkStatus } from '../status.ts';

const knownCheck = object({
  /** As in the status. */
  status: checkStatus,
  /** The last look that counts; null if there was none. */
  last: nullable(
    object({
      /** When it ended. */
      at: anyText,
      result: oneOf('ok', 'failing', 'unknown'),
      /** One line; null if it was ok. */
      reason: nullable(anyText),
      durationMs: count,
      /** Its process was on hold. */
      isHeld: flag,
    }),
  ),
});

/** What is known of a check, or of a part of one. */
export type KnownCheck = Shaped<typeof knownCheck>;

/** What is known of all checks and of their parts: GET /v1/checks, `{checks: KnownCheck[]}`. */
export const checks = {
  method: 'GET',
  path: '/v1/checks',
  scope: 'users',
  withoutDaemon: 'never',
  timeoutMs: USUAL_MS,
  input: nothing,
  reply: done(object({ checks: listOf(knownCheck) })),
} as const satisfies Order;
