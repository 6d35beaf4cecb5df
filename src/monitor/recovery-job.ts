import type { Alarm, ManagedProcess } from '../core/alarm.ts';
import type { RecoveryPlan } from '../strategies/recovery-plan.ts';

/** A process whose alarm a recovery should end. */
export interface Member {
  readonly process: ManagedProcess;
  /** As last read; undefined for an operator's order on a process that has no row, or whose row is gone. */
  readonly alarm: Alarm | undefined;
  /** Monotonic time at which the alarm was first seen. */
  readonly foundAtMs: number;
  /** AlarmEntry.notedAtMs. */
  readonly notedAtMs: number;
  /** Monotonic time at which the store was asked for the alarm again before the restart; absent if its answer was not used. */
  readonly readAtMs?: number;
}

/** One recovery of one target, for all alarms that share it. */
export interface RecoveryJob {
  /** The unit or program (Resolution.key). */
  readonly target: string;
  readonly plan: RecoveryPlan;
  /** The process whose configuration is used. */
  readonly process: ManagedProcess;
  /** The alarm that began it; undefined for an order without a row. */
  readonly alarm: Alarm | undefined;
  /** All that share the target. Others may join while it runs; those whose alarm is over are removed. */
  members: Member[];
  /** True if an operator's order began or joined it: it is carried out whether or not a row is in alarm. */
  ordered: boolean;
  /** True if the last recovery of the target failed. */
  readonly repeated: boolean;
  readonly sinceMs: number;
  /** Monotonic time at which the target was proved healthy. An alarm found later may be about a later exit: the proof does not end it. */
  provedAtMs: number | undefined;
  /** True once its last member is cleared: nothing can join any more. */
  isClosed: boolean;
}

/**
 * How a recovery ended. `not_proved`: it was restarted, and it is not known whether it is well. `ended`: all alarms are over.
 * `skipped`: it must not go on (a hold, mode = observe). `interrupted`: the daemon stops.
 */
export type RecoveryOutcome =
  | { readonly kind: 'recovered'; readonly attempts: number }
  | {
      readonly kind: 'failed';
      readonly reason: string /** RestartOutcome.output of the last attempt. */;
      readonly output?: Output;
    }
  | { readonly kind: 'not_proved'; readonly attempts: number; readonly reason: string }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'interrupted' };

type Output = readonly string[] | undefined;

/** The machine-readable fields of a log line about a process. */
export function processFields(process: ManagedProcess): Record<string, unknown> {
  return { process_name: process.processName, process_id: process.processId };
}

/** The machine-readable fields of a log line about an attempt. */
export function attemptFields(job: RecoveryJob, attempt: number): Record<string, unknown> {
  return { ...processFields(job.process), target: job.target, strategy: job.plan.strategy.name, attempt };
}
