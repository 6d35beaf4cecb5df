// Whether a name without a section may restart its unit.
import type { ServiceManager, UnitRelations, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { changesMachine } from '../name-policy.ts';
import { type StartedUnit, unanswered, unitsStartedWith } from './starts.ts';
import { lookAtStop, type Stop, stopsWith } from './stops.ts';

/** Whether a unit may be restarted; every reason is one line for people. */
export type UnitPermission =
  /** `killMode`: its KillMode=, if that was queried. */
  | { readonly kind: 'permitted'; readonly killMode?: string }
  | { readonly kind: 'refused'; readonly reason: string }
  /** systemd does not answer: nothing is known. `why`: systemd's part of the reason. */
  | { readonly kind: 'unanswered'; readonly reason: string; readonly why: string };

/**
 * Judges the unit that a name without a section of its own stands for: whoever can write a row chose that name. Such a unit
 * must exist already (loaded, and up, failed or changing; or enabled). Nothing that is active may be stopped for it by
 * Conflicts= or PropagatesStopTo=. Nothing that would be started or restarted with it, or at the end of that, may change the
 * state of the machine. `isKnown`: it existed when we last touched it. Never rejects. Source: systemd.unit(5).
 */
export async function permitUnnamed(
  services: ServiceManager,
  status: UnitStatus,
  isKnown: boolean,
  signal: AbortSignal,
): Promise<UnitPermission> {
  const { id } = status;
  if (status.loadState === 'masked') return refused(`${id} is masked`);
  // systemd does not start it, whoever asks.
  if (status.loadState !== 'loaded') return { kind: 'permitted' };
  if (!isKnown && status.activeState === 'inactive' && !status.hasJob) {
    const answer = await services.relations(id, signal);
    if (answer.kind === 'failed') return unanswered(id, answer.reason);
    if (!isEnabled(id, answer.relations)) return refused(`${id} is neither active nor enabled; ${SECTION}`);
  }
  const starts = await unitsStartedWith(services, status, signal);
  if (starts.kind === 'unanswered') return starts;
  if (starts.kind === 'too_many') return refused(`${id}: ${starts.reason}; ${SECTION}`);
  for (const unit of starts.units) {
    const action = machineAction(unit, id);
    if (action !== undefined) return refused(`${action}${unit.id === id ? '' : ` (${unit.way})`}; ${SECTION}`);
  }
  const stops = stopsWith(starts.units);
  if (stops.kind === 'too_many') return refused(`${id}: ${stops.reason}; ${SECTION}`);
  const judged = await Promise.all(stops.stops.map((stop) => judgeStop(services, stop, signal)));
  return judged.find(({ kind }) => kind !== 'permitted') ?? { kind: 'permitted' };
}

/**
 * What the unit would do to the whole machine, as the beginning of a sentence; undefined if nothing. `first`: the one that is
 * restarted.
 */
function machineAction({ id, relations }: StartedUnit, first: string): string | undefined {
  const atEnd = relations.startedAtEnd.find(changesMachine);
  const action = relations.actions[0] ?? (atEnd && `${atEnd} started at its end`);
  if (action !== undefined) return `${id} has ${action}`;
  // The first one's own name was judged before.
  return id !== first && changesMachine(id) ? `${id} changes the state of the whole machine` : undefined;
}

const SECTION = 'it is restarted only if it has a section of its own';

/**
 * True if something starts the unit by itself: a link that `systemctl enable` made, a generator (SysV), or a unit that names it
 * in its file. An instance is enabled only by its own name: older systemds report the state of its template for each.
 */
function isEnabled(id: string, { unitFileState, wantedBy, requiredBy, triggeredBy }: UnitRelations): boolean {
  if ([wantedBy, requiredBy, triggeredBy].some((units) => units.length > 0)) return true;
  return !id.includes('@') && (unitFileState === 'enabled' || unitFileState === 'enabled-runtime');
}

/** Refuses a stop of something that is not at rest anyway. */
async function judgeStop(services: ServiceManager, stop: Stop, signal: AbortSignal): Promise<UnitPermission> {
  const look = await lookAtStop(services, stop, signal);
  if (look.kind === 'unanswered') return look;
  if (look.kind === 'at_rest') return { kind: 'permitted' };
  return refused(`${stop.act} would stop ${stop.partner}, which is ${look.status.activeState} (${stop.word}); ${SECTION}`);
}

function refused(reason: string): UnitPermission {
  return { kind: 'refused', reason };
}
