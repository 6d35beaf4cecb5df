import type { ServiceManager, UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { AlsoStarted, AlsoStarts } from '../../strategy.ts';
import type { Unanswered } from '../lookup.ts';
import { serviceName } from '../name-policy.ts';
import { type StartedUnit, unitsStartedWith } from './starts.ts';
import { lookAtStop, type Stop, stopsWith } from './stops.ts';

/**
 * Finds what systemd would start, restart or stop together with the unit of `status` when that is started or restarted. Among
 * the stopped units only services are examined: nothing else can be put on hold. Never rejects.
 */
export async function alsoStartedWith(
  services: ServiceManager,
  status: UnitStatus,
  signal: AbortSignal,
): Promise<AlsoStarts | Unanswered> {
  const starts = await unitsStartedWith(services, status, signal);
  if (starts.kind === 'unanswered') return starts;
  if (starts.kind === 'too_many') return { kind: 'unknown', reason: starts.reason };
  const others = starts.units.flatMap((unit) => (unit.id === status.id ? [] : asAlso(unit)));
  const stops = stopsWith(starts.units);
  if (stops.kind === 'too_many') return { kind: 'unknown', reason: stops.reason };
  const partners = stops.stops.filter(({ partner }) => partner.endsWith('.service') && partner !== status.id);
  const looked = await Promise.all(partners.map(async (stop) => ({ stop, look: await lookAtStop(services, stop, signal) })));
  const stopped: AlsoStarted[] = [];
  for (const { stop, look } of looked) {
    if (look.kind === 'unanswered') return look;
    if (look.kind === 'stopped') stopped.push(asStopped(stop));
  }
  return { kind: 'known', units: [...others, ...stopped] };
}

/** Nothing if it is started only at another unit's end: that may never come. */
function asAlso({ id, how, isOnlyWanted, way }: StartedUnit): AlsoStarted[] {
  if (how === 'at_end') return [];
  return [{ key: serviceName(id), verb: how === 'started' ? 'start' : 'restart', isOnlyWanted, way }];
}

function asStopped({ partner, way }: Stop): AlsoStarted {
  return { key: serviceName(partner), verb: 'stop', isOnlyWanted: false, way };
}
