import type { ServiceManager, UnitRelations, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isUp } from '../../../system/systemd/unit/state.ts';
import type { Unanswered } from '../lookup.ts';
import { isAtRest, isRestartedBySystemd } from '../state.ts';

/** A unit that systemd would start or restart. */
export interface StartedUnit {
  readonly id: string;
  readonly relations: UnitRelations;
  /** `at_end`: started only if and when one of the others ends (OnSuccess=, OnFailure=). */
  readonly how: How;
  /** Not needed: reached by Wants= alone, all the way. */
  readonly isOnlyWanted: boolean;
  /** Why, for people: `front.service Requires=base.service`; the unit's own name if it is the first. */
  readonly way: string;
}

type How = 'started' | 'restarted' | 'at_end';

/** What a start or restart of one unit starts and restarts; every reason is one line for people. */
type UnitStarts =
  /** The unit itself first. */
  | { readonly kind: 'known'; readonly units: readonly StartedUnit[] }
  /** More than we examine. */
  | { readonly kind: 'too_many'; readonly reason: string }
  | Unanswered;

/**
 * Finds all units that systemd would start with the one of `status`: those that it, and these in turn, name in Requires=,
 * BindsTo=, Upholds= and Wants=, if they are down, and those that are started at their ends. A unit that is up starts nothing,
 * unless it is restarted too: because the first is up, and the unit names that in Requires=, Requisite=, BindsTo= or PartOf=. A
 * unit that is starting or stopping counts as up. At most 256 units are examined. Never rejects. Source: systemd.unit(5),
 * transaction_add_job_and_dependencies() and job_type_collapse() of systemd.
 */
export async function unitsStartedWith(services: ServiceManager, status: UnitStatus, signal: AbortSignal): Promise<UnitStarts> {
  const looks = new UnitLooks(services, status, signal);
  const started = new Map<string, StartedUnit>();
  const reached = new Map<string, Need>();
  let steps: Step[] = [
    { unit: status.id, need: 'itself', how: mayBeStopped(status) ? 'restarted' : 'started', way: status.id },
  ];
  while (steps.length > 0) {
    const fresh = steps.filter((step) => isNew(reached, step));
    if (!looks.mayTake(fresh)) return { kind: 'too_many', reason: TOO_MANY };
    const looked = await Promise.all(fresh.map(async (step) => ({ step, look: await looks.take(step) })));
    steps = [];
    for (const { step, look } of looked) {
      if (look.kind === 'unanswered') return look;
      if (look.kind === 'at_rest') continue;
      const { unit, need, way, how } = step;
      const { relations } = look;
      started.set(keyOf(step), { id: unit, relations, how, isOnlyWanted: need === 'wanted', way });
      steps.push(...stepsFrom(step, relations));
    }
  }
  return { kind: 'known', units: [...started.values()] };
}

/** A unit that hangs in a start or stop is started at first, and restarted by force if that does not help. */
function mayBeStopped(status: UnitStatus): boolean {
  return isUp(status) || status.activeState === 'activating' || status.activeState === 'deactivating';
}

/** A unit file may name any number of others, and those in turn. */
const MOST_UNITS = 256;
const TOO_MANY = `its start concerns more than ${MOST_UNITS} units, too many to examine`;

/** `itself`: the first, and what is restarted with it; `wanted`: by Wants= alone, all the way from there; else `needed`. */
type Need = 'itself' | 'wanted' | 'needed';

interface Step {
  readonly unit: string;
  readonly need: Need;
  /** `restarted`: if it is up; else it is started if it is down. */
  readonly how: How;
  readonly way: string;
}

function keyOf({ how, unit }: Step): string {
  return `${how} ${unit}`;
}

/** Notes that the unit was reached; false if it was before, unless it was only wanted then and is needed now. */
function isNew(reached: Map<string, Need>, step: Step): boolean {
  const { need } = step;
  const key = keyOf(step);
  const before = reached.get(key);
  if (before !== undefined && (before !== 'wanted' || need === 'wanted')) return false;
  reached.set(key, need);
  return true;
}

