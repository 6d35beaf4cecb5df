import { nameOrAll } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { object, texts } from '../shape.ts';

/**
 * Closes the circuit breaker of one process, or all circuit breakers: POST /v1/breakers/reset `{name}` or `{all: true}`.
 * `reset`: the names whose breaker was not closed before.
 */
export const resetBreakers = {
  method: 'POST',
  path: '/v1/breakers/reset',
  scope: 'users',
  withoutDaemon: 'place',
  timeoutMs: USUAL_MS,
  input: nameOrAll,
  reply: done(object({ reset: texts })),
} as const satisfies Order;
