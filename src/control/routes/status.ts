import { okAnswer } from '../answer.ts';
import { route } from '../route.ts';
import { strictObject } from '../shape.ts';

/** GET /v1/status: a DaemonStatus. */
export const statusRoutes = [
  route('GET', '/v1/status', strictObject({}), async (_, orders) => okAnswer(await orders.status())),
];