function stepsFrom({ unit, need, how, way }: Step, relations: UnitRelations): Step[] {
  const { requires, bindsTo, upholds, wants, startedAtEnd, requiredBy, requisiteOf, boundBy, consistsOf } = relations;
  const onward = (next: string, why: string, change: Partial<Step> = {}): Step => ({
    unit: next,
    need,
    how,
    way: longerWay(way, why),
    ...change,
  });
  const started = Object.entries({ Requires: requires, BindsTo: bindsTo, Upholds: upholds, Wants: wants }).flatMap(
    ([word, units]) => {
      const change: Partial<Step> = {
        need: word === 'Wants' && need !== 'needed' ? 'wanted' : 'needed',
        how: how === 'at_end' ? 'at_end' : 'started',
      };
      return units.map((next) => onward(next, `${unit} ${word}=${next}`, change));
    },
  );
  const atEnd = startedAtEnd.map((next) =>
    onward(next, `${next} is started at the end of ${unit}`, { need: 'needed', how: 'at_end' }),
  );
  const along = how === 'restarted' ? new Set([...requiredBy, ...requisiteOf, ...boundBy, ...consistsOf]) : [];
  return [...started, ...atEnd, ...[...along].map((next) => onward(next, `${next} is restarted with ${unit}`))];
}

/** StartedUnit.way with one more step; a long way is shortened to its last steps. */
export function longerWay(way: string, step: string): string {
  // The first unit's own name: every step contains blanks.
  if (!way.includes(' ')) return step;
  return way.length + step.length > LONGEST_WAY ? `… ${step}` : `${way}, ${step}`;
}

const LONGEST_WAY = 300;

type Look =
  | { readonly kind: 'known'; readonly relations: UnitRelations }
  /** Nothing happens to it: it is up already, cannot be loaded, or (if it is to be restarted) is down. */
  | { readonly kind: 'at_rest' }
  | Unanswered;

/** Looks at units, at each once, and at no more than the limit. */
class UnitLooks {
  readonly #services: ServiceManager;
  readonly #first: UnitStatus;
  readonly #signal: AbortSignal;
  readonly #shown = new Map<string, ReturnType<ServiceManager['show']>>();
  readonly #relations = new Map<string, ReturnType<ServiceManager['relations']>>();

  constructor(services: ServiceManager, first: UnitStatus, signal: AbortSignal) {
    this.#services = services;
    this.#first = first;
    this.#signal = signal;
    this.#shown.set(first.id, Promise.resolve({ kind: 'status', status: first }));
  }

  mayTake(steps: readonly Step[]): boolean {
    return new Set([...this.#shown.keys(), ...steps.map(({ unit }) => unit)]).size <= MOST_UNITS;
  }

  async take({ unit, how }: Step): Promise<Look> {
    const shown = await once(this.#shown, unit, () => this.#services.show(unit, this.#signal));
    if (shown.kind === 'failed') return unanswered(unit, shown.reason);
    const isTouched = how === 'restarted' ? !isAtRest(shown.status) : isStarted(shown.status);
    // The first unit's status does not show what its start is: that may be under way.
    if (!isTouched && unit !== this.#first.id) return { kind: 'at_rest' };
    const answer = await once(this.#relations, unit, () => this.#services.relations(unit, this.#signal));
    return answer.kind === 'failed' ? unanswered(unit, answer.reason) : answer;
  }
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function isStarted(status: UnitStatus): boolean {
  if (status.loadState !== 'loaded') return false;
  // A unit that is starting, or that keeps starting until it gets another order, is not our doing.
  return isAtRest(status) || isRestartedBySystemd(status);
}

/** The answer if systemd says nothing about `unit`. */
export function unanswered(unit: string, why: string): Unanswered {
  return { kind: 'unanswered', reason: `systemd does not say what ${unit} is: ${why}`, why };
}
