import type { Deadline } from '../../../core/deadline.ts';
import type { ServiceManager, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isUp } from '../../../system/systemd/unit/state.ts';
import type { RestartOutcome } from '../../strategy.ts';
import { isRestartedBySystemd, needsReset } from '../state.ts';
import type { UnitFailure } from './force.ts';
import { type LeavingParts, stoppedFirst } from './left-alive.ts';

/**
 * Starts a unit that is down, or restarts one that is not; lifts its start limit if that prevents it. Never rejects. Source:
 * systemctl(1).
 */
export async function startOrRestart(
  parts: LeavingParts,
  status: UnitStatus,
  how: { readonly signal: AbortSignal; readonly deadline: Deadline; readonly killMode: string | undefined },
): Promise<RestartOutcome | UnitFailure> {
  const { services } = parts;
  const { id } = status;
  const { signal, deadline } = how;
  // Never 0, which a timer elsewhere may take for no limit at all.
  const call = (verb: 'start' | 'restart' | 'reset-failed') => services.call(verb, id, deadline.remainingMs() || 1, signal);
  // systemd postpones a start of a unit that it is to restart itself until then.
  const verb = isUp(status) || isRestartedBySystemd(status) ? 'restart' : 'start';
  // A transient unit that has failed is unloaded once it is reset.
  const reset = needsReset(status) && !(status.result !== 'start-limit-hit' && (await isTransient(services, id, deadline)));
  // A failure of this says nothing: a unit that systemd has just unloaded has nothing to reset.
  if (reset) await call('reset-failed');
  const order = () => call(verb);
  const first = isUp(status) ? await stoppedFirst(parts, status, how, order) : await order();
  if (first.kind === 'done')
    return { kind: 'restarted', detail: `systemctl ${verb} ${id}${reset ? ' after reset-failed' : ''}` };
  const isLeft = first.kind === 'not_stopped';
  const reason = isLeft ? first.reason : `systemctl ${verb} ${id}: ${first.reason}`;
  const failure: UnitFailure = { kind: 'failed', unit: id, reason, isFromSystemd: true };
  if (isLeft || reset || deadline.signal.aborted) return failure;
  // Our own restarts count against the unit's start limit too, and an active unit does not show how close it is.
  const after = await services.show(id, deadline.signal);
  if (after.kind === 'failed' || after.status.result !== 'start-limit-hit') return failure;
  await call('reset-failed');
  const second = await call('start');
  return second.kind === 'done'
    ? { kind: 'restarted', detail: `systemctl start ${id} after reset-failed` }
    : { ...failure, reason: `systemctl start ${id}: ${second.reason}` };
}

async function isTransient(services: ServiceManager, unit: string, { signal }: Deadline): Promise<boolean> {
  const answer = await services.relations(unit, signal);
  return answer.kind === 'known' && answer.relations.unitFileState === 'transient';
}
