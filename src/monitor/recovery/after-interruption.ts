// What a recovery achieved that was under way when an earlier life of the daemon ended.
import { processIdOf } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { JournalEntry } from '../../state/daemon-state.ts';
import type { AlarmBook } from '../alarms/book.ts';
import { processFields, type RecoveryJob, type RecoveryOutcome } from '../recovery-job.ts';
import { proveAgain } from './health-proof.ts';
import { type InterruptedRuns, isSameAlarm } from './interrupted-runs.ts';
import { notProved, type OutcomeRecorder } from './outcome.ts';

/** What the judgement of an interrupted run needs. */
export interface AfterInterruptionParts {
  readonly interruptedRuns: InterruptedRuns;
  readonly book: AlarmBook;
  readonly recorder: OutcomeRecorder;
  readonly clock: Clock;
  readonly abort: AbortSignal;
  readonly log: Logger;
}

/**
 * Waits for a run of an earlier life of the daemon, and returns what it achieved; undefined if the process is to be restarted. If that
 * cannot be determined, the run is judged again when the alarm is handled the next time. If the process is restarted because the run has
 * not healed it, or nothing can tell, the run counts as a failed recovery: its command may be what ends the daemon, and would do so
 * without limit.
 */
export async function afterInterruption(job: RecoveryJob, parts: AfterInterruptionParts): Promise<RecoveryOutcome | undefined> {
  const { interruptedRuns, book, recorder, clock, abort, log } = parts;
  const left = await interruptedRuns.settle(job);
  if (left === undefined || job.ordered || !isSameAlarm(left, job)) return undefined;
  const proof = await proveAgain(job.plan, job.process, left.attempt, clock, abort);
  if (proof.kind === 'not_proved' && !abort.aborted) {
    interruptedRuns.keep(left, job);
    return { kind: 'skipped', reason: notProved(proof.reason) };
  }
  if (proof.kind !== 'healthy') {
    const reason =
      proof.kind === 'unhealthy' ? `${CUT_SHORT} did not heal it: ${proof.reason}` : `${CUT_SHORT} may not have ended`;
    if (!abort.aborted) recorder.record(job, { kind: 'failed', reason }, clock.monotonicMs() - ageMs(left, clock));
    return undefined;
  }
  if (await isOlder(left, job, parts)) return undefined;
  // The run was for all of them, also for those that are handled later.
  for (const alarm of left.alarms) {
    const processId = processIdOf(alarm);
    if (processId !== undefined && !job.members.some((member) => member.alarm?.key === alarm.key))
      book.memory.rememberHandled(alarm.processName, { ...alarm, processId }, 0, book.lastPoll);
  }
  log.info(`RESTART LOG: ${job.process.processName} is healthy after the attempt that was under way; not restarted again`, {
    ...processFields(job.process),
    target: job.target,
  });
  return { kind: 'recovered', attempts: 0 };
}

const CUT_SHORT = 'the attempt that was under way when monitor_service ended';

function ageMs({ startedAt }: JournalEntry, clock: Clock): number {
  return clock.date().getTime() - startedAt.getTime();
}

/** True if what is up has been up since before the run began: the daemon died before it could restart anything. */
async function isOlder(
  left: JournalEntry,
  { plan, process }: RecoveryJob,
  { clock, abort }: AfterInterruptionParts,
): Promise<boolean> {
  const life = await plan.strategy.life?.(process, abort);
  return life?.upForMs !== undefined && life.upForMs > ageMs(left, clock) + TICKS_MS;
}

/** More than a tick: the age of a process is known in ticks of 10 ms. */
const TICKS_MS = 100;
