import type { Alarm, ManagedProcess } from '../core/alarm.ts';
import type { RecoverySettings } from '../core/config.ts';
import type { HealthCheck } from '../health/health-check.ts';
import { type Meaning, meaningOf, type Resolution, type RestartStrategy } from './strategy.ts';

/** How one process is to be recovered, as configured. */
export interface RecoveryPlan {
  /** True if the process has a section of its own. */
  readonly configured: boolean;
  readonly settings: RecoverySettings;
  readonly strategy: RestartStrategy;
  /** All of them must pass; [] if the restart strategy's own health check applies. */
  readonly checks: readonly HealthCheck[];
  /** What has to pass besides, now: the checks that have found the process of that name failing. Absent: none. */
  readonly furtherChecks?: ((processName: string) => readonly HealthCheck[]) | undefined;
}

/** Finds the plan of a process by its database name; replaced as a whole at a reload. */
export type Plans = (processName: string) => RecoveryPlan;

/** Why health checks of the plan can never pass for the process, one line each: no restart could be proved to have helped. */
export function checkRefusals({ checks }: RecoveryPlan, process: ManagedProcess): string[] {
  return checks.flatMap((check) => {
    const refusal = check.refusal?.(process);
    return refusal === undefined ? [] : [`${check.description}: ${refusal}`];
  });
}

/** The process of that name; `processId`: the id of its row, if it has one. */
export function managedProcess(processName: string, plan: RecoveryPlan, processId: string | null = null): ManagedProcess {
  const { systemName } = plan.settings;
  return {
    processId,
    processName,
    systemName: systemName ?? processName,
    systemNameConfigured: systemName !== undefined,
  };
}

/** The process of that name whose alarm it is. */
export function processOf(alarm: Alarm | undefined, processName: string, plan: RecoveryPlan): ManagedProcess {
  return managedProcess(processName, plan, alarm?.source === 'store' ? alarm.processId : null);
}

/** Which unit or program a name means as configured now, whether or not it has a row. Never rejects. */
export function resolveName(plans: Plans, processName: string, signal: AbortSignal): Promise<Resolution> {
  const plan = plans(processName);
  return plan.strategy.resolve(managedProcess(processName, plan), signal);
}

/** What a name stands for as configured now, whether or not that may be restarted. Never rejects. */
export function meaningOfName(plans: Plans, processName: string, signal: AbortSignal): Promise<Meaning> {
  const plan = plans(processName);
  return meaningOf(plan.strategy, managedProcess(processName, plan), signal);
}
