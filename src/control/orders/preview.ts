// The order that shows what a restart would do.
import type { RestartPreview } from '../../core/outcomes.ts';
import { listOf, nullable, optional, type Shape } from '../../core/shape.ts';
import { oneName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, count, object, texts } from '../shape.ts';

/** What a restart would do, with the name of the strategy and its target. */
export const restartPreview: Shape<RestartPreview & { readonly strategy: string; readonly target: string }> = object({
  stops: texts,
  starts: texts,
  refusals: texts,
  failures: optional(texts),
  strategy: anyText,
  target: anyText,
  warnings: optional(texts),
  commands: optional(
    listOf(object({ key: anyText, line: anyText, name: nullable(anyText), limitMs: nullable(count), user: nullable(anyText) })),
  ),
});

/** What a restart of that name would stop and start, without doing it: GET /v1/matches?name=NAME. */
export const preview = {
  method: 'GET',
  path: '/v1/matches',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input: oneName,
  reply: done(restartPreview),
} as const satisfies Order;
