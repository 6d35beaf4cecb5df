// What a `user` that does not exist means for a process.
import { managedProcess, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import { judgeUnitName } from '../strategies/unit/name-policy.ts';
import type { AccountResult } from '../system/spawn/user-account.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import type { Settings } from './settings.ts';

/** What is needed to find the consequences of a missing `user`. */
interface UserParts {
  readonly settings: Pick<Settings, 'document' | 'watchedNames'>;
  readonly services: Pick<ServiceManager, 'available' | 'show'>;
  /** Looks the user of that name or uid up. */
  readonly findUser: (user: string) => Promise<AccountResult>;
}

/**
 * The consequence of a `user` that does not exist, in one line; undefined if it exists, is not used, or if that is not known.
 */
export async function userFinding(
  { settings, services, findUser }: UserParts,
  name: string,
  plan: RecoveryPlan,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { document, watchedNames } = settings;
  const section = document.member('process', name);
  const user = section.text('user');
  const { name: strategy } = plan.strategy;
  if (user === undefined || strategy === 'service') return undefined;
  // If it is not watched, the problems of the file say so already.
  if (strategy === 'custom' && !watchedNames.includes(name)) return undefined;
  const found = await findUser(user);
  if (found.kind !== 'not_found') return undefined;
  if (strategy === 'custom') return `its end is not noticed as long as ${found.reason}`;
  if (strategy === 'auto' && (await isUnit(services, managedProcess(name, plan).systemName, signal))) return undefined;
  if (section.command('restart_command') !== undefined) return `whether it runs is not known as long as ${found.reason}`;
  return `nothing of it is restarted as long as ${found.reason}; its STATE shows that only once it is in alarm`;
}

/**
 * Whether that name belongs to a loaded unit, so that systemd knows its user and how to start it; undefined if systemd does not
 * answer.
 */
export async function isUnit(
  services: UserParts['services'],
  systemName: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const judged = judgeUnitName(systemName, true);
  if (!services.available || judged.kind !== 'unit') return false;
  const shown = await services.show(judged.unit, signal);
  return shown.kind === 'failed' ? undefined : shown.status.loadState === 'loaded';
}
