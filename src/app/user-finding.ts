import { managedProcess, type RecoveryPlan } from '../strategies/recovery-plan.ts';
import { judgeUnitName } from '../strategies/unit/name-policy.ts';
import type { AccountResult } from '../system/spawn/user-account.ts';
import type { ServiceManager } from '../system/systemd/service-manager.ts';
import type { Settings } from './settings.ts';

/** What is needed to see what becomes of a process whose `user` is not there. */
export interface UserParts {
  readonly settings: Pick<Settings, 'document' | 'watchedNames'>;
  readonly services: Pick<ServiceManager, 'available' | 'show'>;
  /** Looks the user of that name or uid up. */
  readonly findUser: (user: string) => Promise<AccountResult>;
}

/** What follows from a `user` that is not there, in one line; undefined if it is there, is not looked for, or that cannot be told. */
export async function userFinding(
  { settings, services, findUser }: UserParts,
  name: string,
  plan: RecoveryPlan,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { document, watchedNames } = settings;
  const section = document.processSection(name);
  const user = section.text('user');
  const { name: strategy } = plan.strategy;
  if (user === undefined || strategy === 'service') return undefined;
  // Of one that is not watched the file's own problems tell.
  if (strategy === 'custom' && !watchedNames.includes(name)) return undefined;
  const found = await findUser(user);
  if (found.kind !== 'not_found') return undefined;
  if (strategy === 'custom') return `its end is not noticed as long as ${found.reason}`;
  if (strategy === 'auto' && (await isUnit(services, managedProcess(name, plan).systemName, signal))) return undefined;
  if (section.verbatim('restart_command') !== undefined) return `whether it runs cannot be told as long as ${found.reason}`;
  return `nothing of it is restarted as long as ${found.reason}; its STATE shows that only once it is in alarm`;
}

/** Whether that name is a unit's, of which systemd knows whose it is and how it is started; undefined if it does not say. */
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
