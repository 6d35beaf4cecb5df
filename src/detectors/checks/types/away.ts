// What an answer of the worker means for a check.
import type { Answer, Away } from '../../../probes/worker/answer.ts';
import type { Finding, Reading } from '../check.ts';

/**
 * What an answer of the worker says about the target: nothing if the worker was away. The certificates are a part of their own.
 * `certificateDays`: as asked for; 0: there is no such part.
 */
export function readingOf(answer: Answer | Away, certificateDays: number): Reading {
  if (answer.kind === 'away') return { kind: 'unknown', reason: answer.reason };
  const { certificate, ...finding } = answer;
  if (certificateDays === 0) return { ...finding, parts: {} };
  // Not seen this time, as when there was no connection: it stays what it was.
  return certificate === undefined ? finding : { ...finding, parts: { certificate: partOf(certificate) } };
}

function partOf(warning: string | null): Finding {
  return warning === null ? { kind: 'ok' } : { kind: 'failing', reason: warning, isWarning: true };
}
