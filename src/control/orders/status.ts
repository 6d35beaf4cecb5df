import { nothing } from '../input.ts';
import { type Order, QUICK_MS } from '../order.ts';
import { always } from '../reply.ts';
import { type DaemonStatus, daemonStatus } from '../status.ts';

/** The status of daemon, alarms and processes: GET /v1/status, a DaemonStatus; GET /v1/holds, only its holds. */
export const status = {
  method: 'GET',
  path: '/v1/status',
  scope: 'users',
  withoutDaemon: 'own',
  timeoutMs: QUICK_MS,
  input: nothing,
  reply: always(daemonStatus),
  parts: { '/v1/holds': ({ holds }: DaemonStatus) => ({ holds }) },
} as const satisfies Order;
