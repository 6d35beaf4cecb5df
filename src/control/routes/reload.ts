import { replyAnswer } from '../answer.ts';
import { route } from '../route.ts';
import { strictObject } from '../shape.ts';

/** POST /v1/reload: reads the configuration again; 422 with its problems, a line each, where it cannot be used. */
export const reloadRoutes = [
  route('POST', '/v1/reload', strictObject({}), async (_, orders) => replyAnswer(await orders.reload())),
];
