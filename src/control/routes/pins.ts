import { replyAnswer } from '../answer.ts';
import { processName, rootsRoute, scopeFields, withScope } from '../route.ts';
import { optional, strictObject, text } from '../shape.ts';

/**
 * For root alone. GET /v1/pins?name=NAME: how it could be pinned (`offers`), or why not (`refusals`); without a name: each program
 * that needs a pin. POST /v1/pins `{name, digest}`: pins what an offer of that digest showed. POST /v1/pins/remove `{name}` or
 * `{all: true}`.
 */
export const pinRoutes = [
  rootsRoute('GET', '/v1/pins', strictObject({ name: optional(processName) }), async ({ name }, orders) =>
    replyAnswer(await orders.pins(name)),
  ),
  rootsRoute('POST', '/v1/pins', strictObject({ name: processName, digest: text(64, 64) }), async ({ name, digest }, orders) =>
    replyAnswer(await orders.pin(name, digest)),
  ),
  rootsRoute('POST', '/v1/pins/remove', strictObject(scopeFields), (scope, orders) =>
    withScope(scope, async (name) => replyAnswer(await orders.unpin(name))),
  ),
];
