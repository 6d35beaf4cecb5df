import type { Clock } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import type { HoldRecord, HoldRecords } from '../state/daemon-state.ts';
import type { Resolution } from '../strategies/strategy.ts';
import { type Plans, resolveName } from './recovery-plan.ts';

/** The name that stands for every process. */
export const holdAll = '*';

/** What the holds need. */
export interface HoldsParts {
  readonly records: HoldRecords;
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  readonly abort: AbortSignal;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** An operator's word that something is not to be restarted for a while. Kept in state_dir; ends by itself. */
export class Holds {
  readonly #parts: HoldsParts;
  readonly #resolving = new Map<string, Promise<Resolution>>();

  constructor(parts: HoldsParts) {
    this.#parts = parts;
  }

  /** The hold that keeps `processName` from being restarted; undefined where there is none. */
  of(processName: string): HoldRecord | undefined {
    const holds = this.list();
    return holds.find(({ name }) => name === processName) ?? holds.find(({ name }) => name === holdAll);
  }

  /** Why `processName` must not be restarted, in words; undefined where no hold on that name or on all keeps it from that. */
  reason(processName: string): string | undefined {
    const hold = this.of(processName);
    return hold && inWords('on hold', hold);
  }

  /** The same where a hold on any other name that means `target` counts too. Never rejects. */
  async reasonFor(processName: string, target: string): Promise<string | undefined> {
    const own = this.reason(processName);
    if (own !== undefined) return own;
    for (const hold of this.list()) {
      // Anew each time: a reload, or systemd, may have given the name another meaning since the hold was set.
      const meant = await this.#resolve(hold.name);
      if (meant.kind === 'target' && meant.key === target) return inWords(`on hold through ${hold.name}`, hold);
    }
    return undefined;
  }

  /** The holds in force; those whose time is over end here, with a line. */
  list(): HoldRecord[] {
    const now = this.#parts.clock.date().getTime();
    const inForce: HoldRecord[] = [];
    for (const hold of this.#parts.records.list()) {
      if (hold.until === null || hold.until.getTime() > now) inForce.push(hold);
      else this.#end(hold.name, true);
    }
    return inForce;
  }

  /** Sets or replaces a hold; `forMs` undefined: until released. */
  set(name: string, forMs: number | undefined, reason: string): HoldRecord {
    const until = forMs === undefined ? null : new Date(this.#parts.clock.date().getTime() + forMs);
    const hold = { name, until, reason };
    this.#parts.records.set(hold);
    const words = `${until === null ? 'until released' : `until ${until.toISOString()}`}${reason === '' ? '' : `: ${reason}`}`;
    this.#parts.log.warning(`Hold set for ${name === holdAll ? 'all processes' : name} ${words}`, { process_name: name });
    this.#parts.events.emit({ type: 'hold_set', name, until, reason });
    return hold;
  }

  /** Ends the hold of `name`, or all; the names that were held. */
  release(name: string | undefined): string[] {
    const ended = this.list().filter((hold) => name === undefined || hold.name === name);
    for (const hold of ended) this.#end(hold.name, false);
    return ended.map((hold) => hold.name);
  }

  /** Those who ask at the same time share the answer: many alarms at once must not ask systemd the same many times. */
  #resolve(name: string): Promise<Resolution> {
    const underWay = this.#resolving.get(name);
    if (underWay !== undefined) return underWay;
    const { plans, abort } = this.#parts;
    const asked = resolveName(plans(), name, abort).finally(() => this.#resolving.delete(name));
    this.#resolving.set(name, asked);
    return asked;
  }

  #end(name: string, expired: boolean): void {
    this.#parts.records.delete(name);
    this.#parts.log.info(`Hold ${expired ? 'expired' : 'released'} for ${name === holdAll ? 'all processes' : name}`, {
      process_name: name,
    });
    this.#parts.events.emit({ type: 'hold_released', name, expired });
  }
}

function inWords(what: string, { reason }: HoldRecord): string {
  return reason === '' ? what : `${what}: ${reason}`;
}
