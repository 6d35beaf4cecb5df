// The holds: operators' orders not to restart something.
import type { ManagedProcess } from '../core/alarm.ts';
import { type Clock, localTimestamp } from '../core/clock.ts';
import type { EventBus } from '../core/events.ts';
import { heldName } from '../core/hold-words.ts';
import type { Logger } from '../core/logger.ts';
import { nameWords } from '../core/text/printable.ts';
import type { HoldRecord, HoldRecords } from '../state/daemon-state.ts';
import { meaningOfName } from '../strategies/recovery-plan.ts';
import type { Meaning, RestartStrategy } from '../strategies/strategy.ts';
import type { CurrentConfig } from './current-config.ts';

/** What the holds need. */
interface HoldsParts {
  readonly records: HoldRecords;
  readonly config: CurrentConfig;
  readonly abort: AbortSignal;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** What a restart would do to what is on hold; every text is one line for people. */
export type HoldJudgement =
  | { readonly kind: 'free' }
  /** It would start something that is on hold and only wanted: that is allowed, and reported. */
  | { readonly kind: 'told'; readonly remark: string }
  | { readonly kind: 'held'; readonly reason: string };

/** Operators' orders not to restart something for a while. They are saved in state_dir and end by themselves. */
export class Holds {
  readonly #parts: HoldsParts;
  readonly #resolving = new Map<string, Promise<Meaning>>();

  constructor(parts: HoldsParts) {
    this.#parts = parts;
  }

  /** The hold that prevents a restart of `processName`; undefined if there is none. */
  of(processName: string): HoldRecord | undefined {
    const holds = this.list();
    return holds.find(({ name }) => name === processName) ?? holds.find(({ name }) => name === null);
  }

  /** Why `processName` must not be restarted, in words; undefined if neither it nor everything is on hold. */
  reason(processName: string): string | undefined {
    const hold = this.of(processName);
    return hold && inWords('on hold', hold);
  }

  /** The same, with holds on other names that mean `target`. Never rejects. */
  async reasonFor(processName: string, target: string): Promise<string | undefined> {
    const own = this.reason(processName);
    if (own !== undefined) return own;
    for (const hold of named(this.list())) {
      // Resolved each time: a reload, or systemd, may have changed what the name means since the hold was set.
      const meant = await this.#resolve(hold.name);
      if (meant.kind === 'target' && meant.key === target) return inWords(`on hold through ${nameWords(hold.name)}`, hold);
      if (meant.kind === 'unknown') return unknownHold(hold.name, meant.reason);
    }
    return undefined;
  }

  /**
   * Whether a restart of `process` by `strategy` would have systemd start, restart or stop something else that is on hold: what is held
   * and up is left alone, and what is held and down stays down, unless the hold is not strict and it is only wanted (Wants=). Nothing
   * is asked if nothing else is on hold. Never rejects.
   */
  async judgeOthers(process: ManagedProcess, strategy: RestartStrategy): Promise<HoldJudgement> {
    const holds = named(this.list()).filter(({ name }) => name !== process.processName);
    if (holds.length === 0 || strategy.alsoStarts === undefined) return { kind: 'free' };
    const starts = await strategy.alsoStarts(process, this.#parts.abort);
    if (starts.kind === 'unknown')
      return { kind: 'held', reason: `it is not known whether that would start something on hold: ${starts.reason}` };
    if (starts.units.length === 0) return { kind: 'free' };
    let told: string | undefined;
    for (const hold of holds) {
      const meant = await this.#resolve(hold.name);
      if (meant.kind === 'unknown') return { kind: 'held', reason: unknownHold(hold.name, meant.reason) };
      // A unit between its crash and systemd's own restart of it may be listed twice: as wanted, and as restarted.
      const touched = starts.units.filter(({ key }) => meant.kind === 'target' && key === meant.key);
      for (const { verb, isOnlyWanted, way } of touched) {
        const words = inWords(`that would ${verb} ${nameWords(hold.name)}, which is on hold (${way})`, hold);
        if (!isOnlyWanted || hold.strict) return { kind: 'held', reason: words };
        told ??= words;
      }
    }
    return told === undefined ? { kind: 'free' } : { kind: 'told', remark: told };
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

  /** Sets or replaces a hold; `name`, `strict`: as in HoldRecord; `forMs` undefined: until released; `by`: who ordered it. */
  set(name: string | null, forMs: number | undefined, reason: string, strict = false, by: string | null = null): HoldRecord {
    const until = forMs === undefined ? null : new Date(this.#parts.clock.date().getTime() + forMs);
    const hold: HoldRecord = { name, until, reason, ...(strict ? { strict } : {}) };
    this.#parts.records.set(hold);
    const end = until === null ? 'until it is released' : `until ${localTimestamp(until)}`;
    const words = `${byWhom(by)}, ${end}${strict ? ', strict' : ''}${reason === '' ? '' : `: ${reason}`}`;
    this.#parts.log.warning(`Hold set for ${heldName(name)}${words}`, {
      ...fieldsOf(name),
      ...(until === null ? {} : { until }),
    });
    this.#parts.events.emit({ type: 'hold_set', name, until, reason, by });
    return hold;
  }

  /** Ends the hold of `name`, or all; the names that were held. */
  release(name: string | undefined, by: string | null = null): HoldRecord['name'][] {
    const ended = this.list().filter((hold) => name === undefined || hold.name === name);
    for (const hold of ended) this.#end(hold.name, false, by);
    return ended.map((hold) => hold.name);
  }

  /** Questions at the same time share one answer: many alarms at once must not ask systemd the same many times. */
  #resolve(name: string): Promise<Meaning> {
    const underWay = this.#resolving.get(name);
    if (underWay !== undefined) return underWay;
    const { config, abort } = this.#parts;
    const asked = meaningOfName(config.current().plans, name, abort).finally(() => this.#resolving.delete(name));
    this.#resolving.set(name, asked);
    return asked;
  }

  #end(name: HoldRecord['name'], expired: boolean, by: string | null = null): void {
    this.#parts.records.delete(name);
    this.#parts.log.info(`Hold ${expired ? 'expired' : 'released'} for ${heldName(name)}${byWhom(by)}`, fieldsOf(name));
    this.#parts.events.emit({ type: 'hold_released', name, expired, by });
  }
}

/** The holds on one name, not the one on everything. */
function named(holds: readonly HoldRecord[]): (HoldRecord & { readonly name: string })[] {
  return holds.flatMap((hold) => (hold.name === null ? [] : [{ ...hold, name: hold.name }]));
}

function fieldsOf(name: HoldRecord['name']): { readonly process_name?: string } {
  return name === null ? {} : { process_name: name };
}

function byWhom(by: string | null): string {
  return by === null ? '' : ` by ${by}`;
}

/** It is not known what the name on hold means: it may be this process. */
function unknownHold(name: string, reason: string): string {
  return `it is not known whether the hold on ${nameWords(name)} applies to it too: ${reason}`;
}

function inWords(what: string, { reason }: HoldRecord): string {
  return reason === '' ? what : `${what}: ${reason}`;
}
