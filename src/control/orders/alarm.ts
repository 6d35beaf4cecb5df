import { type Input, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import {
  anyText,
  converted,
  flag,
  listOf,
  nullable,
  object,
  optional,
  type Shaped,
  strictObject,
  text,
  texts,
} from '../shape.ts';

/** What a TEXT column holds at most. */
const MAX_NOTES = 65_535;

const body = strictObject({ process: processName, clear: optional(flag), notes: optional(text(MAX_NOTES)) });

const input: Input<[nameOrId: string, clear: boolean, notes: string | undefined]> = {
  read: converted(body, ({ process, clear = false, notes }) => [process, clear, notes]),
  write: (process, clear, notes) => ({ process, clear, notes }),
};

const orderedAlarm = object({
  /** null: the daemon kept the alarm itself. */
  id: nullable(anyText),
  name: anyText,
  /** It was to be ended, and there was no alarm to end; absent otherwise. */
  wasNotInAlarm: optional(flag),
  /** Why its alarm stays as things stand, a sentence each; absent if it is healed, or if that could not be told soon. */
  willNotFollow: optional(texts),
  /** Why the restart that is tried will fail, a sentence each; absent if nothing says so. */
  willFail: optional(texts),
});

/** A row whose alarm was raised or ended. */
export type OrderedAlarm = Shaped<typeof orderedAlarm>;

/**
 * Raises (or, with `clear`, ends) the alarm of a row, named by process name or id, and wakes the loop: POST /v1/alarms `{process}`,
 * `clear`, `notes`.
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
