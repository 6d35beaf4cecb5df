import type { ServiceManager } from '../../system/systemd/service-manager.ts';
import { judgeUnitName } from './name-policy.ts';

/**
 * Why `restart_strategy = service` finds no unit of that system name, in one line; undefined if there is one, if the name is none of a
 * unit (which is told elsewhere), and if systemd does not say. Never rejects.
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
  return `there is no unit ${judged.unit} (expected one that systemd knows)`;
}
