import { replyAnswer } from '../answer.ts';
import { route, scopeFields, withScope } from '../route.ts';
import { strictObject } from '../shape.ts';

/** POST /v1/breakers/reset `{name}` or `{all: true}`: closes circuit breakers; `{reset}`: the names whose breaker was not closed. */
export const breakerRoutes = [
  route('POST', '/v1/breakers/reset', strictObject(scopeFields), (scope, orders) =>
    withScope(scope, async (name) => replyAnswer(await orders.resetBreakers(name))),
  ),
];
