// Makes the attempts of a recovery.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { commandEnvironment, expandCommand } from '../../core/command-template.ts';
import type { RecoverySettings } from '../../core/config.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import type { Journal } from '../../state/daemon-state.ts';
import { checkRefusals } from '../../strategies/recovery-plan.ts';
import type { RestartAttempt, RestartOutcome } from '../../strategies/strategy.ts';
import type { CommandRunner } from '../../system/runs/runner.ts';
import { commandFailure, commandOutput } from '../../system/spawn/command-result.ts';
import type { AlarmBook } from '../alarms/book.ts';
import type { KeptAlarms } from '../alarms/kept.ts';
import { type CurrentConfig, observes } from '../current-config.ts';
import type { Holds } from '../holds.ts';
import { attemptFields, processFields, type RecoveryJob, type RecoveryOutcome } from '../recovery-job.ts';
import { type AttemptOutcome, checkAttempt } from './check-attempt.ts';
import type { RestartSlots } from './slots.ts';
import { rereadMembers } from './still-in-alarm.ts';

/** What the attempts need. */
interface AttemptParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly journal: Journal;
  readonly kept: KeptAlarms;
  readonly slots: RestartSlots;
  readonly commands: CommandRunner;
  readonly holds: Holds;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  /** No new attempt once it is aborted. */
  readonly stopping: AbortSignal;
  /** Running commands are killed once it is aborted. */
  readonly abort: AbortSignal;
}

/**
 * Makes the attempts of one recovery, at most `max_attempts`: slot → is the row still in alarm? → journal → strategy → health check.
 * The caller counts the outcome for the breaker and clears the alarms. Never rejects for an expected fault.
 */
export async function makeAttempts(job: RecoveryJob, parts: AttemptParts): Promise<RecoveryOutcome> {
  const { settings } = job.plan;
  let last: Failure = { reason: 'no attempt was made' };
  for (let attempt = 1; attempt <= settings.maxAttempts; attempt++) {
    if (attempt > 1) await parts.clock.sleep(delayBefore(attempt, settings), parts.stopping);
    if (parts.stopping.aborted) return stoppedBefore(job, attempt, parts);
    const outcome = await makeAttempt(job, attempt, parts);
    if (outcome.kind === 'recovered') return { kind: 'recovered', attempts: attempt };
    // Another restart would not make it provable.
    if (outcome.kind === 'not_proved') return { ...outcome, attempts: attempt };
    if (outcome.kind === 'ended' || outcome.kind === 'skipped' || outcome.kind === 'interrupted') return outcome;
    last = { reason: outcome.reason, ...(outcome.output && { output: outcome.output }) };
    reportAttemptFailed(job, attempt, last, parts);
    if (outcome.final) break;
  }
  return { kind: 'failed', ...last };
}

/** Why an attempt failed, and the last lines that the program wrote. */
type Failure = Pick<AttemptOutcome & { kind: 'failed' }, 'reason' | 'output'>;

/** Milliseconds before an attempt. With `use_backoff` they grow by `backoff_multiplier` each time. */
function delayBefore(attempt: number, settings: RecoverySettings): number {
  if (!settings.useBackoff) return settings.restartDelayMs;
  const grown = settings.restartDelayMs * settings.backoffMultiplier ** (attempt - 2);
  return Math.min(grown, settings.maxDelayMs ?? Number.POSITIVE_INFINITY);
}

/** The daemon stops before an attempt. If an earlier one has ended, nothing of it is left for the next life of the daemon to judge. */
function stoppedBefore({ target }: RecoveryJob, attempt: number, { journal }: AttemptParts): { readonly kind: 'interrupted' } {
  if (attempt > 1) journal.end(target);
  return { kind: 'interrupted' };
}

async function makeAttempt(job: RecoveryJob, attempt: number, parts: AttemptParts): Promise<AttemptOutcome> {
  const { ordered, plan, sinceMs } = job;
  const { configured, settings } = plan;
  const rank = { ordered, repeated: attempt > 1 || job.repeated, priority: settings.priority, configured, sinceMs };
  const slot = await parts.slots.acquire(rank, parts.stopping);
  if (slot === undefined) return stoppedBefore(job, attempt, parts);
  let release = slot;
  const outsideSlot = async <T>(wait: () => Promise<T>): Promise<T> => {
    release();
    const result = await wait();
    // If it is aborted, what follows ends at once and needs no slot.
    release = (await parts.slots.acquire(rank, parts.abort)) ?? (() => {});
    return result;
  };
  try {
    const early = await prepare(job, attempt, parts);
    if (early !== undefined) return early;
    let unwanted: AttemptOutcome | undefined;
    const asked = async (): Promise<boolean> => {
      unwanted ??= parts.stopping.aborted ? { kind: 'interrupted' } : await reasonNotToRestart(job, parts);
      return unwanted !== undefined;
    };
    const restarted = await restart(job, attempt, { outsideSlot, isUnwanted: asked }, parts);
    if (parts.abort.aborted) return { kind: 'interrupted' };
    if (restarted.kind === 'failed') return unwanted ?? restarted;
  } finally {
    release();
  }
  return checkAttempt(job, attempt, parts);
}

