// Checks whether an attempt has made the process healthy.
import type { Clock } from '../../core/clock.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { withLines } from '../../core/text/last-lines.ts';
import { attemptFields, type RecoveryJob } from '../recovery-job.ts';
import { proveLasting } from './health-proof.ts';

/** How one attempt of a recovery ended. */
export type AttemptOutcome =
  | { readonly kind: 'recovered' }
  | { readonly kind: 'not_proved'; readonly reason: string }
  /** `final`: no further attempt can succeed. `output`: RestartOutcome.output. */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly final?: boolean;
      readonly output?: readonly string[] | undefined;
    }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'interrupted' };

/** What the health check of an attempt needs. */
interface CheckParts {
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly abort: AbortSignal;
}

/** Checks the health of a process after its restart, and reports the result. */
export async function checkAttempt(job: RecoveryJob, attempt: number, parts: CheckParts): Promise<AttemptOutcome> {
  const { process, plan } = job;
  const startedMs = parts.clock.monotonicMs();
  const names = [process, ...job.members.map((member) => member.process)].map(({ processName }) => processName);
  const proof = await proveLasting(plan, process, attempt, parts.clock, parts.abort, names);
  const durationMs = Math.round(parts.clock.monotonicMs() - startedMs);
  switch (proof.kind) {
    case 'unhealthy':
      if (parts.abort.aborted) return { kind: 'interrupted' };
      parts.log.warning(`Health check failed for ${process.processName}: ${proof.reason}`, {
        ...attemptFields(job, attempt),
        duration_ms: durationMs,
      });
      return explained(job, `health check failed: ${proof.reason}`, parts);
    case 'not_proved':
      if (parts.abort.aborted) return { kind: 'interrupted' };
      parts.log.warning(`Health check not proved for ${process.processName}: ${proof.reason} (${proof.detail})`, {
        ...attemptFields(job, attempt),
        duration_ms: durationMs,
      });
      return { kind: 'not_proved', reason: proof.reason };
    case 'assumed':
      parts.log.info(`Health check assumed for ${process.processName}: none is configured`, attemptFields(job, attempt));
      return { kind: 'recovered' };
    case 'healthy':
      parts.log.info(`Health check passed for ${process.processName} after ${durationMs} ms`, {
        ...attemptFields(job, attempt),
        duration_ms: durationMs,
      });
      parts.events.emit({ type: 'health_check_passed', process, target: job.target, durationMs });
      return { kind: 'recovered' };
    default:
      return proof satisfies never;
  }
}

/** The failure, with what systemd knows of the unit, if it is one: that a unit is `failed` does not say why. */
async function explained({ process, plan }: RecoveryJob, reason: string, { abort }: CheckParts): Promise<AttemptOutcome> {
  const more = await plan.strategy.explain?.(process, abort);
  const told = more?.reason === undefined ? reason : `${reason}: ${more.reason}`;
  const output = more?.output ?? [];
  return { kind: 'failed', reason: withLines(told, output), ...(output.length > 0 && { output }) };
}
