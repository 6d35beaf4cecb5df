// The order to look now at what checks look at.
import { flag, listOf, nullable, oneOf } from '../../core/shape.ts';
import { nameOrAll } from '../input.ts';
import type { Order } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, count, object, type Shaped } from '../shape.ts';

const checkedOne = object({
  name: anyText,
  /** `type` of its section. */
  type: anyText,
  /** Whose alarm it raises; null: nobody's. */
  process: nullable(anyText),
  /** What was looked at, without secrets; null if `show_target = false`. */
  target: nullable(anyText),
  result: oneOf('ok', 'failing', 'unknown'),
  /** It raises no alarm: `severity = warning`, or the look itself was only a warning. */
  isWarning: flag,
  /** One line; null if it is ok. */
  reason: nullable(anyText),
  durationMs: count,
  /** `description` and `runbook` of its section; null if it has none. */
  description: nullable(anyText),
  runbook: nullable(anyText),
});

/** What one look found. */
export type CheckedOne = Shaped<typeof checkedOne>;

/**
 * Looks once at the target of one check, or of all: POST /v1/checks `{name}` or `{all: true}`. What is found changes no state and raises no
 * alarm. The answer comes when all have looked, each within its own `timeout`.
 */
export const check = {
  method: 'POST',
  path: '/v1/checks',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: undefined,
  input: nameOrAll,
  reply: done(object({ checks: listOf(checkedOne) })),
} as const satisfies Order;
