// Reads properties of units.

import { callFailure } from './call-failure.ts';
import type { CallResult, Limit } from './dbus/connection.ts';
import { type DbusValue, Variant } from './dbus/values.ts';
import type { Pid1Link } from './link.ts';
import { unitPath } from './unit/name.ts';

/** The properties to read, by the interface that has them. Source: org.freedesktop.systemd1(5). */
export interface PropertyNames {
  readonly Unit: readonly string[];
  readonly Service: readonly string[];
}

/** Properties by name. A property that this version of systemd or this type of unit does not have is absent. */
export type Properties = ReadonlyMap<string, DbusValue>;

/** The result of reading. `lost`: the connection ended before all properties were read. */
type PropertiesResult =
  | { readonly kind: 'known'; readonly values: Properties }
  | { readonly kind: 'failed'; readonly reason: string; readonly lost: boolean };

/**
 * Reads properties of a unit as they were together at one moment. A unit that systemd does not know has LoadState `not-found`.
 * Each property is a call of its own, and all are sent at once: reading all properties of a unit would cost PID 1 more, and the
 * answer may be longer than we read. Never rejects.
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

/** If a unit changes faster than that, its last reading counts. */
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
  // PID 1 may process other work between two answers. If the change time is the same first and last, nothing changed in
  // between.
  const changed = ['Unit', CHANGED] as const;
  const wanted = asked.length === 1 ? asked : [changed, ...asked, changed];
  const answers = await Promise.all(wanted.map(async ([owner, name]) => ({ name, result: await get(owner, name) })));
  const values = new Map<string, DbusValue>();
  for (const { name, result } of answers) {
    const value = result.kind === 'reply' ? result.values[0] : undefined;
    if (value instanceof Variant) values.set(name, value.value);
    else if (result.kind === 'reply') return { kind: 'failed', reason: 'systemd sent an unexpected answer', lost: false };
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
 * When the unit last changed, in microseconds; systemd sets it at every change of state. It is read along with every request
 * for several properties.
 */
export const CHANGED = 'StateChangeTimestampMonotonic';
const ABSENT: readonly string[] = ['UnknownProperty', 'UnknownInterface', 'UnknownMethod'].map(
  (name) => `org.freedesktop.DBus.Error.${name}`,
);

/** Returns a text property; empty if it is not a text. */
export function textOf(values: Properties, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value : '';
}

/**
 * Returns a number property; 0 if it is not a number. A 64-bit number is rounded to a double, which is exact for microseconds
 * since boot.
 */
export function numberOf(values: Properties, name: string): number {
  const value = values.get(name);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

/** Returns a list of texts; [] if it is not a list. */
export function textsOf(values: Properties, name: string): string[] {
  const value = values.get(name);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** True if the unit has a job (Job, `(uo)`: number and path; the number is 0 if there is none). */
export function hasJob(values: Properties): boolean {
  const job = values.get('Job');
  return Array.isArray(job) && job[0] !== 0;
}

/** Returns the ActiveState, but `activating` while a service of Type=idle is starting. */
export function activeStateOf(values: Properties): string {
  return isIdleStart(values) ? 'activating' : textOf(values, 'ActiveState');
}

/**
 * True while a service of Type=idle is starting. systemd already calls it `active` and its start job done, so that nothing
 * waits for it. Source: state_translation_table_idle of systemd.
 */
export function isIdleStart(values: Properties): boolean {
  return textOf(values, 'ActiveState') === 'active' && STARTING.includes(textOf(values, 'SubState'));
}

const STARTING: readonly string[] = ['condition', 'start-pre', 'start', 'start-post'];
