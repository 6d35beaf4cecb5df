import type { AlarmClearing } from './alarm-clearing.ts';
import type { Breakers } from './breakers.ts';
import { processFields, type RecoveryJob, type RecoveryOutcome, type RecoveryParts } from './recovery-job.ts';

/** What the verdict on a recovery needs. */
export interface VerdictParts extends Pick<RecoveryParts, 'state' | 'log' | 'events' | 'clock'> {
  readonly breakers: Breakers;
  readonly clearing: AlarmClearing;
}

/**
 * What follows from the end of a recovery: the line that says so, the breaker's count, the clearing of every member's alarm, and
 * the journal entry struck off. Returns without a pause after it looked for members a last time.
 */
export async function conclude(
  job: RecoveryJob,
  outcome: RecoveryOutcome,
  startedMs: number,
  parts: VerdictParts,
): Promise<void> {
  const { breakers, state, log, events, clearing, clock } = parts;
  const { process, target } = job;
  const durationMs = Math.round(clock.monotonicMs() - startedMs);
  const fields = { ...processFields(process), target, duration_ms: durationMs };
  switch (outcome.kind) {
    case 'recovered':
      log.info(`RESTART LOG: Successfully restarted and verified process: ${process.processName}`, fields);
      events.emit({ type: 'recovery_succeeded', process, target, attempts: outcome.attempts, durationMs });
      breakers.succeeded(target, process);
      // By index: others may join until the last of them is cleared.
      for (let i = 0; i < job.members.length; i++) {
        const member = job.members[i];
        if (member !== undefined) await clearing.clear(member);
      }
      break;
    case 'failed':
      log.error(`RESTART LOG: Failed to restart ${process.processName}: ${outcome.reason}`, fields);
      events.emit({ type: 'recovery_failed', process, target, reason: outcome.reason, durationMs });
      breakers.failed(target, process);
      break;
    case 'ended':
      breakers.interrupted(target, process);
      break;
    case 'interrupted':
      log.warning(`RESTART LOG: Recovery of ${process.processName} interrupted: the daemon stops`, fields);
      breakers.interrupted(target, process);
      // Its journal entry stays: the next life of the daemon looks first whether the process got well.
      return;
    default:
      outcome satisfies never;
  }
  state.journal.end(target);
}
