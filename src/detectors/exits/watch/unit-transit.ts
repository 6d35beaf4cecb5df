// Follows what systemd is doing with a watched unit.
import type { Clock } from '../../../core/clock.ts';
import type { ServiceManager, UnitStatus } from '../../../system/systemd/service-manager.ts';
import { transitOf, type UnitTransit } from '../../../system/systemd/unit/transit.ts';

/** What a TransitWatch needs. */
interface TransitParts {
  readonly services: Pick<ServiceManager, 'show' | 'restartDue'>;
  readonly clock: Clock;
  /** Called when no job or restart is under way any more. */
  readonly onSettled: () => void;
  readonly signal: AbortSignal;
}

/** Knows what systemd is doing with a watched unit, and follows that to its end, even if the bus is silent. Never rejects. */
export class TransitWatch {
  readonly #parts: TransitParts;
  #unit: string | undefined;
  #current: UnitTransit | undefined;
  #isFollowing = false;
  #change = new AbortController();

  constructor(parts: TransitParts) {
    this.#parts = parts;
  }

  /** undefined: the unit is up or at rest, or there is no unit. */
  get current(): UnitTransit | undefined {
    return this.#current;
  }

  /** Notes the unit's state at a look; undefined: no unit is watched. */
  async note(status: UnitStatus | undefined): Promise<void> {
    const unit = status?.id;
    this.#unit = unit;
    const current = status && (await transitOf(this.#parts.services, status, this.#parts.signal));
    // Another look may have ended in the meantime.
    if (this.#unit !== unit) return;
    this.#current = current;
    if (current !== undefined) this.#follow();
  }

  /** Something about the unit has changed. */
  onChange(): void {
    this.#change.abort();
    this.#follow();
  }

  #follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    void this.#toItsEnd().finally(() => {
      this.#isFollowing = false;
    });
  }

  async #toItsEnd(): Promise<void> {
    const { services, clock, signal, onSettled } = this.#parts;
    const wasUnderWay = this.#current !== undefined;
    while (!signal.aborted) {
      // Many changes arrive at once.
      await clock.sleep(SOON_MS, signal);
      this.#change = new AbortController();
      const unit = this.#unit;
      if (unit === undefined) break;
      const shown = await services.show(unit, signal);
      const current = shown.kind === 'status' ? await transitOf(services, shown.status, signal) : this.#current;
      // In the meantime it may watch another unit, or none.
      if (this.#unit !== unit) continue;
      this.#current = current;
      if (this.#change.signal.aborted) continue;
      if (current === undefined) break;
      await clock.sleep(LOOK_MS, AbortSignal.any([this.#change.signal, signal]));
    }
    if (wasUnderWay && !signal.aborted) onSettled();
  }
}

const SOON_MS = 100;
const LOOK_MS = 2000;
