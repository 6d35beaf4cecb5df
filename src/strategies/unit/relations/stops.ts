import type { ServiceManager, UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { Unanswered } from '../lookup.ts';
import { isAtRest } from '../state.ts';
import { longerWay, type StartedUnit, unanswered } from './starts.ts';

/** A unit that would be stopped for another, if it is up. */
export interface Stop {
  readonly partner: string;
  /** `the start of rival.service`. */
  readonly act: string;
  /** `Conflicts=`. */
  readonly word: string;
  /** Why, for people: StartedUnit.way of the other, then `the start of rival.service stops victim.service by Conflicts=`. */
  readonly way: string;
}

/** What is stopped for units that are started or restarted; the reason is one line for people. */
type UnitStops =
  | { readonly kind: 'known'; readonly stops: readonly Stop[] }
  /** More than we examine. */
  | { readonly kind: 'too_many'; readonly reason: string };

/**
 * Finds what systemd would stop for `units` (of unitsStartedWith): each once, whether or not it is up. Source: systemd.unit(5).
 */
export function stopsWith(units: readonly StartedUnit[]): UnitStops {
  const restarted = new Set(units.flatMap(({ id, how }) => (how === 'restarted' ? [id] : [])));
  const stops = new Map(units.flatMap((unit) => stopsFor(unit, restarted)).map((stop) => [stop.partner, stop]));
  if (stops.size > MOST_STOPPED) return { kind: 'too_many', reason: `its start would stop more than ${MOST_STOPPED} units` };
  return { kind: 'known', stops: [...stops.values()] };
}

const MOST_STOPPED = 256;

function stopsFor({ id, relations, how, way }: StartedUnit, restarted: ReadonlySet<string>): Stop[] {
  // What follows its end replaces it, and may well conflict with it.
  if (how === 'at_end') return [];
  const stop = (partner: string, act: string, word: string): Stop => ({
    partner,
    act,
    word,
    way: longerWay(way, `${act} stops ${partner} by ${word}`),
  });
  const conflicts = relations.conflicts.map((partner) => stop(partner, `the start of ${id}`, 'Conflicts='));
  if (how === 'started') return conflicts;
  const along = relations.stopsToo.filter((partner) => !restarted.has(partner));
  return [...conflicts, ...along.map((partner) => stop(partner, `the restart of ${id}`, 'PropagatesStopTo='))];
}

/** What one look at a unit that would be stopped shows. */
type StopLook =
  /** It is up, or coming up. */
  | { readonly kind: 'stopped'; readonly status: UnitStatus }
  /** There is nothing to stop. */
  | { readonly kind: 'at_rest' }
  | Unanswered;

/** Whether a unit that would be stopped is at rest anyway. Never rejects. */
export async function lookAtStop(services: ServiceManager, { partner }: Stop, signal: AbortSignal): Promise<StopLook> {
  const shown = await services.show(partner, signal);
  if (shown.kind === 'failed') return unanswered(partner, shown.reason);
  const { status } = shown;
  return isAtRest(status) ? { kind: 'at_rest' } : { kind: 'stopped', status };
}
