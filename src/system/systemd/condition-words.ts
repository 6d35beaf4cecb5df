// Describes the conditions and assertions that kept a unit from starting.

import { printable } from '../../core/text/printable.ts';
import { numberOf, type Properties, type PropertyNames } from './properties.ts';

/** The properties that `unmetCondition` and `untestedConditions` read. */
export const CONDITION_PROPERTIES = {
  Unit: [
    ...['ConditionResult', 'ConditionTimestampMonotonic', 'Conditions'],
    ...['AssertResult', 'AssertTimestampMonotonic', 'Asserts'],
  ],
  Service: [],
} as const satisfies PropertyNames;

/** The reason of a start that the unit's ExecCondition= refused. */
export const EXEC_CONDITION_REFUSED = 'its ExecCondition= refused the start';

/**
 * Says which condition kept the unit from its last start: `ConditionPathExists=/run/ok is not met`, or for an assertion
 * `AssertUser=app does not hold`. Returns undefined if it was neither. Source: org.freedesktop.systemd1(5), systemd.unit(5).
 */
export function unmetCondition(values: Properties): string | undefined {
  if (isUnmet(values, 'Condition')) return words(values, 'Conditions', 'is not met') ?? 'one of its conditions is not met';
  if (isUnmet(values, 'Assert')) return words(values, 'Asserts', 'does not hold') ?? 'one of its assertions does not hold';
  return undefined;
}

/** A test that never ran also says false. So does a unit without any tests, after its ExecCondition= refused the start. */
function isUnmet(values: Properties, test: 'Condition' | 'Assert'): boolean {
  const tests = values.get(`${test}s`);
  if (Array.isArray(tests) && tests.length === 0) return false;
  return values.get(`${test}Result`) === false && numberOf(values, `${test}TimestampMonotonic`) > 0;
}

function words(values: Properties, list: 'Conditions' | 'Asserts', end: string): string | undefined {
  const tests = testsIn(values, list);
  // systemd stops at the first required test that does not hold. If all required tests hold, all the trigger tests have failed.
  const needed = tests.filter(({ isTrigger, isUnmet }) => isUnmet && !isTrigger);
  const unmet = needed.length > 0 ? needed : tests.filter(({ isUnmet }) => isUnmet);
  return unmet.length === 0 ? undefined : `${listed(unmet)} ${end}`;
}

/**
 * Says which conditions and assertions must hold for a unit to start, if it was not started since systemd loaded it: `it is
 * started only if ConditionPathExists=/run/ok`. systemd unloads a unit that is down and that nothing refers to. Returns
 * undefined if the unit has no conditions and assertions, or if they were tested.
 */
export function untestedConditions(values: Properties): string | undefined {
  const untested = (['Condition', 'Assert'] as const).flatMap((test) =>
    numberOf(values, `${test}TimestampMonotonic`) > 0 ? [] : testsIn(values, `${test}s`),
  );
  return untested.length === 0 ? undefined : `it is started only if ${listed(untested)}`;
}

function listed(tests: readonly Test[]): string {
  const more = tests.length > MOST_LISTED ? ` and ${tests.length - MOST_LISTED} more` : '';
  return `${tests
    .slice(0, MOST_LISTED)
    .map(({ text }) => text)
    .join(', ')}${more}`;
}

interface Test {
  /** `ConditionPathExists=!/run/ok`. */
  readonly text: string;
  /** True if it is enough that one of the tests marked with `|` holds. */
  readonly isTrigger: boolean;
  readonly isUnmet: boolean;
}

/**
 * Returns the conditions or assertions of a unit. Each is an `(sbbsi)`: name, whether it is a trigger (one of them is enough),
 * whether it is negated, its value, the result of its last test.
 */
export function testsIn(values: Properties, list: 'Conditions' | 'Asserts'): Test[] {
  const tested = values.get(list);
  if (!Array.isArray(tested)) return [];
  return tested.flatMap((condition) => {
    const [name, isTrigger, isNegated, value, state] = Array.isArray(condition) ? condition : [];
    if (typeof name !== 'string' || typeof value !== 'string') return [];
    const text = `${name}=${isTrigger === true ? '|' : ''}${isNegated === true ? '!' : ''}${value}`;
    return [{ text: printable(text.slice(0, LONGEST)), isTrigger: isTrigger === true, isUnmet: Number(state) < 0 }];
  });
}

const LONGEST = 200;
const MOST_LISTED = 3;
