// Detects a start that systemd skipped.

import { soon, systemClock } from '../../core/clock.ts';
import { CONDITION_PROPERTIES, EXEC_CONDITION_REFUSED, testsIn, unmetCondition } from './condition-words.ts';
import type { Limit } from './dbus/connection.ts';
import type { DbusValue } from './dbus/values.ts';
import type { Pid1Link } from './link.ts';
import { activeStateOf, isIdleStart, type Properties, type PropertyNames, readProperties, textOf } from './properties.ts';
import type { UnitChange } from './unit/change.ts';
import { unitPath } from './unit/name.ts';

/** What systemd tests before it starts a unit. */
type Test = 'Conditions' | 'Asserts' | 'ExecCondition';

/**
 * Detects, while a start is under way, whether systemd skips it: the job is then done like any other. systemd unloads a unit
 * that nothing refers to in the same moment, with the results of its conditions, so nobody can ask for them afterwards.
 */
export class SkippedStart {
  /** Changes that were not read yet, the oldest first. */
  readonly #unread: UnitChange[] = [];
  /** The last change of the unit's own state. */
  #last: UnitChange | undefined;
  readonly #values = new Map<string, DbusValue>();
  #hasBegun = false;
  #wake = (): void => {};
  readonly #stop: () => void;

  constructor(link: Pid1Link, unit: string) {
    this.#stop = link.onUnit(unitPath(unit), (change) => this.#onChange(change));
  }

  /** `unknown`: nothing was signalled, as by systemd 239 before a job's end. */
  get verdict(): Test | 'started' | 'unknown' {
    // If the unit was started, this change says so, and the others need not be read.
    const last = this.#last?.values.get('ActiveState');
    if (last !== undefined && last !== 'inactive') return 'started';
    this.#read();
    const state = this.#values.get('ActiveState');
    if (state === undefined) return 'unknown';
    if (state !== 'inactive') return 'started';
    // systemd then also says that the conditions were not met, and the result may be from an earlier start.
    const isExecCondition = this.#values.get('Result') === 'exec-condition';
    if (isExecCondition && this.#hasBegun) return 'ExecCondition';
    if (this.#values.get('ConditionResult') === false) return 'Conditions';
    return isExecCondition ? 'ExecCondition' : 'started';
  }

  /**
   * Waits, when the job is done, for the start of a service of Type=idle (isIdleStart); for other services there is nothing to
   * wait for. `down`: the start failed.
   */
  async waitForIdleStart(link: Pid1Link, unit: string, limit: Limit): Promise<'up' | 'down' | 'late' | 'lost'> {
    const { timeoutMs, signal } = limit;
    const endMs = performance.now() + timeoutMs;
    const stopLost = link.onLost(() => this.#wake());
    let isIdle = false;
    try {
      // If it was already starting before, nothing is signalled at this start.
      const asked = this.#last === undefined ? await readProperties(link, unit, STATE_PROPERTIES, limit) : undefined;
      const values = (): Properties => this.#last?.values ?? (asked?.kind === 'known' ? asked.values : new Map());
      while (isIdleStart(values())) {
        isIdle = true;
        if (!link.isOpen) return 'lost';
        const changed = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        if ((await soon(systemClock, endMs - performance.now(), changed, signal)) === 'late') return 'late';
      }
    } finally {
      stopLost();
    }
    return isIdle && this.#last !== undefined && textOf(this.#last.values, 'ActiveState') !== 'active' ? 'down' : 'up';
  }

  stop(): void {
    this.#stop();
  }

  #onChange(change: UnitChange): void {
    this.#unread.push(change);
    if (change.interface === UNIT) this.#last = change;
    this.#wake();
    // A unit may signal its status as often as it likes.
    if (this.#unread.length > MOST_UNREAD) this.#read();
  }

  #read(): void {
    for (const { values } of this.#unread.splice(0)) {
      for (const [name, value] of values) if (KEPT.includes(name)) this.#values.set(name, value);
      if (activeStateOf(values) === 'activating') this.#hasBegun = true;
    }
  }
}

const UNIT = 'org.freedesktop.systemd1.Unit';
const MOST_UNREAD = 32;
const STATE_PROPERTIES = { Unit: ['ActiveState', 'SubState'], Service: [] } as const satisfies PropertyNames;
const KEPT: readonly string[] = ['ActiveState', 'ConditionResult', 'Result'];

/**
 * Says why systemd skipped a start, or did not begin it: `ConditionPathExists=/run/ok is not met`. For a unit that was unloaded
 * meanwhile and has several conditions, says that one of them is not met. Never rejects.
 */
export async function skipReason(link: Pid1Link, unit: string, of: Test, timeoutMs: number): Promise<string> {
  if (of === 'ExecCondition') return EXEC_CONDITION_REFUSED;
  const shown = await readProperties(link, unit, SKIP_PROPERTIES, { timeoutMs });
  const end = of === 'Conditions' ? 'is not met' : 'does not hold';
  const vague = of === 'Conditions' ? 'one of its conditions is not met' : 'one of its assertions does not hold';
  if (shown.kind === 'failed') return vague;
  const all = testsIn(shown.values, of).map(({ text }) => text);
  const [first] = all;
  const known = unmetCondition(shown.values);
  if (known !== undefined || first === undefined) return known ?? vague;
  return all.length === 1 ? `${first} ${end}` : `one of ${all.slice(0, MOST_LISTED).join(', ')} ${end}`;
}

const SKIP_PROPERTIES = { Unit: CONDITION_PROPERTIES.Unit, Service: [] } as const satisfies PropertyNames;
const MOST_LISTED = 5;
