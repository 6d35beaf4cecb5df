import type { RestartPreview } from '../../core/outcomes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isUp } from '../../system/systemd/unit/state.ts';
import { isDueWithin, type ServiceParts } from './actions/restart.ts';
import { describeLook } from './health.ts';
import { lookIntoUnit } from './processes.ts';
import { describeState, describeUnit, isRestartedBySystemd, nextStep } from './state.ts';

/**
 * What a restart of a unit in the state `status`, which may be restarted, would do. `limitMs`: `command_timeout`. Never
 * rejects.
 */
export async function previewUnit(
  parts: ServiceParts,
  status: UnitStatus,
  limitMs: number,
  signal: AbortSignal,
): Promise<RestartPreview> {
  const { id } = status;
  const step = (await isDueLate(parts, status, limitMs, signal)) ? 'restart' : nextStep(status);
  const look = await lookIntoUnit(parts, status, signal);
  // systemd would skip its start once more.
  const why = isUp(status) ? undefined : await parts.services.conditions(id, signal);
  return {
    stops: step === 'restart' ? [look.kind === 'seen' ? describeLook(look) : describeUnit(status)] : [],
    starts: [
      step === 'wait' ? `${id}: systemd is restarting it by itself; monitor_service waits for that` : `systemctl ${step} ${id}`,
    ],
    refusals: [],
    ...(why !== undefined && { warnings: [`${id} is ${describeState(status)}: ${why}`] }),
  };
}

/** True if systemd is to restart it by itself, but not within the limit. */
async function isDueLate(
  { services, clock }: ServiceParts,
  status: UnitStatus,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isRestartedBySystemd(status)) return false;
  const due = await services.restartDue(status.id, signal);
  return due.kind === 'known' && !isDueWithin(due.dueMs, limitMs, clock);
}
