import { nameOrAll } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { object, texts } from '../shape.ts';

/**
 * Removes the pin of one program, or all pins: POST /v1/pins/remove `{name}` or `{all: true}`. `unpinned`: the system names
 * that had a pin, [] if a known name has none.
 */
export const unpin = {
  method: 'POST',
  path: '/v1/pins/remove',
  scope: 'root',
  withoutDaemon: 'place',
  timeoutMs: USUAL_MS,
  input: nameOrAll,
  reply: done(object({ unpinned: texts })),
} as const satisfies Order;
