import { listOf, nullable, optional } from '../../core/shape.ts';
import { nameOrAll } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, object } from '../shape.ts';

/** Ends the hold of exactly that name, or all holds: POST /v1/holds/release `{name}` or `{all: true}`. */
export const release = {
  method: 'POST',
  path: '/v1/holds/release',
  scope: 'users',
  withoutDaemon: 'place',
  timeoutMs: USUAL_MS,
  input: nameOrAll,
  reply: done(
    object({
      /** The names that were held (null: the hold of everything), [] if a known name was not held. */
      released: listOf(nullable(anyText)),
      /** Which other hold still prevents a restart of the name, in a sentence; absent if none does. */
      stillHeld: optional(anyText),
    }),
  ),
} as const satisfies Order;
