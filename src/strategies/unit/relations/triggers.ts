import type { ServiceManager, UnitStatus } from '../../../system/systemd/service-manager.ts';

/**
 * True for a unit that has ended well and that another one, which is up, will start on demand: a socket that listens, a path, a
 * timer, an automount point. So a service that is started by its socket is at rest when it has nothing to do. False too if that
 * cannot be determined. Never rejects. Source: systemd.socket(5), systemd.unit(5) (`TriggeredBy`).
 */
export async function waitsForTrigger(
  services: Pick<ServiceManager, 'show' | 'relations'>,
  { id, activeState, result, hasJob }: UnitStatus,
  signal: AbortSignal,
): Promise<boolean> {
  if (activeState !== 'inactive' || result !== 'success' || hasJob) return false;
  const answer = await services.relations(id, signal);
  if (answer.kind === 'failed') return false;
  for (const trigger of answer.relations.triggeredBy.slice(0, MOST_LOOKED_AT)) {
    const shown = await services.show(trigger, signal);
    if (shown.kind === 'status' && shown.status.activeState === 'active') return true;
  }
  return false;
}

/** A unit file may name any number. */
const MOST_LOOKED_AT = 16;
