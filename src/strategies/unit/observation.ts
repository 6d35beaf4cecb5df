import { isUp } from '../../system/systemd/unit/state.ts';
import type { StrategyParts } from '../strategy.ts';
import type { UnitLookup } from './lookup.ts';
import { judgeUnitName } from './name-policy.ts';
import { lookIntoUnit, type UnitProcessParts } from './processes.ts';

/**
 * Notes now and then, while all is well, whether units that stay active without processes have some: in an alarm they may have
 * ended.
 */
export class UnitObservation {
  readonly #parts: UnitProcessParts & Pick<StrategyParts, 'clock'>;
  /** By name: until when no look is needed, in milliseconds of CLOCK_MONOTONIC. */
  readonly #restsUntilMs = new Map<string, number>();

  constructor(parts: UnitProcessParts & Pick<StrategyParts, 'clock'>) {
    this.#parts = parts;
  }

  /**
   * One look at the unit that `name` means; most units need none for minutes. See RestartStrategy.observeUnit. Never rejects.
   */
  async look(
    name: string,
    lookUp: (signal: AbortSignal) => Promise<UnitLookup>,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs < (this.#restsUntilMs.get(name) ?? 0)) return undefined;
    if (!(await this.#mayRemain(name, signal))) {
      this.#restsUntilMs.set(name, nowMs + REST_MS);
      return undefined;
    }
    const found = await lookUp(signal);
    if (found.kind === 'unanswered') return undefined;
    const status = found.kind === 'found' ? found.status : undefined;
    const settlesInMs = status?.remainsAfterExit && isUp(status) ? status.changedMs + SETTLED_MS - nowMs : 0;
    if (settlesInMs > 0) return settlesInMs;
    const look = status?.remainsAfterExit ? await lookIntoUnit(this.#parts, status, signal) : undefined;
    const mayShowSome = look !== undefined && (look.kind !== 'seen' || look.processes.length === 0);
    if (!mayShowSome) this.#restsUntilMs.set(name, nowMs + REST_MS);
    return undefined;
  }

  /**
   * False for a unit that certainly does not stay active without processes: for most, and any other answer about a unit costs
   * more.
   */
  async #mayRemain(name: string, signal: AbortSignal): Promise<boolean> {
    const judged = judgeUnitName(name, true);
    if (judged.kind !== 'unit') return false;
    const asked = await this.#parts.services.remainsAfterExit(judged.unit, signal);
    return asked.kind === 'failed' || asked.remains;
  }
}

/** What the start of a unit left behind, and what ends soon, is not what the unit exists for. */
const SETTLED_MS = 10_000;
const REST_MS = 600_000;
