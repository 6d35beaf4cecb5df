import type { Alarm, ManagedProcess } from '../core/alarm.ts';
import type { RecoveryPlan } from '../strategies/recovery-plan.ts';

/** A process whose alarm a recovery is to end. */
export interface Member {
  readonly process: ManagedProcess;
  /** As last read; undefined for an operator's order on a process that has no row, or whose row is gone. */
  readonly alarm: Alarm | undefined;
  /** Monotonic time at which the alarm was first seen. */
  readonly foundAtMs: number;
}

/** One recovery: everything that is to be healed by restarting one target. */
export interface RecoveryJob {
  /** The unit or program (Resolution.key). */
  readonly target: string;
  readonly plan: RecoveryPlan;
  /** Who leads: its configuration is used. */
  readonly process: ManagedProcess;
  /** The alarm that began it; undefined for an order without a row. */
  readonly alarm: Alarm | undefined;
  /** All that share the target; others may join while it runs, those that left alarm are taken out. */
  members: Member[];
  /** An operator's order began it or joined it: it is done whether or not a row is in alarm. */
  ordered: boolean;
  /** True where the last recovery of the target failed. */
  readonly repeated: boolean;
  readonly sinceMs: number;
  /** Monotonic time at which it was proved healthy. An alarm found later may tell of a later death: that proof does not end it. */
  provedAtMs: number | undefined;
  /** True once its last member is cleared: nobody joins any more. */
  isClosed: boolean;
}

/**
 * How a recovery ended. `not_proved`: it was restarted, and whether it is well cannot be told; `ended`: nobody is in alarm any
 * more; `skipped`: it must not go on (a hold, mode = observe); `interrupted`: the daemon stops.
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

/** The same of one attempt. */
export function attemptFields(job: RecoveryJob, attempt: number): Record<string, unknown> {
  return { ...processFields(job.process), target: job.target, strategy: job.plan.strategy.name, attempt };
}
