// The order that shows what happened.
import { listOf, nullable, optional } from '../../core/shape.ts';
import { type Input, numeral, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { anyText, converted, count, faultless, object, type Shaped, strictObject, text, texts } from '../shape.ts';

/** Which entries to show: those that fit all that is given. Times are ISO 8601. */
export interface HistoryFilter {
  readonly name?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly type?: string | undefined;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  /** Only those with a higher id, and of them the oldest. */
  readonly after?: number | undefined;
  /** 1 to 1,000; 100 if it is not given. */
  readonly limit?: number | undefined;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

const time = faultless(text(40), (value) =>
  ISO_TIME.test(value) && Number.isFinite(Date.parse(value)) ? undefined : 'expected a time (ISO 8601)',
);

const input: Input<[filter: HistoryFilter]> = {
  read: converted(
    strictObject({
      name: optional(processName),
      since: optional(time),
      until: optional(time),
      type: optional(text(40, 1)),
      before: optional(numeral()),
      after: optional(numeral()),
      limit: optional(numeral(1, 1000)),
    }),
    (filter) => [filter],
  ),
  write: (filter) => ({ ...filter }),
};

/** The shape of a HistoryRecord. */
export const historyRecord = object({
  /** Grows with time; null if the disk of state_dir cannot be written. */
  id: nullable(count),
  at: anyText,
  type: anyText,
  /** The process; '' if it is about none. */
  name: anyText,
  /** The incident that it belongs to; null if to none. */
  incident: nullable(count),
  detail: anyText,
  /** The last lines of output that it is about, at most 20. */
  output: texts,
});

/** One thing that happened. */
export type HistoryRecord = Shaped<typeof historyRecord>;

/** What happened, newest last: GET /v1/history?name=NAME&since=…, `{events: HistoryRecord[]}`. */
export const history = {
  method: 'GET',
  path: '/v1/history',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input,
  reply: done(object({ events: listOf(historyRecord) })),
} as const satisfies Order;
