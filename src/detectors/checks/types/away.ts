import type { Answer, Away } from '../../../probes/worker/answer.ts';
import type { Reading } from '../check.ts';

/** What an answer of the worker says about the target: nothing if the worker was away. */
export function readingOf(answer: Answer | Away): Reading {
  return answer.kind === 'away' ? { kind: 'unknown', reason: answer.reason } : answer;
}
