import { printable } from '../../core/printable.ts';
import { CONDITION_PROPERTIES, unmetCondition } from './condition-words.ts';
import type { DbusValue } from './dbus/values.ts';
import type { Pid1Link, UnitChange } from './link.ts';
import { type Properties, type PropertyNames, readProperties } from './properties.ts';
import { unitPath } from './unit-name.ts';

/** What systemd asks before it starts a unit. */
export type Test = 'Conditions' | 'Asserts' | 'ExecCondition';

/**
 * Hears, while a start is under way, whether systemd skips it: its job is done then like that of any other. A unit that nothing refers to
 * is forgotten in the same moment, with how its conditions were tested, so that it cannot be asked for afterwards.
 */
export class SkippedStart {
  readonly #told = new Map<string, DbusValue>();
  #hasBegun = false;
  readonly #stop: () => void;

  constructor(link: Pid1Link, unit: string) {
    this.#stop = link.onUnit(unitPath(unit), (change) => this.#hear(change));
  }

  /** `unknown`: nothing was told, as by systemd 239 before a job's end. */
  get verdict(): Test | 'started' | 'unknown' {
    const state = this.#told.get('ActiveState');
    if (state === undefined) return 'unknown';
    if (state !== 'inactive') return 'started';
    // It says that the conditions were not met then too; and the result may be that of an earlier start.
    const isExecCondition = this.#told.get('Result') === 'exec-condition';
    if (isExecCondition && this.#hasBegun) return 'ExecCondition';
    if (this.#told.get('ConditionResult') === false) return 'Conditions';
    return isExecCondition ? 'ExecCondition' : 'started';
  }

  stop(): void {
    this.#stop();
  }

  #hear({ values }: UnitChange): void {
    for (const [name, value] of values) if (HEARD.includes(name)) this.#told.set(name, value);
    if (values.get('ActiveState') === 'activating') this.#hasBegun = true;
  }
}

const HEARD: readonly string[] = ['ActiveState', 'ConditionResult', 'Result'];

/**
 * Why systemd skipped a start, or would not begin it: `ConditionPathExists=/run/ok is not met`. Of a unit that has been forgotten
 * meanwhile, and has several conditions, that one of them is not. Never rejects.
 */
export async function skipWords(link: Pid1Link, unit: string, of: Test, timeoutMs: number): Promise<string> {
  if (of === 'ExecCondition') return 'its ExecCondition= said no';
  const shown = await readProperties(link, unit, SKIP_PROPERTIES, { timeoutMs });
  const end = of === 'Conditions' ? 'is not met' : 'does not hold';
  const vague = of === 'Conditions' ? 'a condition of it is not met' : 'an assertion of it does not hold';
  if (shown.kind === 'failed') return vague;
  const all = namesIn(shown.values, of);
  const [first] = all;
  const known = unmetCondition(shown.values);
  if (known !== undefined || first === undefined) return known ?? vague;
  return all.length === 1 ? `${first} ${end}` : `one of ${all.slice(0, MOST_TOLD).join(', ')} ${end}`;
}

const SKIP_PROPERTIES = { Unit: CONDITION_PROPERTIES.Unit, Service: [] } as const satisfies PropertyNames;
const MOST_TOLD = 5;

/** `a(sbbsi)`: name, whether one of those marked so is enough, whether it is turned round, its value, how its last test went. */
function namesIn(values: Properties, list: 'Conditions' | 'Asserts'): string[] {
  const tests = values.get(list);
  if (!Array.isArray(tests)) return [];
  return tests.flatMap((test) => {
    const [name, isTrigger, isNegated, value] = Array.isArray(test) ? test : [];
    if (typeof name !== 'string' || typeof value !== 'string') return [];
    return [printable(`${name}=${isTrigger === true ? '|' : ''}${isNegated === true ? '!' : ''}${value}`.slice(0, LONGEST))];
  });
}

const LONGEST = 200;
