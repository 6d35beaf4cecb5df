import type { ServiceManager, UnitRelations, UnitStatus } from '../../system/systemd/service-manager.ts';
import { changesMachine } from './name-policy.ts';
import { unitsStartedWith } from './starts.ts';

/** Whether a unit may be restarted; every reason is one line for people. */
export type UnitPermission =
  | { readonly kind: 'permitted' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** systemd does not answer: nothing is known. `why`: its part of the reason. */
  | { readonly kind: 'unanswered'; readonly reason: string; readonly why: string };

/**
 * Judges the unit that a name without a section of its own stands for: whoever can write a row chose that name. Such a unit must
 * be there already (loaded, and up, failed or on its way; or enabled), nothing that is active may be stopped for its start by
 * Conflicts=, and nothing that would be started may have a SuccessAction=, FailureAction= or the like. `isKnown`: it was there when
 * we last touched it. Never rejects. Source: systemd.unit(5).
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
  for (const { id: unit, relations, way } of starts.units) {
    const atEnd = relations.startedAtEnd.find(changesMachine);
    const action = relations.actions[0] ?? (atEnd && `${atEnd} started at its end`);
    if (action !== undefined) return refused(`${unit} has ${action}${unit === id ? '' : ` (${way})`}; ${SECTION}`);
  }
  const partners = new Map(
    starts.units.flatMap(({ id: unit, relations }) => relations.conflicts.map((partner) => [partner, unit] as const)),
  );
  if (partners.size > MOST_CONFLICTS)
    return refused(`${id}: its start conflicts with more than ${MOST_CONFLICTS} units; ${SECTION}`);
  const stopped = await Promise.all([...partners].map(([partner, unit]) => judgePartner(services, partner, unit, signal)));
  return stopped.find(({ kind }) => kind !== 'permitted') ?? { kind: 'permitted' };
}

const SECTION = 'it is restarted only if it has a section of its own';
const MOST_CONFLICTS = 256;

/**
 * True if something starts the unit by itself: what `systemctl enable` made, a generator (SysV), or a unit that has it in its file.
 * An instance is enabled only by its own name: older systemds say of each what its template is.
 */
function isEnabled(id: string, { unitFileState, wantedBy, requiredBy, triggeredBy }: UnitRelations): boolean {
  if ([wantedBy, requiredBy, triggeredBy].some((units) => units.length > 0)) return true;
  return !id.includes('@') && (unitFileState === 'enabled' || unitFileState === 'enabled-runtime');
}

/** Whether `partner`, which the start of `unit` would stop, is at rest. */
async function judgePartner(
  services: ServiceManager,
  partner: string,
  unit: string,
  signal: AbortSignal,
): Promise<UnitPermission> {
  const shown = await services.show(partner, signal);
  if (shown.kind === 'failed') return unanswered(partner, shown.reason);
  const { activeState } = shown.status;
  if (AT_REST.includes(activeState)) return { kind: 'permitted' };
  return refused(`the start of ${unit} would stop ${partner}, which is ${activeState} (Conflicts=); ${SECTION}`);
}

const AT_REST: readonly string[] = ['inactive', 'failed', 'deactivating'];

function refused(reason: string): UnitPermission {
  return { kind: 'refused', reason };
}

function unanswered(unit: string, why: string): UnitPermission {
  return { kind: 'unanswered', reason: `systemd does not say what ${unit} is: ${why}`, why };
}
