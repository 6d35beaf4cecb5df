// Reports how recoveries end, and counts them for the circuit breakers.
import type { Clock } from '../../core/clock.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger, LogLevel } from '../../core/logger.ts';
import type { RecoveryFollower } from '../../detectors/detector.ts';
import type { AlarmBook, Skip } from '../alarms/book.ts';
import type { Breakers } from '../breaker/breakers.ts';
import { type Member, processFields, type RecoveryJob, type RecoveryOutcome } from '../recovery-job.ts';

/** What the recorder needs. */
interface OutcomeRecorderParts {
  readonly book: AlarmBook;
  readonly breakers: Breakers;
  /** Called once the breaker has counted the outcome. */
  readonly follower: RecoveryFollower;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** How the log and the status say that a process is not proved to be well. */
export function notProved(reason: string): string {
  return `not proved: ${reason}`;
}

/** Reports how recoveries end and why alarms are skipped, and counts each recovery for its circuit breaker. */
export class OutcomeRecorder {
  readonly #parts: OutcomeRecorderParts;

  constructor(parts: OutcomeRecorderParts) {
    this.#parts = parts;
  }

  /**
   * Reports a skipped alarm and returns the skip as an outcome. The same reason is reported once as long as the alarm is active, then at
   * debug. `silent`: the caller has logged it.
   */
  skip(
    { process, alarm }: Pick<Member, 'process' | 'alarm'>,
    reason: string,
    level: Exclude<LogLevel, 'debug'> | 'silent',
    kind: Skip['kind'] = 'other',
  ): { readonly kind: 'skipped'; readonly reason: string } {
    const { book, log, events } = this.#parts;
    const entry = alarm && book.get(alarm.key);
    const isKnown = entry?.skip?.reason === reason;
    if (entry !== undefined) entry.skip = { kind, reason };
    if (level !== 'silent')
      log[isKnown ? 'debug' : level](`RESTART LOG: ${process.processName} not restarted: ${reason}`, processFields(process));
    if (!isKnown)
      events.emit({ type: 'recovery_skipped', process, reason, ...(kind === 'observed' && { isObserved: true as const }) });
    return { kind: 'skipped', reason };
  }

  /** Reports how a recovery ended and counts it for the breaker. `startedMs`: monotonic time at which it began. */
  record(job: Pick<RecoveryJob, 'process' | 'target'>, outcome: RecoveryOutcome, startedMs: number): void {
    const { breakers, follower, log, events, clock } = this.#parts;
    const { process, target } = job;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    const fields = { ...processFields(process), target, duration_ms: durationMs };
    switch (outcome.kind) {
      case 'recovered':
        log.info(`RESTART LOG: Successfully restarted and verified process: ${process.processName}`, fields);
        events.emit({ type: 'recovery_succeeded', process, target, attempts: outcome.attempts, durationMs });
        breakers.succeeded(target, process);
        follower.afterRecovery(process.processName, target, true);
        break;
      case 'failed': {
        const { reason, output } = outcome;
        log.error(`RESTART LOG: Failed to restart ${process.processName}: ${reason}`, fields);
        events.emit({ type: 'recovery_failed', process, target, reason, ...(output && { output }), durationMs });
        breakers.failed(target, process);
        follower.afterRecovery(process.processName, target, false);
        break;
      }
      case 'not_proved':
        log.warning(
          `RESTART LOG: Restarted ${process.processName}, ${notProved(outcome.reason)}; the alarm stays, and its health is checked again at each poll`,
          fields,
        );
        events.emit({ type: 'recovery_unproved', process, target, reason: outcome.reason, durationMs });
        // The trial of a half-open breaker is not over: a later health check decides it.
        break;
      case 'ended':
        // The line was logged when the alarm was found to be over.
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
}
