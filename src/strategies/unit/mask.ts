// Masked units: whether a process stands for one, which therefore must not run.
import type { ManagedProcess } from '../../core/alarm.ts';
import type { ServiceManager } from '../../system/systemd/service-manager.ts';
import type { StrategyName } from '../strategy.ts';
import type { Unanswered } from './lookup.ts';
import { judgeUnitName } from './name-policy.ts';
import { isAbsent } from './state.ts';

type Services = Pick<ServiceManager, 'available' | 'show'>;
type Named = Pick<ManagedProcess, 'processName' | 'systemName'>;

/** Whether a unit that a process stands for is masked; then it must not run. */
export type Mask = { readonly kind: 'masked'; readonly unit: string } | { readonly kind: 'none' } | Unanswered;

/**
 * Looks for a masked unit that the process stands for. Strategy `service`: the unit of its system name. Strategies for programs
 * also: that of its path's last part, that of the process's own name (an own build may have another name than the unit that it
 * replaces), and `lastUnit`, of which it was last seen to be the main process. `auto` means a program if systemd does not know
 * its system name. Never rejects.
 */
export async function findMask(
  services: Services,
  strategy: StrategyName,
  { processName, systemName }: Named,
  lastUnit: string | undefined,
  signal: AbortSignal,
): Promise<Mask> {
  if (!services.available) return NONE;
  const asUnit = strategy === 'service' || strategy === 'auto' ? await look(services, systemName, signal) : ABSENT;
  if (strategy === 'service' || asUnit.kind !== 'absent') return asUnit.kind === 'absent' ? NONE : asUnit;
  const names = [systemName.slice(systemName.lastIndexOf('/') + 1), processName, strategy === 'custom' ? undefined : lastUnit];
  for (const name of new Set(names.filter((each) => each !== undefined))) {
    const looked = await look(services, name, signal);
    if (looked.kind === 'masked' || looked.kind === 'unanswered') return looked;
  }
  return NONE;
}

/**
 * findMask in words, if the mask does not prevent the start: one line; undefined if nothing is masked, or systemd does not
 * answer.
 */
export async function maskWarning(
  services: Services,
  strategy: StrategyName,
  named: Named,
  lastUnit: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const mask = await findMask(services, strategy, named, lastUnit, signal);
  if (mask.kind !== 'masked') return undefined;
  const { unit } = mask;
  if (respectsMask(strategy)) return `${unit} is masked: it is not restarted, nor started by start_command`;
  const starter = strategy === 'process' && unit === lastUnit ? 'only start_command' : `restart_strategy = ${strategy}`;
  return `${unit} is masked, so it should not run; ${starter} starts it nevertheless`;
}

/** Whether the strategy respects a mask. */
export function respectsMask(strategy: StrategyName): boolean {
  return strategy === 'service' || strategy === 'auto';
}

const NONE = { kind: 'none' } as const;
const ABSENT = { kind: 'absent' } as const;

/** `absent`: systemd knows no such unit. */
async function look(services: Services, name: string, signal: AbortSignal): Promise<Mask | typeof ABSENT> {
  const judged = judgeUnitName(name, true);
  if (judged.kind !== 'unit') return ABSENT;
  const shown = await services.show(judged.unit, signal);
  if (shown.kind === 'failed')
    return {
      kind: 'unanswered',
      reason: `systemd does not say what ${judged.unit} is: ${shown.reason}`,
      why: shown.reason,
    };
  if (isAbsent(shown.status)) return ABSENT;
  const { id, loadState } = shown.status;
  return loadState === 'masked' ? { kind: 'masked', unit: id } : NONE;
}
