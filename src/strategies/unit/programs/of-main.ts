// Finds the unit of which a program is the main process.
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { ServiceManager } from '../../../system/systemd/service-manager.ts';
import { isUp } from '../../../system/systemd/unit/state.ts';
import type { ProcessTree } from '../../process/identity/identity.ts';
import { unitAround } from '../../process/supervision/restart-by-others.ts';
import { isWrapperOf } from './wrapper.ts';

/** Whether a program is its unit's main process; `unknown`: systemd does not say, with a one-line reason. */
export type MainOf =
  | { readonly kind: 'unit'; readonly unit: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * The system unit that a restart of this program has to go through: the program is the unit's main process, or the last command of a
 * wrapper script that is (isWrapperOf); or the unit has no main process and the program is everything in its control group. None for
 * programs that cron, rc-local, a login or another supervisor has in its unit, and for our own units. Never rejects.
 */
export async function unitOfMain(
  table: ProcessTable,
  services: ServiceManager,
  tree: ProcessTree,
  ownPid: number,
  signal: AbortSignal,
): Promise<MainOf> {
  const main = await unitOfNumber(table, services, tree, ownPid, signal);
  // Another process may have its number by now.
  return table.isThere(tree.root) ? main : { kind: 'unknown', reason: `process ${tree.root.pid} ended meanwhile` };
}

async function unitOfNumber(
  table: ProcessTable,
  services: ServiceManager,
  { root, descendants }: ProcessTree,
  ownPid: number,
  signal: AbortSignal,
): Promise<MainOf> {
  const unit = unitAround(table, root.pid, ownPid);
  if (unit === undefined || !services.available || unit.startsWith('monitor_service')) return NONE;
  const shown = await services.show(unit, signal);
  if (shown.kind !== 'status') return { kind: 'unknown', reason: `systemd does not say what ${unit} is: ${shown.reason}` };
  const { id, mainPid, controlGroup } = shown.status;
  if (mainPid === root.pid) return { kind: 'unit', unit: id };
  if (mainPid > 0 && (shown.status.type === 'oneshot' || !isWrapperOf(table, mainPid, root))) return NONE;
  if (hostsOtherPrograms(id) || !isUp(shown.status) || controlGroup === '') return NONE;
  const family = new Set([root, ...descendants].map(({ pid }) => pid).concat(mainPid));
  const inside = table.inGroup(controlGroup);
  return inside.length > 0 && inside.every((pid) => family.has(pid)) ? { kind: 'unit', unit: id } : NONE;
}

const NONE: MainOf = { kind: 'none' };

/** Whether the unit hosts other programs: those that cron, rc-local, a login or another supervisor has started. */
export function hostsOtherPrograms(unit: string): boolean {
  return HOST_UNITS.test(unit);
}

/** Units that host other programs, which stay when the main process has ended: a restart of the unit is not the program's. */
const HOST_UNITS =
  /^(?:(?:ana|f|b)?cron(?:d|ie)?|systemd-cron.*|atd?|rc[-.]local|sshd?(?:@.*)?|[a-z]*getty@.*|supervisord?|circusd?|pm2.*|monit|docker|containerd|podman.*|crio?)\.service$/;