/** Everything that may still prevent the restart; undefined if nothing does. */
async function prepare(job: RecoveryJob, attempt: number, parts: AttemptParts): Promise<AttemptOutcome | undefined> {
  const { preRestartCommand } = job.plan.settings;
  const unwanted = await reasonNotToRestart(job, parts);
  if (unwanted !== undefined) return unwanted;
  const [refusal] = checkRefusals(job.plan, job.process);
  if (refusal !== undefined) return { kind: 'failed', reason: refusal, final: true };
  if (preRestartCommand === undefined || attempt > 1) return undefined;
  const failure = await runPreRestart(job, preRestartCommand, parts);
  if (parts.abort.aborted) return { kind: 'interrupted' };
  if (failure !== undefined) return { kind: 'failed', final: true, ...failure };
  // The command may have taken its whole time limit, and much may have changed meanwhile.
  return reasonNotToRestart(job, parts);
}

/** Set if somebody cleared the alarm, set a hold, or reloaded with mode = observe while this recovery waited for its turn. */
async function reasonNotToRestart(job: RecoveryJob, parts: AttemptParts): Promise<AttemptOutcome | undefined> {
  const noRestart = await rereadMembers(job, parts);
  if (noRestart !== undefined) return noRestart;
  if (observes(parts.config)) return OBSERVED;
  const held = await parts.holds.reasonFor(job.process.processName, job.target);
  if (held !== undefined) return { kind: 'skipped', reason: held };
  const others = await parts.holds.judgeOthers(job.process, job.plan.strategy);
  if (others.kind === 'held') return { kind: 'skipped', reason: others.reason };
  if (others.kind === 'told')
    parts.log.warning(`RESTART LOG: Restarting ${job.process.processName}: ${others.remark}`, processFields(job.process));
  return observes(parts.config) ? OBSERVED : undefined;
}

const OBSERVED = { kind: 'skipped', reason: 'mode = observe' } as const;

async function runPreRestart(job: RecoveryJob, template: string, parts: AttemptParts): Promise<Failure | undefined> {
  const expanded = expandCommand(template, job.process);
  if (expanded.kind === 'refused') return { reason: `pre_restart_command: ${expanded.reason}` };
  const runId = beginRun(job, 1, parts);
  const result = await parts.commands.run(
    {
      line: expanded.line,
      kind: 'action',
      runId,
      description: `pre_restart_command of ${job.process.processName}`,
      environment: commandEnvironment(job.process, 1),
      timeoutMs: job.plan.settings.commandTimeoutMs,
    },
    parts.abort,
  );
  const failure = commandFailure(result);
  return failure === undefined ? undefined : { reason: `pre_restart_command: ${failure}`, ...commandOutput(result) };
}

async function restart(
  job: RecoveryJob,
  attempt: number,
  waiting: Required<Pick<RestartAttempt, 'outsideSlot' | 'isUnwanted'>>,
  parts: AttemptParts,
): Promise<RestartOutcome> {
  const { process, plan } = job;
  const runId = beginRun(job, attempt, parts);
  const { maxAttempts } = plan.settings;
  parts.log.info(
    `RESTART LOG: Restarting ${process.processName} using strategy ${plan.strategy.name} (attempt ${attempt}/${maxAttempts})`,
    attemptFields(job, attempt),
  );
  parts.events.emit({ type: 'attempt_started', process, target: job.target, attempt, maxAttempts });
  const alarmSinceMs = Math.max(...job.members.map(({ notedAtMs }) => notedAtMs));
  const outcome = await plan.strategy.restart({
    process,
    attempt,
    runId,
    ...(attempt > 1 || job.repeated || job.ordered ? {} : { alarmSinceMs }),
    signal: parts.abort,
    ...waiting,
  });
  if (outcome.kind === 'restarted') {
    const { detail } = outcome;
    parts.log.info(`RESTART LOG: Restart command executed for ${process.processName}: ${detail}`, attemptFields(job, attempt));
    parts.events.emit({ type: 'attempt_restarted', process, target: job.target, attempt, detail });
  }
  return outcome;
}

function reportAttemptFailed(job: RecoveryJob, attempt: number, { reason, output }: Failure, parts: AttemptParts): void {
  const { process, target, plan } = job;
  parts.log.warning(
    `RESTART LOG: Attempt ${attempt}/${plan.settings.maxAttempts} failed for ${process.processName}: ${reason}`,
    attemptFields(job, attempt),
  );
  parts.events.emit({ type: 'attempt_failed', process, target, attempt, reason, ...(output && { output }) });
}

/** Writes a run that is about to start into the journal, and returns its id. If the daemon dies now, its next life waits for that run. */
function beginRun(job: RecoveryJob, attempt: number, { journal, clock }: AttemptParts): string {
  const runId = randomBytes(8).toString('hex');
  journal.begin({
    target: job.target,
    runId,
    attempt,
    alarms: job.members.flatMap(({ alarm, process: { processName } }) => {
      if (alarm === undefined) return [];
      const { source, key, notes, notesDigest } = alarm;
      return [{ source, key, processName, notes, notesDigest }];
    }),
    startedAt: clock.date(),
  });
  return runId;
}
