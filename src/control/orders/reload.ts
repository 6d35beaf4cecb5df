import { nothing } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { object, texts } from '../shape.ts';

/**
 * Reads the configuration again: POST /v1/reload. If it cannot be used, the running one stays, and the order is refused as
 * `invalid` with the problems, a line each, as its reason.
 */
export const reload = {
  method: 'POST',
  path: '/v1/reload',
  scope: 'users',
  withoutDaemon: 'never',
  timeoutMs: USUAL_MS,
  input: nothing,
  reply: done(object({ changes: texts, warnings: texts })),
} as const satisfies Order;
