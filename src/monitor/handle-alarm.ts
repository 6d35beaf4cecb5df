// The handling of one alarm, from top to bottom.
import type { Clock } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import type { Journal } from '../state/daemon-state.ts';
import { processOf, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import type { AlarmBook, AlarmEntry } from './alarms/book.ts';
import type { AlarmClearing } from './alarms/clearing.ts';
import type { EarlierRecovery } from './alarms/memory.ts';
import { type Breakers, breakerOpen } from './breaker/breakers.ts';
import { type CurrentConfig, observes } from './current-config.ts';
import { dependsOn, failureAmong } from './dependencies.ts';
import type { Holds } from './holds.ts';
import { type AfterInterruptionParts, afterInterruption } from './recovery/after-interruption.ts';
import type { TargetRecoveries } from './recovery/by-target.ts';
import { proveAgain } from './recovery/health-proof.ts';
import { type LatestNotesParts, takeLatestNotes } from './recovery/latest-notes.ts';
import { notProved, type OutcomeRecorder } from './recovery/outcome.ts';
import type { Member, RecoveryJob, RecoveryOutcome } from './recovery-job.ts';

/** What the handling of an alarm needs. */
interface AlarmHandlingParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly holds: Holds;
  readonly recoveries: TargetRecoveries;
  readonly recorder: OutcomeRecorder;
  readonly clearing: AlarmClearing;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly abort: AbortSignal;
  readonly log: Logger;
}

/** An alarm that is ours to handle. */
export type FoundEntry = AlarmEntry & { readonly foundAtMs: number };

/**
 * Brings one alarm to its end, step by step: was it healed before? → hold → dependencies → target → `recoverTarget`. Rows of the same
 * target share one recovery. Never rejects for an expected fault.
 */
export async function handleAlarm(entry: FoundEntry, processName: string, parts: AlarmHandlingParts): Promise<RecoveryOutcome> {
  const { config, book, holds, recoveries, recorder, clearing, events } = parts;
  const plan = config.current().plans(processName);
  const { alarm, foundAtMs, notedAtMs } = entry;
  const member: Member = { process: processOf(alarm, processName, plan), alarm, foundAtMs, notedAtMs };
  // Looked up once: an alarm never waits for a later one, so no circle arises, whatever a reload makes of depends_on.
  const dependencies = book.handlingsOf(dependsOn(processName, plan));

  const earlier = book.memory.of(alarm);
  // Others may write to its notes until they clear it.
  const isHandled = earlier.handled || (clearing.isLeftToOthers && book.memory.hasHandled(alarm));
  if ((isHandled || earlier.unproved !== undefined) && !observes(config)) {
    entry.phase = 'checking';
    const ended = await checkAgain(member, plan, earlier, parts);
    if (ended !== undefined) return ended;
    entry.phase = 'recovering';
  }

  const held = holds.reason(processName);
  if (held !== undefined) return recorder.skip(member, held, 'warning', 'held');

  // In mode = observe nothing is healed that could be waited for.
  if (!observes(config)) {
    entry.phase = 'waiting';
    entry.waitsFor = dependencies;
    const [first] = dependencies;
    if (first !== undefined) {
      const leaderName = first.processName;
      events.emit({ type: 'incident_joined', processName, leaderName, why: 'depends on it' });
    }
    const blocked = await failureAmong(dependencies);
    entry.phase = 'recovering';
    entry.waitsFor = [];
    if (blocked !== undefined) return recorder.skip(member, blocked, 'warning');
  }

  return recoveries.join([member], plan, false);
}

/**
 * Checks again the health of what an earlier recovery has restarted, and restarts nothing. Returns how that ends the handling of the
 * alarm; undefined if the process is known not to be well.
 */
