import { systemClock } from '../../core/clock.ts';
import { hasJob, numberOf, textOf } from './properties.ts';
import type { SeenEnd } from './service-manager.ts';
import type { UnitChange } from './unit/change.ts';

/**
 * How a unit ended last, from the changes that systemd tells of it. It knows more than the unit itself: at rest that is unloaded, and
 * has forgotten everything. Source: org.freedesktop.systemd1(5), `Job`, `ActiveExitTimestampMonotonic`.
 */
export class HeardEnd {
  #sinceMs = Number.POSITIVE_INFINITY;
  #last: SeenEnd | undefined;

  get last(): SeenEnd | undefined {
    return this.#last;
  }

  /** From now on nothing is missed. */
  begin(): void {
    this.#sinceMs = systemClock.monotonicMs();
  }

  /** From now on nothing is heard. */
  forget(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
    this.#last = undefined;
  }

  hear(change: UnitChange): void {
    if (change.interface !== 'org.freedesktop.systemd1.Unit') return;
    const { values } = change;
    const state = textOf(values, 'ActiveState');
    const leftActiveMs = numberOf(values, 'ActiveExitTimestampMonotonic') / 1000;
    // Before its first end; or unloaded, and asked for again.
    if (leftActiveMs === 0) return;
    const isNew = leftActiveMs !== this.#last?.leftActiveMs;
    const sawAll = leftActiveMs >= this.#sinceMs;
    // A job that comes once it is down is that of its next start.
    if (hasJob(values) && (state === 'deactivating' || (isNew && sawAll))) this.#last = { leftActiveMs, hadJob: true };
    else if (isNew) this.#last = { leftActiveMs, hadJob: sawAll ? false : undefined };
  }
}
