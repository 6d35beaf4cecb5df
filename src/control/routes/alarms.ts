import { replyAnswer } from '../answer.ts';
import { processName, route } from '../route.ts';
import { flag, optional, strictObject, text } from '../shape.ts';

/** What a TEXT column holds at most. */
const MAX_NOTES = 65_535;

/** POST /v1/alarms `{process}` (a name or an id), `notes`, `clear`: raises an alarm or, with `clear: true`, ends it. */
export const alarmRoutes = [
  route(
    'POST',
    '/v1/alarms',
    strictObject({ process: processName, clear: optional(flag), notes: optional(text(MAX_NOTES)) }),
    async ({ process, clear, notes }, orders) => replyAnswer(await orders.alarm(process, clear ?? false, notes)),
  ),
];