async function checkAgain(
  member: Member,
  plan: RecoveryPlan,
  { unproved }: EarlierRecovery,
  { book, recorder, clearing, clock, abort, log }: AlarmHandlingParts,
): Promise<RecoveryOutcome | undefined> {
  const { process, alarm, foundAtMs } = member;
  const { memory } = book;
  const checkedAtMs = clock.monotonicMs();
  const proof = await proveAgain(plan, process, unproved?.attempts ?? 1, clock, abort);
  switch (proof.kind) {
    case 'healthy':
    case 'assumed':
      if (unproved !== undefined) {
        memory.forgetUnproved(unproved.key);
        // The outcome that the recovery did not know at its end.
        const { target, attempts } = unproved;
        if (target !== null) recorder.record({ process, target }, { kind: 'recovered', attempts }, foundAtMs);
      }
      // Else a poll has shown meanwhile that it is over, and what may be in its row by now is another alarm.
      if (alarm !== undefined && book.isSame(alarm.key, checkedAtMs)) await clearing.clear(member, checkedAtMs);
      return { kind: 'recovered', attempts: 0 };
    case 'not_proved':
      if (abort.aborted) return { kind: 'interrupted' };
      log.debug(`Health check not proved for ${process.processName}: ${proof.reason} (${proof.detail})`);
      if (unproved !== undefined) memory.renewUnproved(unproved, proof.reason);
      return recorder.skip(member, notProved(proof.reason), 'warning');
    case 'unhealthy':
      if (abort.aborted) return { kind: 'interrupted' };
      if (unproved !== undefined) memory.forgetUnproved(unproved.key);
      // If it is found healthy from now on, somebody has healed it since.
      if (alarm?.source === 'store') memory.forgetIll(alarm.processId, checkedAtMs);
      return undefined;
    default:
      return proof satisfies never;
  }
}

/** What the recovery of a target needs. */
interface TargetRecoveryParts extends AfterInterruptionParts, LatestNotesParts {
  readonly breakers: Breakers;
  readonly journal: Journal;
  /** `makeAttempts` with all that it needs. */
  readonly makeAttempts: (job: RecoveryJob) => Promise<RecoveryOutcome>;
  readonly recorder: OutcomeRecorder;
  readonly clearing: AlarmClearing;
  readonly events: EventBus;
}

/**
 * Recovers one target for all alarms that share it: interrupted run → breaker → attempts → outcome → clear.
 * Never rejects for an expected fault.
 */
export async function recoverTarget(job: RecoveryJob, parts: TargetRecoveryParts): Promise<RecoveryOutcome> {
  const { breakers, book, journal, recorder, clock, events } = parts;
  const startedMs = clock.monotonicMs();

  let outcome = await afterInterruption(job, parts);
  if (outcome?.kind === 'skipped') {
    job.isClosed = true;
    return recorder.skip(job, outcome.reason, 'warning');
  }
  if (outcome === undefined) {
    if (job.ordered) breakers.admitOrder(job.target, job.process);
    else if (breakers.admit(job.target, job.process).kind === 'refused') {
      // The interrupted run has ended; its journal entry must not count for a later alarm.
      journal.end(job.target);
      return recorder.skip(job, breakerOpen, 'silent');
    }
    for (const { alarm } of job.members) {
      const entry = alarm && book.get(alarm.key);
      if (entry !== undefined) entry.skip = undefined;
    }
    events.emit({ type: 'recovery_started', process: job.process, target: job.target, strategy: job.plan.strategy.name });
    outcome = await parts.makeAttempts(job);
  }

  recorder.record(job, outcome, startedMs);
  if (outcome.kind === 'skipped') recorder.skip(job, outcome.reason, 'warning');
  if (outcome.kind === 'not_proved') {
    book.memory.rememberUnproved(job, outcome.attempts, outcome.reason);
    for (const member of job.members) recorder.skip(member, notProved(outcome.reason), 'silent');
  }
  // It is known now whether the process is well.
  if (outcome.kind === 'recovered' || outcome.kind === 'failed')
    for (const { alarm } of job.members) if (alarm !== undefined) book.memory.forgetUnproved(alarm.key);
  if (outcome.kind === 'recovered') {
    const provedAtMs = clock.monotonicMs();
    job.provedAtMs = provedAtMs;
    await takeLatestNotes(job, parts);
    // By index: others may join until the last of them is cleared.
    for (let i = 0; i < job.members.length; i++) {
      const member = job.members[i];
      if (member !== undefined) await parts.clearing.clear(member, provedAtMs);
    }
  }
  // Without a pause after the last look at the members: an alarm that comes later begins a recovery of its own.
  job.isClosed = true;
  // After an interruption the entry stays: the next life of the daemon checks first whether the process is well.
  if (outcome.kind !== 'interrupted') journal.end(job.target);
  return outcome;
}
