import { printable } from '../../core/printable.ts';
import type { DbusValue } from './dbus/values.ts';
import { numberOf, type Properties } from './properties.ts';

/** The properties of a unit that `unmetConditions` goes by. */
export const CONDITION_PROPERTIES = [
  'ConditionResult',
  'ConditionTimestampMonotonic',
  'Conditions',
  'AssertResult',
  'AssertTimestampMonotonic',
  'Asserts',
] as const;

/**
 * Which conditions or assertions of a unit were not met when it was to be started last, each in words that are printable and of a
 * bounded length, as it stands in the unit's file: `ConditionPathExists=/etc/x was not met`, `none of ConditionACPower=|true,
 * ConditionVirtualization=|no was met`. [] if all were met, and if it was never to be started. Source: org.freedesktop.systemd1(5),
 * systemd.unit(5) ("Conditions and Asserts").
 */
export function unmetConditions(values: Properties): string[] {
  const conditions = unmetOf(values, 'Condition', 'a condition was not met');
  // Assertions are looked at after that: what is told of them then is of an earlier start.
  return conditions.length > 0 ? conditions : unmetOf(values, 'Assert', 'an assertion was not met');
}

function unmetOf(values: Properties, kind: 'Condition' | 'Assert', unnamed: string): string[] {
  // Before the first look at them the result is "no" too.
  if (values.get(`${kind}Result`) !== false || numberOf(values, `${kind}TimestampMonotonic`) === 0) return [];
  const list = values.get(`${kind}s`);
  const conditions = (Array.isArray(list) ? list : []).flatMap((item: DbusValue) => conditionOf(item) ?? []);
  const needed = conditions.filter(({ isTrigger, isUnmet }) => !isTrigger && isUnmet);
  if (needed.length > 0) return needed.slice(0, MOST_TOLD).map(({ text }) => `${text} was not met`);
  const triggers = conditions.filter(({ isTrigger }) => isTrigger);
  if (triggers.length === 0 || !triggers.every(({ isUnmet }) => isUnmet)) return [unnamed];
  const told = triggers.slice(0, MOST_TOLD).map(({ text }) => text);
  if (triggers.length > told.length) told.push('…');
  return [triggers.length === 1 ? `${told[0]} was not met` : `none of ${told.join(', ')} was met`];
}

const MOST_TOLD = 5;

/** One of `a(sbbsi)`: its name, whether one of its kind is enough (`|`), whether it is turned round (`!`), its argument, what came of it. */
function conditionOf(item: DbusValue) {
  if (!Array.isArray(item)) return undefined;
  const [name, isTrigger, isNegated, argument, state] = item;
  if (typeof name !== 'string' || typeof argument !== 'string' || typeof state !== 'number') return undefined;
  const marks = `${isTrigger === true ? '|' : ''}${isNegated === true ? '!' : ''}`;
  const text = printable(`${name}=${marks}${argument}`);
  const short = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return { text: short, isTrigger: isTrigger === true, isUnmet: state < 0 };
}

const MOST_CHARACTERS = 200;
