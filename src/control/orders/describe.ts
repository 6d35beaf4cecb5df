import { oneName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { processDetails } from '../status.ts';

/** All that is known of the process of that name, as of now: GET /v1/processes?name=NAME, a ProcessDetails. */
export const describe = {
  method: 'GET',
  path: '/v1/processes',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: USUAL_MS,
  input: oneName,
  reply: done(processDetails),
} as const satisfies Order;
