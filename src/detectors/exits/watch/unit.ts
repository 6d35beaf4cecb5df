import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import type { UnitTransit } from '../../../system/systemd/unit/transit.ts';
import type { WatchParts } from './parts.ts';
import { TransitWatch } from './unit-transit.ts';

/** What a WatchedUnit uses of the rest. */
interface WatchedUnitParts extends Pick<WatchParts, 'services' | 'clock'> {
  /** Called at each change of the unit, and when nothing is under way with it any more. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

/** The unit of a monitored process: what systemd tells of it, and what it is asked about it. Nothing here rejects. */
export class WatchedUnit {
  readonly #parts: WatchedUnitParts;
  readonly #transit: TransitWatch;
  #heard: { readonly unit: string; readonly stop: () => void } | undefined;
  /** Ends the pause between two looks at a death. */
  #hurry = new AbortController();

  constructor(parts: WatchedUnitParts) {
    this.#parts = parts;
    this.#transit = new TransitWatch({ ...parts, onSettled: parts.onChange });
  }

  /** What systemd is about with it; undefined: it is up or at rest, or there is none. */
  get transit(): UnitTransit | undefined {
    return this.#transit.current;
  }

  /** Has systemd tell of changes of that unit: then nothing waits for the next look, neither a new life nor a verdict. */
  hearOf(unit: string | undefined): void {
    if (unit === this.#heard?.unit) return;
    this.#heard?.stop();
    this.#heard = unit === undefined ? undefined : { unit, stop: this.#parts.services.watch(unit, () => this.#hear()) };
  }

  /** Takes up how it stood at a look; undefined: no unit is monitored. */
  note(status: UnitStatus | undefined): Promise<void> {
    return this.#transit.note(status);
  }

  /** How that unit stands; undefined without systemd. */
  async show(unit: string): Promise<UnitStatus | 'unknown' | undefined> {
    const { services, signal } = this.#parts;
    if (!services.available) return undefined;
    const shown = await services.show(unit, signal);
    if (shown.kind !== 'status') return 'unknown';
    await this.note(shown.status);
    return shown.status;
  }

  /** True if it is known that it left `active` after `fromMs`, in milliseconds of CLOCK_MONOTONIC, without anybody's order. */
  wentByItself(fromMs: number): boolean {
    const end = this.#heard && this.#parts.services.signalledEnd(this.#heard.unit);
    return end !== undefined && end.leftActiveMs >= fromMs && end.hadJob === false;
  }

  /** Waits so long, less if something about it changes. */
  async pause(ms: number): Promise<void> {
    await this.#parts.clock.sleep(ms, AbortSignal.any([this.#hurry.signal, this.#parts.signal]));
    // Not before: what changed while we were looking may not have been seen yet.
    this.#hurry = new AbortController();
  }

  #hear(): void {
    this.#hurry.abort();
    this.#transit.hear();
    this.#parts.onChange();
  }
}
