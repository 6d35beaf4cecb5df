import type { StoredAlarm } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage, StoreError, type StoreFault } from '../core/errors.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import { formatDuration } from '../core/text/duration.ts';
import type { CurrentConfig } from './current-config.ts';

/** What the daemon knows of its alarm source. "It did not answer" is never "there are no alarms". */
export type StoreAvailability =
  | { readonly state: 'starting' }
  | ({ readonly state: 'ok'; readonly since: Date; readonly lastPollAt: Date } & PolledAlarms)
  | {
      readonly state: 'unknown';
      /** When it answered last; if it never did, the first poll that it did not answer. */
      readonly since: Date;
      readonly reason: string;
      /** Undefined: what failed was none of the store's. */
      readonly fault: StoreFault | undefined;
      /** Undefined: it has not answered yet. */
      readonly lastPollAt: Date | undefined;
      /** As it was read then; [] if it never was. */
      readonly alarms: readonly StoredAlarm[];
    };

/** What a poll brings. */
export interface PolledAlarms {
  readonly alarms: readonly StoredAlarm[];
  /** How many more are in alarm than are taken at once. */
  readonly leftOut: number;
  /** AlarmsRead.doubtful. */
  readonly doubtful: readonly string[];
  /** AlarmsRead.remarks. */
  readonly remarks: readonly string[];
}

/** What the watch needs. */
export interface StoreWatchParts {
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/**
 * What is known of the store by its polls, and what is told of it: when it goes, why, when another reason shows, when it is back. What
 * else finds that it does not answer leaves only doubt: a poll alone proves it, and is told of.
 */
export class StoreWatch {
  readonly #parts: StoreWatchParts;
  #availability: StoreAvailability = { state: 'starting' };
  /** Monotonic time of the last poll that was answered, or else of the first that was not. */
  #knownUntilMs = 0;
  /** Where the last answer came from. */
  #description = '';
  /** The reasons that were told since the last answer. */
  readonly #told = new Set<string>();
  /** The remarks of the last answer. */
  #reported: ReadonlySet<string> = new Set();
  #faults = 0;
  #doubts = 0;

  constructor(parts: StoreWatchParts) {
    this.#parts = parts;
  }

  get availability(): StoreAvailability {
    return this.#availability;
  }

  /** Polls in a row that failed. */
  get faults(): number {
    return this.#faults;
  }

  /** Doubts in a row, with nothing but a poll that was answered between two of them. */
  get doubts(): number {
    return this.#doubts;
  }

  /** A poll was answered, in so many milliseconds. */
  answered(polled: PolledAlarms, durationMs: number): void {
    const { clock, log, events, config } = this.#parts;
    const { description } = config.current().store;
    const before = this.#availability;
    const now = clock.date();
    const wasLost = this.#told.size > 0;
    if (wasLost) {
      const awayMs = Math.round(clock.monotonicMs() - this.#knownUntilMs);
      log.info(`Alarm store is back after ${formatDuration(awayMs)}: ${description}`, { duration_ms: awayMs });
      events.emit({ type: 'store_restored', awayMs });
    }
    if (!wasLost && this.#description !== '' && this.#description !== description)
      log.warning(`Alarm store: ${description} is asked now, not ${this.#description} any more`);
    this.#description = description;
    this.#availability = { state: 'ok', since: before.state === 'ok' ? before.since : now, lastPollAt: now, ...polled };
    this.#knownUntilMs = clock.monotonicMs();
    this.#faults = 0;
    if (before.state === 'ok') this.#doubts = 0;
    this.#told.clear();
    this.#reportRemarks(polled.remarks);
    const { alarms, leftOut } = polled;
    log.debug(`Poll completed: ${alarms.length} in alarm${leftOut > 0 ? `, ${leftOut} more left out` : ''}`, {
      alarms: alarms.length,
      duration_ms: durationMs,
    });
    events.emit({ type: 'poll_completed', alarms: alarms.length, durationMs });
  }

  /** A poll failed. */
  failed(error: unknown): void {
    const { clock, log, events } = this.#parts;
    this.#faults++;
    if (this.#availability.state === 'starting') this.#knownUntilMs = clock.monotonicMs();
    const reason = this.#lose(error);
    if (this.#told.has(reason)) {
      log.debug(`Alarm store is still away: ${reason}`);
      return;
    }
    const wasLost = this.#told.size > 0;
    this.#told.add(reason);
    const what = isRefusal(error) ? 'cannot be used' : 'does not answer';
    if (wasLost) {
      log.error(`Alarm store still ${what}: ${reason}`, { err: reason });
      return;
    }
    log.error(`Alarm store ${what}: ${reason}; alarms are unknown until it is back`, { err: reason });
    events.emit({ type: 'store_lost', reason });
  }

  /** Something else than a poll was not answered. False if nothing was known anyway, and polls follow. */
  doubt(error: unknown): boolean {
    const { log, events } = this.#parts;
    if (this.#availability.state !== 'ok') return false;
    this.#doubts++;
    log.debug(`Alarm store is asked who is in alarm: another call was not answered: ${this.#lose(error)}`);
    events.emit({ type: 'store_doubted' });
    return true;
  }

  /** Each once as long as it is true. */
  #reportRemarks(remarks: readonly string[]): void {
    for (const remark of remarks) if (!this.#reported.has(remark)) this.#parts.log.warning(`Alarm store: ${remark}`);
    this.#reported = new Set(remarks);
  }

  /** From now on nothing is known; returns why. */
  #lose(error: unknown): string {
    const before = this.#availability;
    const reason = errorMessage(error);
    const fault = error instanceof StoreError ? error.fault : undefined;
    const last = before.state === 'starting' ? { lastPollAt: undefined, alarms: [] } : before;
    const since = before.state === 'unknown' ? before.since : (last.lastPollAt ?? this.#parts.clock.date());
    this.#availability = { state: 'unknown', since, reason, fault, lastPollAt: last.lastPollAt, alarms: last.alarms };
    return reason;
  }
}

/** True where it does answer, and a person has to mend something. */
function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && ['denied', 'schema', 'config'].includes(error.fault);
}
