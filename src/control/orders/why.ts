// The order that tells the whole story of an incident.
import { flag, listOf, nullable, oneOf, optional } from '../../core/shape.ts';
import { type Input, numeral, processName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { processStateNames } from '../process-state.ts';
import { done } from '../reply.ts';
import { anyText, converted, count, object, type Shaped, strictObject, texts } from '../shape.ts';
import { historyRecord } from './history.ts';

const input: Input<[name: string, incident: number | undefined]> = {
  read: converted(strictObject({ name: processName, incident: optional(numeral()) }), ({ name, incident }) => [name, incident]),
  write: (name, incident) => ({ name, incident }),
};

/** The shape of an IncidentStatus. */
export const incidentStatus = object({
  id: count,
  /** The process that it began with. */
  name: anyText,
  /** All names whose events belong to it. */
  names: texts,
  /** Its first sign: `exit`, `operator`, `outside` (an alarm that the daemon has not raised). */
  by: anyText,
  openedAt: anyText,
  /** null while it is open. */
  closedAt: nullable(anyText),
  /** `cleared`, `over` (ended by others), `runs`, `ok`, `unwatched`, `joined`; null while it is open. */
  how: nullable(anyText),
});

/** An incident, for people and programs. */
export type IncidentStatus = Shaped<typeof incidentStatus>;

const story = object({
  /** null: nothing has happened that is remembered. */
  incident: nullable(incidentStatus),
  /** What happened in it, oldest first; of a long one its beginning and its end. */
  events: listOf(historyRecord),
  /** How many are left out between them. */
  leftOut: count,
  /** The state of the process now, and why, as in its status. */
  state: oneOf(...processStateNames),
  reason: nullable(anyText),
  /** False if no daemon runs. */
  daemonRuns: flag,
});

/** What `monitor_service why NAME --json` prints. */
export type Story = Shaped<typeof story>;

/** The story of the last incident of a process, or of the one with that number: GET /v1/why?name=NAME&incident=ID, a Story. */
export const why = {
  method: 'GET',
  path: '/v1/why',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input,
  reply: done(story),
} as const satisfies Order;
