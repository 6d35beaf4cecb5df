import { printable } from '../../core/text/printable.ts';
import { numberOf, type Properties, type PropertyNames } from './properties.ts';

/** What `unmetCondition` goes by. */
export const CONDITION_PROPERTIES = {
  Unit: [
    ...['ConditionResult', 'ConditionTimestampMonotonic', 'Conditions'],
    ...['AssertResult', 'AssertTimestampMonotonic', 'Asserts'],
  ],
  Service: [],
} as const satisfies PropertyNames;

/**
 * Which condition kept the unit from its last start: `ConditionPathExists=/run/ok is not met`, of an assertion `AssertUser=app does not
 * hold`; undefined if it was not that. Source: org.freedesktop.systemd1(5), systemd.unit(5).
 */
export function unmetCondition(values: Properties): string | undefined {
  if (isUnmet(values, 'Condition')) return words(values, 'Conditions', 'is not met') ?? 'a condition of it is not met';
  if (isUnmet(values, 'Assert')) return words(values, 'Asserts', 'does not hold') ?? 'an assertion of it does not hold';
  return undefined;
}

/** What was never tested says false too; so does a unit without any, after an ExecCondition= that says no. */
function isUnmet(values: Properties, test: 'Condition' | 'Assert'): boolean {
  const tests = values.get(`${test}s`);
  if (Array.isArray(tests) && tests.length === 0) return false;
  return values.get(`${test}Result`) === false && numberOf(values, `${test}TimestampMonotonic`) > 0;
}

function words(values: Properties, list: 'Conditions' | 'Asserts', end: string): string | undefined {
  const tests = testsIn(values, list);
  // systemd looks no further than to the first one that has to hold and does not; of the others all have failed then.
  const needed = tests.filter(({ isTrigger, isUnmet }) => isUnmet && !isTrigger);
  const unmet = needed.length > 0 ? needed : tests.filter(({ isUnmet }) => isUnmet);
  return unmet.length === 0 ? undefined : `${listed(unmet)} ${end}`;
}

/**
 * What a unit that was not started since systemd loaded it (it forgets one that is down and that nothing refers to) is started for only:
 * `it is started only if ConditionPathExists=/run/ok`; undefined if it has no such conditions and assertions, or they were tested.
 */
export function untestedConditions(values: Properties): string | undefined {
  const untested = (['Condition', 'Assert'] as const).flatMap((test) =>
    numberOf(values, `${test}TimestampMonotonic`) > 0 ? [] : testsIn(values, `${test}s`),
  );
  return untested.length === 0 ? undefined : `it is started only if ${listed(untested)}`;
}

function listed(tests: readonly Test[]): string {
  const more = tests.length > MOST_TOLD ? ` and ${tests.length - MOST_TOLD} more` : '';
  return `${tests
    .slice(0, MOST_TOLD)
    .map(({ text }) => text)
    .join(', ')}${more}`;
}

interface Test {
  /** `ConditionPathExists=!/run/ok`. */
  readonly text: string;
  /** One of those marked so is enough. */
  readonly isTrigger: boolean;
  readonly isUnmet: boolean;
}

/**
 * The conditions or assertions of a unit, `a(sbbsi)`: name, whether one of those marked so is enough, whether it is turned round,
 * its value, how its last test went.
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
const MOST_TOLD = 3;
