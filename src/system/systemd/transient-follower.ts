// Follows the life of one transient service.

import { systemClock } from '../../core/clock.ts';
import type { Limit } from './dbus/connection.ts';
import type { DbusValue } from './dbus/values.ts';
import type { Pid1Link } from './link.ts';
import { hasJob, numberOf, type Properties, readProperties, textOf } from './properties.ts';
import { unitPath } from './unit/name.ts';

/** The state of a transient service so far. */
export interface TransientState {
  /** Empty while it is not known. */
  readonly activeState: string;
  /** `success`, `exit-code`, `signal`, `timeout` … */
  readonly result: string;
  /** 0 before it has a main process, and after its end. */
  readonly mainPid: number;
  /** How its main process ended: one of the CLD_ constants (waitid(2)); 0 if it has not ended. */
  readonly code: number;
  /** Its exit code or signal. */
  readonly status: number;
  /** 128 bits in hexadecimal; empty if it is not known. */
  readonly invocation: string;
}

/** Follows one transient service through the signals of a link. */
export class TransientFollower {
  readonly #link: Pid1Link;
  readonly #unit: string;
  readonly #values = new Map<string, DbusValue>();
  readonly #stops: (() => void)[];
  #wake = (): void => {};
  /** The number of changes that were received so far. */
  #changes = 0;

  /** From now on no change is missed; `ask` reads what was before. */
  constructor(link: Pid1Link, unit: string) {
    this.#link = link;
    this.#unit = unit;
    this.#stops = [
      link.onUnit(unitPath(unit), ({ interface: owner, values }) => {
        this.#changes++;
        for (const [name, value] of values) this.#values.set(name, value);
        // Each change comes in two halves, of which this is the last: between them the known values do not belong together.
        if (owner === UNIT) this.#wake();
      }),
      link.onLost(() => this.#wake()),
    ];
  }

  get state(): TransientState {
    return stateOf(this.#values);
  }

  /** False when the link has ended: no more changes are received. */
  get isConnected(): boolean {
    return this.#link.isOpen;
  }

  /** Resolves at the next change, at the end of the link, or when `limit` is over. Never rejects. */
  async next({ timeoutMs, signal }: Limit): Promise<void> {
    const changed = new AbortController();
    this.#wake = () => changed.abort('changed');
    if (!this.#link.isOpen) return;
    await systemClock.sleep(timeoutMs, signal === undefined ? changed.signal : AbortSignal.any([signal, changed.signal]));
  }

  /**
   * Reads the state: after a link was lost, or if a change may have been missed. `gone`: systemd no longer has such a unit, or
   * has only the file of a unit that it forgot while it re-executed itself.
   */
  async ask(limit: Limit): Promise<'known' | 'gone' | 'unknown'> {
    const changes = this.#changes;
    const shown = await readProperties(this.#link, this.#unit, STATE_PROPERTIES, limit);
    // Signals that were received meanwhile may be newer than the answers: both can come in one read.
    if (this.#changes !== changes && isOver(this.state)) return 'known';
    if (shown.kind === 'failed') return 'unknown';
    const { activeState, code } = stateOf(shown.values);
    const isAtRest = activeState === 'inactive' && code === 0 && !hasJob(shown.values);
    if (isAtRest || textOf(shown.values, 'LoadState') === 'not-found') return 'gone';
    if (this.#changes !== changes) return this.ask(limit);
    for (const [name, value] of shown.values) this.#values.set(name, value);
    return 'known';
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}

const UNIT = 'org.freedesktop.systemd1.Unit';
const STATE_PROPERTIES = {
  Unit: ['LoadState', 'ActiveState', 'Job', 'InvocationID'],
  Service: ['Result', 'MainPID', 'ExecMainCode', 'ExecMainStatus'],
} as const;

function stateOf(values: Properties): TransientState {
  const invocation = values.get('InvocationID');
  return {
    activeState: textOf(values, 'ActiveState'),
    result: textOf(values, 'Result'),
    mainPid: numberOf(values, 'MainPID'),
    code: numberOf(values, 'ExecMainCode'),
    status: numberOf(values, 'ExecMainStatus'),
    invocation: Buffer.isBuffer(invocation) ? invocation.toString('hex') : '',
  };
}

/**
 * True if the service is over and its ExecStopPost= has run. The first signal of a unit says `inactive` before it has begun.
 */
export function isOver({ activeState, code }: TransientState): boolean {
  return activeState === 'failed' || (activeState === 'inactive' && code !== 0);
}
