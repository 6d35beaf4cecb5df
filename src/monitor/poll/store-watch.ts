// What is known about the alarm store.
import type { StoredAlarm } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import { errorMessage, StoreError, type StoreFault } from '../../core/errors.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { formatDuration } from '../../core/text/duration.ts';
import type { CurrentConfig } from '../current-config.ts';

/** What the daemon knows about its alarm source. "It did not answer" is never "there are no alarms". */
export type StoreAvailability =
  | { readonly state: 'starting' }
  | ({ readonly state: 'ok'; readonly since: Date; readonly lastPollAt: Date } & PolledAlarms)
  | {
      readonly state: 'unknown';
      /** When it answered last; if it never did, the first poll that it did not answer. */
      readonly since: Date;
      readonly reason: string;
      /** Undefined if the failure was not a StoreError. */
      readonly fault: StoreFault | undefined;
      /** Undefined: it has not answered yet. */
      readonly lastPollAt: Date | undefined;
      /** As read at `lastPollAt`; [] if never. */
      readonly alarms: readonly StoredAlarm[];
    };

/** The answer to a poll. */
export interface PolledAlarms {
  readonly alarms: readonly StoredAlarm[];
  /** How many more alarms there are than one poll reads. */
  readonly leftOut: number;
  /** AlarmsRead.doubtful. */
  readonly doubtful: readonly string[];
  /** AlarmsRead.remarks. */
  readonly remarks: readonly string[];
}

/** What the watch needs. */
interface StoreWatchParts {
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/**
 * What is known about the store from polls. Reports when it stops answering, each new reason, and when it is back. If a call other than a
 * poll is not answered, the store is only in doubt: the next poll proves it.
 */
export class StoreWatch {
  readonly #parts: StoreWatchParts;
  #availability: StoreAvailability = { state: 'starting' };
  /** Monotonic time of the last answered poll, or of the first poll if none was answered. */
  #knownUntilMs = 0;
  /** The store that answered last, for people. */
  #description = '';
  /** The reasons that were reported since the last answer. */
  readonly #reportedReasons = new Set<string>();
  /** The remarks of the last answer. */
  #reportedRemarks: ReadonlySet<string> = new Set();
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

  /** Doubts in a row, with no more than one answered poll between two of them. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Notes an answered poll, which took `durationMs`. */
  answered(polled: PolledAlarms, durationMs: number): void {
    const { clock, log, events, config } = this.#parts;
    const { description } = config.current().store;
    const before = this.#availability;
    const now = clock.date();
    const wasLost = this.#reportedReasons.size > 0;
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
    this.#reportedReasons.clear();
    this.#reportRemarks(polled.remarks);
    const { alarms, leftOut } = polled;
    log.debug(`Poll completed: ${alarms.length} in alarm${leftOut > 0 ? `, ${leftOut} more left out` : ''}`, {
      alarms: alarms.length,
      duration_ms: durationMs,
    });
    events.emit({ type: 'poll_completed', alarms: alarms.length, durationMs });
  }

  /** Notes a failed poll. */
  failed(error: unknown): void {
    const { clock, log, events } = this.#parts;
    this.#faults++;
    if (this.#availability.state === 'starting') this.#knownUntilMs = clock.monotonicMs();
    const reason = this.#lose(error);
    if (this.#reportedReasons.has(reason)) {
      log.debug(`Alarm store is still away: ${reason}`);
      return;
    }
    const wasLost = this.#reportedReasons.size > 0;
    this.#reportedReasons.add(reason);
    const what = isRefusal(error) ? 'cannot be used' : 'does not answer';
    if (wasLost) {
      log.error(`Alarm store still ${what}: ${reason}`, { err: reason });
      return;
    }
    log.error(`Alarm store ${what}: ${reason}; alarms are unknown until it is back`, { err: reason });
    events.emit({ type: 'store_lost', reason });
  }

  /** Notes that a call other than a poll was not answered. Returns false if the store was not known to answer anyway. */
  doubt(error: unknown): boolean {
    const { log, events } = this.#parts;
    if (this.#availability.state !== 'ok') return false;
    this.#doubts++;
    log.debug(`Alarm store is asked who is in alarm: another call was not answered: ${this.#lose(error)}`);
    events.emit({ type: 'store_doubted' });
    return true;
  }

  /** Reports each remark once as long as it is true. */
  #reportRemarks(remarks: readonly string[]): void {
    for (const remark of remarks) if (!this.#reportedRemarks.has(remark)) this.#parts.log.warning(`Alarm store: ${remark}`);
    this.#reportedRemarks = new Set(remarks);
  }

  /** Sets the state `unknown`, and returns the reason. */
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

/** True if the store does answer, and somebody has to correct something. */
function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && ['denied', 'schema', 'config'].includes(error.fault);
}
