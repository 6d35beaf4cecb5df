import { replyAnswer } from '../answer.ts';
import { processName, route } from '../route.ts';
import { strictObject } from '../shape.ts';

/** GET /v1/matches?name=NAME: what a restart would stop and start, without doing it. */
export const matchRoutes = [
  route('GET', '/v1/matches', strictObject({ name: processName }), async ({ name }, orders) =>
    replyAnswer(await orders.preview(name)),
  ),
];
