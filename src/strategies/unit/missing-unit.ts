import type { ServiceManager } from '../../system/systemd/service-manager.ts';
import { judgeUnitName } from './name-policy.ts';
import { isAbsent, loadProblem } from './state.ts';

/**
 * Why `restart_strategy = service` finds no unit of that system name, or none with a file, in one line. Undefined if there is
 * one, if the name cannot be a unit's (which is reported elsewhere), and if systemd does not answer. Never rejects.
 */
export async function missingUnit(
  services: Pick<ServiceManager, 'available' | 'show'>,
  systemName: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const judged = judgeUnitName(systemName, true);
  if (!services.available || judged.kind !== 'unit') return undefined;
  const shown = await services.show(judged.unit, signal);
  if (shown.kind === 'failed' || shown.status.loadState !== 'not-found') return undefined;
  return isAbsent(shown.status)
    ? `there is no unit ${judged.unit} (expected one that systemd knows)`
    : loadProblem(shown.status);
}
