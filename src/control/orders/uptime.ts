// The order that tells how long processes and checks were up.
import { listOf, nullable, oneOf, optional } from '../../core/shape.ts';
import { type Input, numeral, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, converted, count, measure, object, type Shaped, strictObject } from '../shape.ts';

/** The most days that are known. */
export const mostDays = 400;

const input: Input<[name: string | undefined, days: number | undefined]> = {
  read: converted(strictObject({ name: optional(processName), days: optional(numeral(1, mostDays)) }), ({ name, days }) => [
    name,
    days,
  ]),
  write: (name, days) => ({ name, days }),
};

const uptimeOf = object({
  /** A process, a check, or `CHECK/PART`. */
  name: anyText,
  kind: oneOf('process', 'check'),
  /** upMs / (upMs + downMs), 0 to 100, to three places, rounded down; null if nothing is known. */
  percent: nullable(measure),
  upMs: count,
  downMs: count,
  /** On hold: neither up nor down. */
  heldMs: count,
  /** Not known: no daemon ran, the alarm store did not answer, it was not looked at. */
  unknownMs: count,
  outages: count,
  /** How long it was down in the longest outage. */
  longestMs: count,
  /** The mean of the outages that are over; null if there is none. */
  meanToRecoverMs: nullable(count),
});

/** How long one was up. */
export type UptimeOf = Shaped<typeof uptimeOf>;

const uptimes = object({
  /** The time that is looked at. */
  from: anyText,
  to: anyText,
  uptimes: listOf(uptimeOf),
});

/** What `monitor_service uptime --json` prints. */
export type Uptimes = Shaped<typeof uptimes>;

/** How long processes and checks were up, of the last 30 days or so many: GET /v1/uptime?name=NAME&days=30, Uptimes. */
export const uptime = {
  method: 'GET',
  path: '/v1/uptime',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input,
  reply: done(uptimes),
} as const satisfies Order;
