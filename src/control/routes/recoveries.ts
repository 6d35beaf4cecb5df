import type { Answer } from '../answer.ts';
import { okAnswer, replyAnswer } from '../answer.ts';
import type { RecoverReply } from '../orders.ts';
import { processName, route } from '../route.ts';
import { strictObject } from '../shape.ts';

/**
 * POST /v1/recoveries `{name}`: one recovery now. The answer comes at its end, which may take minutes:
 * `{outcome: recovered, attempts, durationMs}`, `{outcome: failed | skipped | not_proved, reason}`. It goes on if the client does not wait.
 */
export const recoveryRoutes = [
  route('POST', '/v1/recoveries', strictObject({ name: processName }), async ({ name }, orders) =>
    recoveryAnswer(await orders.recover(name)),
  ),
];

function recoveryAnswer(reply: RecoverReply): Answer {
  if (reply.kind === 'refused') return replyAnswer(reply);
  const { kind: outcome, ...rest } = reply;
  return okAnswer({ outcome, ...rest });
}
