import { systemClock } from '../../core/clock.ts';
import { hasJob, numberOf, textOf } from './properties.ts';
import type { SeenEnd } from './service-manager.ts';
import type { UnitChange } from './unit/change.ts';

/**
 * How a unit last ended, from the change signals that systemd sends for it. This knows more than the unit itself: systemd
 * unloads a unit at rest and forgets everything about it. Source: org.freedesktop.systemd1(5), `Job`,
 * `ActiveExitTimestampMonotonic`.
 */
export class SignalledEnd {
  #sinceMs = Number.POSITIVE_INFINITY;
  #last: SeenEnd | undefined;

  get last(): SeenEnd | undefined {
    return this.#last;
  }

  /** From now on no change is missed. */
  begin(): void {
    this.#sinceMs = systemClock.monotonicMs();
  }

  /** From now on no change is received. */
  forget(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
    this.#last = undefined;
  }

  receive(change: UnitChange): void {
    if (change.interface !== 'org.freedesktop.systemd1.Unit') return;
    const { values } = change;
    const state = textOf(values, 'ActiveState');
    const leftActiveMs = numberOf(values, 'ActiveExitTimestampMonotonic') / 1000;
    // The unit has not ended yet, or it was unloaded and loaded again.
    if (leftActiveMs === 0) return;
    const isNew = leftActiveMs !== this.#last?.leftActiveMs;
    const sawAll = leftActiveMs >= this.#sinceMs;
    // A job that appears when the unit is already down belongs to its next start.
    if (hasJob(values) && (state === 'deactivating' || (isNew && sawAll))) this.#last = { leftActiveMs, hadJob: true };
    else if (isNew) this.#last = { leftActiveMs, hadJob: sawAll ? false : undefined };
  }
}
