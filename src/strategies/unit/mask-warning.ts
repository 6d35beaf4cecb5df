import type { ManagedProcess } from '../../core/alarm.ts';
import type { ServiceManager } from '../../system/systemd/service-manager.ts';
import type { StrategyName } from '../strategy.ts';
import { judgeUnitName } from './name-policy.ts';

type Services = Pick<ServiceManager, 'available' | 'show'>;
type Named = Pick<ManagedProcess, 'processName' | 'systemName'>;

/**
 * What is to be said if the strategy is `process` or `custom` and a unit of that name is masked: a mask means that it must not run,
 * and these start it all the same. One line; undefined if there is nothing to say, or systemd does not tell. Never rejects.
 */
export async function ownMaskWarning(
  services: Services,
  strategy: StrategyName,
  { processName, systemName }: Named,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (strategy !== 'process' && strategy !== 'custom') return undefined;
  // A program is known by its path too, and an own build may go by another name than the unit that it replaces.
  const masked = await findMasked(services, [systemName.slice(systemName.lastIndexOf('/') + 1), processName], signal);
  return masked && `${masked} is masked, so it should not run; restart_strategy = ${strategy} starts it all the same`;
}

/** The same for any strategy: `service` and `auto` take a mask for a no. */
export async function maskWarning(
  services: Services,
  strategy: StrategyName,
  named: Named,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (strategy === 'process' || strategy === 'custom') return ownMaskWarning(services, strategy, named, signal);
  const masked = await findMasked(services, [named.systemName], signal);
  return masked && `${masked} is masked: it is not restarted, nor started by start_command`;
}

async function findMasked(services: Services, names: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  if (!services.available) return undefined;
  for (const name of new Set(names)) {
    const judged = judgeUnitName(name, true);
    const shown = judged.kind === 'unit' ? await services.show(judged.unit, signal) : undefined;
    if (shown?.kind === 'status' && shown.status.loadState === 'masked') return shown.status.id;
  }
  return undefined;
}
