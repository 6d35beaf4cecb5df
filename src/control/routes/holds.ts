import { okAnswer, replyAnswer } from '../answer.ts';
import { route, scopeFields, withScope } from '../route.ts';
import { flag, optional, strictObject, text, wholeNumber } from '../shape.ts';

/** Ten years: a hold that is meant to last says so by having no end. */
const MAX_HOLD_MS = 3650 * 86_400_000;

/**
 * GET /v1/holds: the holds in force. POST /v1/holds `{name}` or `{all: true}`, `forMs` (absent: until released), `reason`, `strict`:
 * no restarts meanwhile. POST /v1/holds/release `{name}` or `{all: true}`.
 */
export const holdRoutes = [
  route('GET', '/v1/holds', strictObject({}), async (_, orders) => okAnswer({ holds: (await orders.status()).holds })),
  route(
    'POST',
    '/v1/holds',
    strictObject({
      ...scopeFields,
      forMs: optional(wholeNumber(1, MAX_HOLD_MS)),
      reason: optional(text(1000)),
      strict: optional(flag),
    }),
    ({ forMs, reason, strict, ...scope }, orders) =>
      withScope(scope, async (name) => replyAnswer(await orders.hold(name, forMs, reason ?? '', ...(strict ? [strict] : [])))),
  ),
  route('POST', '/v1/holds/release', strictObject(scopeFields), (scope, orders) =>
    withScope(scope, async (name) => replyAnswer(await orders.release(name))),
  ),
];
