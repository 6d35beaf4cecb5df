// The order to recover a process now.
import { oneOf, type Shape } from '../../core/shape.ts';
import { oneName } from '../input.ts';
import type { Order } from '../order.ts';
import type { Refusal, ReplyForm } from '../reply.ts';
import { anyText, count, object, type Shaped } from '../shape.ts';

const outcome = object({ outcome: oneOf('recovered', 'failed', 'skipped', 'not_proved') });
/** What goes with `recovered`. */
const proof = object({ attempts: count, durationMs: count });
/** What goes with the other outcomes. */
const failure = object({ reason: anyText });

const ended: Shape<Ended> = (value, where) => {
  const { outcome: kind } = outcome(value, where);
  if (kind !== 'recovered') return { kind, reason: failure(value, where).reason };
  const { attempts, durationMs } = proof(value, where);
  return { kind, attempts, durationMs };
};

/** How the recovery ended. `not_proved`: it was restarted, but whether it is healthy is not known. */
type Ended =
  | ({ readonly kind: 'recovered' } & Shaped<typeof proof>)
  | ({ readonly kind: 'failed' | 'skipped' | 'not_proved' } & Shaped<typeof failure>);

/** The result of an ordered recovery. */
export type RecoverReply = Ended | Refusal;

/**
 * Runs one recovery now, through the same code as for an alarm, even if the breaker is open: POST /v1/recoveries `{name}`. The
 * answer comes at its end, which may take minutes: `{outcome: recovered, attempts, durationMs}` or `{outcome: failed | skipped
 * | not_proved, reason}`. It continues if the client does not wait.
 */
export const recover = {
  method: 'POST',
  path: '/v1/recoveries',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: undefined,
  input: oneName,
  reply: {
    mayBeRefused: true,
    read: ended,
    write: ({ kind, ...rest }: Ended) => ({ outcome: kind, ...rest }),
  } as const satisfies ReplyForm<Ended>,
} as const satisfies Order;
