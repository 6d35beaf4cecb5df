// The unit of a watched process: its state, its changes and its last end.
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { UnitTransit } from '../../../system/systemd/unit/transit.ts';
import type { WatchParts } from './parts.ts';
import { TransitWatch } from './unit-transit.ts';

/** What a WatchedUnit needs. */
interface WatchedUnitParts extends Pick<WatchParts, 'services' | 'clock'> {
  /** Called at each change of the unit, and when nothing is under way with it any more. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** The unit of a watched process: what systemd reports about it, and what we ask about it. Nothing here rejects. */
export class WatchedUnit {
  readonly #parts: WatchedUnitParts;
  readonly #transit: TransitWatch;
  #subscribed: { readonly unit: string; readonly stop: () => void } | undefined;
  /** Aborts the pause between two looks at a death. */
  #pauseEnd = new AbortController();

  constructor(parts: WatchedUnitParts) {
    this.#parts = parts;
    this.#transit = new TransitWatch({ ...parts, onSettled: parts.onChange });
  }

  /** What systemd is doing with it; undefined: it is up or at rest, or there is no unit. */
  get transit(): UnitTransit | undefined {
    return this.#transit.current;
  }

  /** Subscribes to changes of that unit: then neither a new life nor a verdict waits for the next look. */
  subscribe(unit: string | undefined): void {
    if (unit === this.#subscribed?.unit) return;
    this.#subscribed?.stop();
    this.#subscribed =
      unit === undefined ? undefined : { unit, stop: this.#parts.services.watch(unit, () => this.#onChange()) };
  }

  /** Notes its state at a look; undefined: no unit is watched. */
  note(status: UnitStatus | undefined): Promise<void> {
    return this.#transit.note(status);
  }

  /** The state of that unit; undefined without systemd. */
  async show(unit: string): Promise<UnitStatus | 'unknown' | undefined> {
    const { services, signal } = this.#parts;
    if (!services.available) return undefined;
    const shown = await services.show(unit, signal);
    if (shown.kind !== 'status') return 'unknown';
    await this.note(shown.status);
    return shown.status;
  }

  /**
   * True if it is known that it left `active` after `fromMs` (milliseconds of CLOCK_MONOTONIC) without an order from anybody.
   */
  wentByItself(fromMs: number): boolean {
    const end = this.#subscribed && this.#parts.services.signalledEnd(this.#subscribed.unit);
    return end !== undefined && end.leftActiveMs >= fromMs && end.hadJob === false;
  }

  /** Waits for `ms`, or less if something about the unit changes. */
  async pause(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, AbortSignal.any([this.#pauseEnd.signal, this.#parts.signal]));
    // Not before: a change during our look may not have been seen yet.
    this.#pauseEnd = new AbortController();
  }

  #onChange(): void {
    this.#pauseEnd.abort();
    this.#transit.onChange();
    this.#parts.onChange();
  }
}
