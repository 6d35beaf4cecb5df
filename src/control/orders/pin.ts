import { type Input, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { converted, object, optional, strictObject, text, texts } from '../shape.ts';

const input: Input<[name: string, digest: string]> = {
  read: converted(strictObject({ name: processName, digest: text(64, 64) }), ({ name, digest }) => [name, digest]),
  write: (name, digest) => ({ name, digest }),
};

/**
 * Pins what an offer of that digest showed: it may be started so from now on. A `conflict` where that is another one by now.
 * POST /v1/pins `{name, digest}`.
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
      /** The circuit breaker is closed with it: the names whose breaker was not at rest, absent if none. */
      closed: optional(texts),
    }),
  ),
} as const satisfies Order;
