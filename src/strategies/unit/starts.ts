import type { ServiceManager, UnitRelations, UnitStatus } from '../../system/systemd/service-manager.ts';
import { isRestartedBySystemd, isUp } from './state.ts';

/** A unit that systemd would start. */
export interface StartedUnit {
  readonly id: string;
  readonly relations: UnitRelations;
  /** No more than wanted: by Wants= alone, all the way. */
  readonly isOnlyWanted: boolean;
  /** Why it is started, for people: `front.service Requires=base.service`; the unit's own name if it is the first. */
  readonly way: string;
}

/** What a start or restart of one unit starts; every reason is one line for people. */
export type UnitStarts =
  /** The unit itself first. */
  | { readonly kind: 'known'; readonly units: readonly StartedUnit[] }
  /** More than we look at. */
  | { readonly kind: 'too_many'; readonly reason: string }
  /** systemd does not answer; `why`: its part of the reason. */
  | { readonly kind: 'unanswered'; readonly reason: string; readonly why: string };

/**
 * Finds all units that systemd would start with the one of `status`: what it, and what those again, have in Requires=, BindsTo=,
 * Upholds= and Wants=, as far as that is down. What is up starts nothing, unless it is restarted too: because the first is up, and
 * it has that in Requires=, BindsTo= or PartOf=. At most 256 units are looked at. Never rejects.
 * Source: systemd.unit(5), transaction_add_job_and_dependencies() of systemd.
 */
export async function unitsStartedWith(services: ServiceManager, status: UnitStatus, signal: AbortSignal): Promise<UnitStarts> {
  const looks = new UnitLooks(services, status, signal);
  const started = new Map<string, StartedUnit>();
  const reached = new Map<string, Need>();
  let steps: Step[] = [{ unit: status.id, need: 'itself', isRestarted: isUp(status), way: status.id }];
  while (steps.length > 0) {
    const fresh = steps.filter((step) => isNews(reached, step));
    if (!looks.mayTake(fresh)) return { kind: 'too_many', reason: TOO_MANY };
    const looked = await Promise.all(fresh.map(async (step) => ({ step, look: await looks.take(step) })));
    steps = [];
    for (const { step, look } of looked) {
      if (look.kind === 'unanswered') return look;
      if (look.kind === 'at_rest') continue;
      const { unit, need, way, isRestarted } = step;
      const { relations } = look;
      if (need === 'itself' ? unit === status.id : !isRestarted)
        started.set(unit, { id: unit, relations, isOnlyWanted: need === 'wanted', way });
      steps.push(...stepsFrom(step, relations));
    }
  }
  return { kind: 'known', units: [...started.values()] };
}

/** A unit file may name any number of others, and those again. */
const MOST_UNITS = 256;
const TOO_MANY = `its start concerns more than ${MOST_UNITS} units, and they are not all looked at`;

/** `itself`: the first, and what is restarted with it; `wanted`: by Wants= alone, all the way from there; else `needed`. */
type Need = 'itself' | 'wanted' | 'needed';

interface Step {
  readonly unit: string;
  readonly need: Need;
  /** It is restarted if it is up; else it is started if it is down. */
  readonly isRestarted: boolean;
  readonly way: string;
}

/** Notes that the unit was come to; false if it was before, unless it was only wanted then and is needed now. */
function isNews(reached: Map<string, Need>, { unit, need, isRestarted }: Step): boolean {
  const key = `${isRestarted ? 'restart' : 'start'} ${unit}`;
  const before = reached.get(key);
  if (before !== undefined && (before !== 'wanted' || need === 'wanted')) return false;
  reached.set(key, need);
  return true;
}

function stepsFrom({ unit, need, isRestarted, way }: Step, relations: UnitRelations): Step[] {
  const { requires, bindsTo, upholds, wants, requiredBy, boundBy, consistsOf } = relations;
  const started = Object.entries({ Requires: requires, BindsTo: bindsTo, Upholds: upholds, Wants: wants }).flatMap(
    ([word, units]) =>
      units.map((next) => ({
        unit: next,
        need: word === 'Wants' && need !== 'needed' ? ('wanted' as const) : ('needed' as const),
        isRestarted: false,
        way: longer(way, `${unit} ${word}=${next}`, need),
      })),
  );
  if (!isRestarted) return started;
  const along = new Set([...requiredBy, ...boundBy, ...consistsOf]);
  return [
    ...started,
    ...[...along].map((next) => ({
      unit: next,
      need,
      isRestarted,
      way: longer(way, `${next} is restarted with ${unit}`, need),
    })),
  ];
}

/** Only the last steps of a long way are told. */
function longer(way: string, step: string, need: Need): string {
  if (need === 'itself' && !way.includes(' ')) return step;
  return way.length + step.length > LONGEST_WAY ? `… ${step}` : `${way}, ${step}`;
}

const LONGEST_WAY = 300;

type Look =
  | { readonly kind: 'known'; readonly relations: UnitRelations }
  /** Nothing happens to it: it is up already, cannot be loaded, or (if it is to be restarted) is down. */
  | { readonly kind: 'at_rest' }
  | { readonly kind: 'unanswered'; readonly reason: string; readonly why: string };

/** Looks at units, each once, and at no more than so many. */
class UnitLooks {
  readonly #services: ServiceManager;
  readonly #first: UnitStatus;
  readonly #signal: AbortSignal;
  readonly #shown = new Map<string, ReturnType<ServiceManager['show']>>();
  readonly #told = new Map<string, ReturnType<ServiceManager['relations']>>();

  constructor(services: ServiceManager, first: UnitStatus, signal: AbortSignal) {
    this.#services = services;
    this.#first = first;
    this.#signal = signal;
    this.#shown.set(first.id, Promise.resolve({ kind: 'status', status: first }));
  }

  mayTake(steps: readonly Step[]): boolean {
    return new Set([...this.#shown.keys(), ...steps.map(({ unit }) => unit)]).size <= MOST_UNITS;
  }

  async take({ unit, isRestarted }: Step): Promise<Look> {
    const shown = await once(this.#shown, unit, () => this.#services.show(unit, this.#signal));
    if (shown.kind === 'failed') return unanswered(unit, shown.reason);
    const isTouched = isRestarted ? isUp(shown.status) : isStarted(shown.status);
    // What the first one's start is, its status does not say: it may be under way.
    if (!isTouched && unit !== this.#first.id) return { kind: 'at_rest' };
    const told = await once(this.#told, unit, () => this.#services.relations(unit, this.#signal));
    return told.kind === 'failed' ? unanswered(unit, told.reason) : told;
  }
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function isStarted(status: UnitStatus): boolean {
  if (status.loadState !== 'loaded') return false;
  // One that is starting, or stays so until it is told otherwise, is no doing of ours.
  return ['inactive', 'failed', 'deactivating'].includes(status.activeState) || isRestartedBySystemd(status);
}

function unanswered(unit: string, why: string): Look & { readonly kind: 'unanswered' } {
  return { kind: 'unanswered', reason: `systemd does not say what ${unit} is: ${why}`, why };
}
