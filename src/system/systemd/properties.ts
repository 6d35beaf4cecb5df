import { callFailure } from './call-failure.ts';
import type { CallResult, Limit } from './dbus/connection.ts';
import { type DbusValue, Variant } from './dbus/values.ts';
import type { Pid1Link } from './link.ts';
import { unitPath } from './unit/name.ts';

/** What of a unit is asked for, by the interface that has it. Source: org.freedesktop.systemd1(5). */
export interface PropertyNames {
  readonly Unit: readonly string[];
  readonly Service: readonly string[];
}

/** Properties by their names; those that this systemd or this kind of unit does not have are absent. */
export type Properties = ReadonlyMap<string, DbusValue>;

/** How asking ended; `lost`: the connection ended before all of it was there. */
type PropertiesResult =
  | { readonly kind: 'known'; readonly values: Properties }
  | { readonly kind: 'failed'; readonly reason: string; readonly lost: boolean };

/**
 * Properties of a unit as they stood together at one moment; a unit that systemd does not know has LoadState `not-found`. Each is a call
 * of its own, all sent at once: to have all that a unit has would cost PID 1 more, and may be longer than we read. Never rejects.
 */
export async function readProperties(
  link: Pid1Link,
  unit: string,
  names: PropertyNames,
  limit: Limit,
): Promise<PropertiesResult> {
  const endMs = performance.now() + limit.timeoutMs;
  for (let round = 1; ; round++) {
    const left = { ...limit, timeoutMs: endMs - performance.now() };
    const result = await readOnce(link, unit, names, left);
    if (result.kind !== 'changing' || round === ROUNDS) return result.kind === 'changing' ? result.result : result;
  }
}

/** One that changes faster than that is told as it was read last. */
const ROUNDS = 5;

type Round = PropertiesResult | { readonly kind: 'changing'; readonly result: PropertiesResult };

async function readOnce(link: Pid1Link, unit: string, names: PropertyNames, limit: Limit): Promise<Round> {
  const path = unitPath(unit);
  const get = (owner: keyof PropertyNames, name: string): Promise<CallResult> =>
    link.call(
      { path, interface: PROPERTIES, member: 'Get', signature: 'ss', values: [`org.freedesktop.systemd1.${owner}`, name] },
      limit,
    );
  const asked = [
    ...names.Unit.map((name) => ['Unit', name] as const),
    ...names.Service.map((name) => ['Service', name] as const),
  ];
  // PID 1 may turn to something else between two answers: whoever sees the same change first and last has seen none in between.
  const changed = ['Unit', CHANGED] as const;
  const wanted = asked.length === 1 ? asked : [changed, ...asked, changed];
  const answers = await Promise.all(wanted.map(async ([owner, name]) => ({ name, result: await get(owner, name) })));
  const values = new Map<string, DbusValue>();
  for (const { name, result } of answers) {
    const value = result.kind === 'reply' ? result.values[0] : undefined;
    if (value instanceof Variant) values.set(name, value.value);
    else if (result.kind === 'reply') return { kind: 'failed', reason: 'systemd answers with something else', lost: false };
    else if (result.kind !== 'error' || !ABSENT.includes(result.name))
      return { kind: 'failed', reason: callFailure(result), lost: result.kind === 'lost' };
  }
  const result = { kind: 'known', values } as const;
  if (asked.length === 1) return result;
  const [first, last] = [answers[0]?.result, answers.at(-1)?.result].map(answered);
  return first === last ? result : { kind: 'changing', result };
}

function answered(result: CallResult | undefined): DbusValue | undefined {
  const value = result?.kind === 'reply' ? result.values[0] : undefined;
  return value instanceof Variant ? value.value : undefined;
}

const PROPERTIES = 'org.freedesktop.DBus.Properties';
/**
 * When the unit changed last, in microseconds: set with every step from one state to the next. It is among all properties that
 * are read, if there are several.
 */
export const CHANGED = 'StateChangeTimestampMonotonic';
const ABSENT: readonly string[] = ['UnknownProperty', 'UnknownInterface', 'UnknownMethod'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);

/** A text; empty where it is none. */
export function textOf(values: Properties, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value : '';
}

/** A number; 0 where it is none. Those of 64 bits as near as a double comes, which for microseconds since boot is exact. */
export function numberOf(values: Properties, name: string): number {
  const value = values.get(name);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

/** A list of texts; [] where it is none. */
export function textsOf(values: Properties, name: string): string[] {
  const value = values.get(name);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** True where systemd has something to do about the unit (Job, `(uo)`: number and path, 0 where there is none). */
export function hasJob(values: Properties): boolean {
  const job = values.get('Job');
  return Array.isArray(job) && job[0] !== 0;
}

/** ActiveState, but `activating` for as long as a service of Type=idle is starting. */
export function activeStateOf(values: Properties): string {
  return isIdleStart(values) ? 'activating' : textOf(values, 'ActiveState');
}

/**
 * True while a service of Type=idle is on its way up: systemd calls that `active`, and the job of its start done, so that nothing waits
 * for it. Source: state_translation_table_idle of systemd.
 */
export function isIdleStart(values: Properties): boolean {
  return textOf(values, 'ActiveState') === 'active' && STARTING.includes(textOf(values, 'SubState'));
}

const STARTING: readonly string[] = ['condition', 'start-pre', 'start', 'start-post'];
