import { replyAnswer } from '../answer.ts';
import { processName, route } from '../route.ts';
import { strictObject } from '../shape.ts';

/** GET /v1/processes?name=NAME: a ProcessDetails. */
export const processRoutes = [
  route('GET', '/v1/processes', strictObject({ name: processName }), async ({ name }, orders) =>
    replyAnswer(await orders.describe(name)),
  ),
];
