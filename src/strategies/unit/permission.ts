import type { ServiceManager, UnitRelations, UnitStatus } from '../../system/systemd/service-manager.ts';
import { changesMachine } from './name-policy.ts';
import { type StartedUnit, unitsStartedWith } from './starts.ts';
import { isAtRest } from './state.ts';

/** Whether a unit may be restarted; every reason is one line for people. */
export type UnitPermission =
  | { readonly kind: 'permitted' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** systemd does not answer: nothing is known. `why`: its part of the reason. */
  | { readonly kind: 'unanswered'; readonly reason: string; readonly why: string };

/**
 * Judges the unit that a name without a section of its own stands for: whoever can write a row chose that name. Such a unit must
 * be there already (loaded, and up, failed or on its way; or enabled), nothing that is active may be stopped for it by Conflicts= or
 * PropagatesStopTo=, and nothing that would be started or restarted with it, or at the end of that, may do something to the machine.
 * `isKnown`: it was there when we last touched it. Never rejects. Source: systemd.unit(5).
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
    const told = await services.relations(id, signal);
    if (told.kind === 'failed') return unanswered(id, told.reason);
    if (!isEnabled(id, told.relations)) return refused(`${id} is neither active nor enabled; ${SECTION}`);
  }
  const starts = await unitsStartedWith(services, status, signal);
  if (starts.kind === 'unanswered') return starts;
  if (starts.kind === 'too_many') return refused(`${id}: ${starts.reason}; ${SECTION}`);
  for (const unit of starts.units) {
    const action = machineAction(unit, id);
    if (action !== undefined) return refused(`${action}${unit.id === id ? '' : ` (${unit.way})`}; ${SECTION}`);
  }
  const restarted = new Set(starts.units.flatMap(({ id: unit, how }) => (how === 'restarted' ? [unit] : [])));
  const stops = starts.units.flatMap((unit) => stopsFor(unit, restarted));
  const stopped = new Map(stops.map((stop) => [stop.partner, stop]));
  if (stopped.size > MOST_STOPPED) return refused(`${id}: its start would stop more than ${MOST_STOPPED} units; ${SECTION}`);
  const judged = await Promise.all([...stopped.values()].map((stop) => judgeStop(services, stop, signal)));
  return judged.find(({ kind }) => kind !== 'permitted') ?? { kind: 'permitted' };
}

/** What the unit would do to the whole machine, as a sentence without its end; undefined if nothing. `first`: the one that is restarted. */
function machineAction({ id, relations }: StartedUnit, first: string): string | undefined {
  const atEnd = relations.startedAtEnd.find(changesMachine);
  const action = relations.actions[0] ?? (atEnd && `${atEnd} started at its end`);
  if (action !== undefined) return `${id} has ${action}`;
  // The first one's own name was judged before.
  return id !== first && changesMachine(id) ? `${id} changes the state of the whole machine` : undefined;
}

/** A unit that would be stopped for another. */
interface Stop {
  readonly partner: string;
  /** `the start of rival.service`. */
  readonly act: string;
  /** `Conflicts=`. */
  readonly word: string;
}

function stopsFor({ id, relations, how }: StartedUnit, restarted: ReadonlySet<string>): Stop[] {
  // Whatever follows its end stands in for it, and may well conflict with it.
  if (how === 'at_end') return [];
  const conflicts = relations.conflicts.map((partner) => ({ partner, act: `the start of ${id}`, word: 'Conflicts=' }));
  if (how === 'started') return conflicts;
  const along = relations.stopsToo.filter((partner) => !restarted.has(partner));
  return [...conflicts, ...along.map((partner) => ({ partner, act: `the restart of ${id}`, word: 'PropagatesStopTo=' }))];
}

const SECTION = 'it is restarted only if it has a section of its own';
const MOST_STOPPED = 256;

/**
 * True if something starts the unit by itself: what `systemctl enable` made, a generator (SysV), or a unit that has it in its file.
 * An instance is enabled only by its own name: older systemds say of each what its template is.
 */
function isEnabled(id: string, { unitFileState, wantedBy, requiredBy, triggeredBy }: UnitRelations): boolean {
  if ([wantedBy, requiredBy, triggeredBy].some((units) => units.length > 0)) return true;
  return !id.includes('@') && (unitFileState === 'enabled' || unitFileState === 'enabled-runtime');
}

/** Whether what would be stopped is at rest anyway. */
async function judgeStop(services: ServiceManager, { partner, act, word }: Stop, signal: AbortSignal): Promise<UnitPermission> {
  const shown = await services.show(partner, signal);
  if (shown.kind === 'failed') return unanswered(partner, shown.reason);
  if (isAtRest(shown.status)) return { kind: 'permitted' };
  return refused(`${act} would stop ${partner}, which is ${shown.status.activeState} (${word}); ${SECTION}`);
}

function refused(reason: string): UnitPermission {
  return { kind: 'refused', reason };
}

function unanswered(unit: string, why: string): UnitPermission {
  return { kind: 'unanswered', reason: `systemd does not say what ${unit} is: ${why}`, why };
}
