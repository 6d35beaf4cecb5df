// The order to raise or end an alarm.
import { flag, listOf, nullable, optional } from '../../core/shape.ts';
import { type Input, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, converted, object, type Shaped, strictObject, text, texts } from '../shape.ts';

/** The most that a TEXT column holds. */
const MAX_NOTES = 65_535;

const body = strictObject({ process: processName, clear: optional(flag), notes: optional(text(MAX_NOTES)) });

const input: Input<[nameOrId: string, clear: boolean, notes: string | undefined]> = {
  read: converted(body, ({ process, clear = false, notes }) => [process, clear, notes]),
  write: (process, clear, notes) => ({ process, clear, notes }),
};

const orderedAlarm = object({
  /** null: the daemon stored the alarm locally. */
  id: nullable(anyText),
  name: anyText,
  /** true: the alarm was to be ended, but there was none; absent otherwise. */
  wasNotInAlarm: optional(flag),
  /** Why its alarm will stay, a sentence each; absent if it will be healed, or if that could not be found out quickly. */
  willNotFollow: optional(texts),
  /** Why the restart that will be tried will fail, a sentence each; absent if no reason is known. */
  willFail: optional(texts),
});

/** A row whose alarm was raised or ended. */
export type OrderedAlarm = Shaped<typeof orderedAlarm>;

/**
 * Raises (or, with `clear`, ends) the alarm of a row, named by process name or id, and wakes the loop: POST /v1/alarms
 * `{process}`, `clear`, `notes`.
 */
export const alarm = {
  method: 'POST',
  path: '/v1/alarms',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: USUAL_MS,
  input,
  reply: done(object({ processes: listOf(orderedAlarm) })),
} as const satisfies Order;
