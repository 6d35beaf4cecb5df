import type { ManagedProcess, ProcessRow } from '../core/alarm.ts';
import type { RecoverySettings } from '../core/config.ts';
import type { HealthCheck } from '../health/health-check.ts';
import { type Meaning, meaningOf, type Resolution, type RestartStrategy } from '../strategies/strategy.ts';

/** How one process is to be healed, as configured. */
export interface RecoveryPlan {
  /** True where the process has a section of its own. */
  readonly configured: boolean;
  readonly settings: RecoverySettings;
  readonly strategy: RestartStrategy;
  /** All of them must pass; [] where the strategy's own health check holds. */
  readonly checks: readonly HealthCheck[];
}

/** Finds the plan of a process by its database name; swapped whole at a reload. */
export type Plans = (processName: string) => RecoveryPlan;

/** The process that a row with a name stands for. */
export function managedProcess(row: Pick<ProcessRow, 'processId'>, processName: string, plan: RecoveryPlan): ManagedProcess {
  const { systemName } = plan.settings;
  return {
    processId: row.processId,
    processName,
    systemName: systemName ?? processName,
    systemNameConfigured: systemName !== undefined,
  };
}

/** Which unit or program a name means as configured now, whether or not it has a row. Never rejects. */
export function resolveName(plans: Plans, processName: string, signal: AbortSignal): Promise<Resolution> {
  const plan = plans(processName);
  return plan.strategy.resolve(managedProcess({ processId: 0 }, processName, plan), signal);
}

/** What a name stands for as configured now, whether or not that may be restarted. Never rejects. */
export function meaningOfName(plans: Plans, processName: string, signal: AbortSignal): Promise<Meaning> {
  const plan = plans(processName);
  return meaningOf(plan.strategy, managedProcess({ processId: 0 }, processName, plan), signal);
}
