import { oneName } from '../input.ts';
import { type Order, USUAL_MS } from '../order.ts';
import { done } from '../reply.ts';
import { restartPreview } from '../status.ts';

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
