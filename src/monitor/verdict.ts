import type { Breakers } from './breakers.ts';
import { processFields, type RecoveryJob, type RecoveryOutcome, type RecoveryParts } from './recovery-job.ts';

/** What the verdict on a recovery needs. */
export interface VerdictParts extends Pick<RecoveryParts, 'log' | 'events' | 'clock'> {
  readonly breakers: Breakers;
}

/** How it is called, in the log and in status, that nobody can tell whether a process is well. */
export function notProved(reason: string): string {
  return `not proved: ${reason}`;
}

/** Tells how a recovery ended and counts it for the breaker. */
export function pronounce(
  job: Pick<RecoveryJob, 'process' | 'target'>,
  outcome: RecoveryOutcome,
  startedMs: number,
  parts: VerdictParts,
): void {
  const { breakers, log, events, clock } = parts;
  const { process, target } = job;
  const durationMs = Math.round(clock.monotonicMs() - startedMs);
  const fields = { ...processFields(process), target, duration_ms: durationMs };
  switch (outcome.kind) {
    case 'recovered':
      log.info(`RESTART LOG: Successfully restarted and verified process: ${process.processName}`, fields);
      events.emit({ type: 'recovery_succeeded', process, target, attempts: outcome.attempts, durationMs });
      breakers.succeeded(target, process);
      break;
    case 'failed':
      log.error(`RESTART LOG: Failed to restart ${process.processName}: ${outcome.reason}`, fields);
      events.emit({
        type: 'recovery_failed',
        process,
        target,
        reason: outcome.reason,
        ...(outcome.output && { output: outcome.output }),
        durationMs,
      });
      breakers.failed(target, process);
      break;
    case 'not_proved':
      log.warning(
        `RESTART LOG: Restarted ${process.processName}, ${notProved(outcome.reason)}; the alarm stays, and its health is checked again at each poll`,
        fields,
      );
      events.emit({ type: 'recovery_unproved', process, target, reason: outcome.reason, durationMs });
      // The trial of a half-open breaker is not over: a later look decides it.
      break;
    case 'ended':
      // Its line was written by the one who saw the alarm gone.
      events.emit({ type: 'recovery_skipped', process, reason: outcome.reason });
      breakers.interrupted(target, process);
      break;
    case 'skipped':
      breakers.interrupted(target, process);
      break;
    case 'interrupted':
      log.warning(`RESTART LOG: Recovery of ${process.processName} interrupted: monitor_service stops`, fields);
      breakers.interrupted(target, process);
      break;
    default:
      outcome satisfies never;
  }
}
