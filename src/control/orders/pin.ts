// The order to pin a program.
import { optional } from '../../core/shape.ts';
import { type Input, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { converted, object, strictObject, text, texts } from '../shape.ts';

const input: Input<[name: string, digest: string]> = {
  read: converted(strictObject({ name: processName, digest: text(64, 64) }), ({ name, digest }) => [name, digest]),
  write: (name, digest) => ({ name, digest }),
};

/**
 * Pins what the offer with that digest showed: from now on it may be started so. Refused as `conflict` if the offer has changed
 * since. POST /v1/pins `{name, digest}`.
 */
export const pin = {
  method: 'POST',
  path: '/v1/pins',
  scope: 'root',
  withoutDaemon: 'place',
  timeoutMs: USUAL_MS,
  input,
  reply: done(
    object({
      pinned: texts,
      /** A pin also closes the circuit breaker: the names whose breaker was not at rest, absent if none. */
      closed: optional(texts),
    }),
  ),
} as const satisfies Order;
