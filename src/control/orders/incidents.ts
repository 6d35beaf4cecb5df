// The order that lists incidents.
import { listOf, optional } from '../../core/shape.ts';
import { type Input, numeral } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { converted, object, strictObject } from '../shape.ts';
import { incidentStatus } from './why.ts';

const input: Input<[limit: number | undefined]> = {
  read: converted(strictObject({ limit: optional(numeral(1, 1000)) }), ({ limit }) => [limit]),
  write: (limit) => ({ limit }),
};

/**
 * The incidents that are open, 1,000 at most, and the last ones that are closed, 100 or so many, by their numbers: GET
 * /v1/incidents?limit=100, `{incidents: IncidentStatus[]}`.
 */
export const incidents = {
  method: 'GET',
  path: '/v1/incidents',
  scope: 'users',
  withoutDaemon: 'look',
  timeoutMs: USUAL_MS,
  input,
  reply: done(object({ incidents: listOf(incidentStatus) })),
} as const satisfies Order;
