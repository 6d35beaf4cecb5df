import assert from 'node:assert/strict';
import type { Core } from '../../src/app/app.ts';
import { bindOrders } from '../../src/app/bind-orders.ts';
import type { Orders } from '../../src/control/orders.ts';

/** The orders of `core` as `root (test)` gives them to a daemon. What is asked for and does not stand in `own` fails the test. */
export function ordersOf(core: Core, own: Partial<Parameters<typeof bindOrders>[1]> = {}): Orders {
  return bindOrders(core, {
    by: 'root (test)',
    daemonRuns: true,
    status: () => assert.fail(),
    statusOf: () => assert.fail(),
    reload: () => assert.fail(),
    ...own,
  });
}
