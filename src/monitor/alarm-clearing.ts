import { type Alarm, isSameNotes, type KeptAlarm, type ProcessRow, stands } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import type { DaemonState, HandledAlarm } from '../state/daemon-state.ts';
import type { AlarmStore } from '../stores/store.ts';
import type { KeptAlarms } from './kept-alarms.ts';
import { type Member, processFields } from './recovery-job.ts';

/** What the clearing of alarms needs. */
export interface AlarmClearingParts {
  readonly store: () => AlarmStore;
  readonly state: DaemonState;
  readonly kept: KeptAlarms;
  /** `clear_alarm`, read at each decision. */
  readonly mayClear: () => boolean;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/**
 * Ends the alarms of what has been healed. An alarm that cannot be cleared is remembered as handled, durably: it is not healed
 * a second time, and its clearing is tried again where that makes sense.
 */
export class AlarmClearing {
  readonly #parts: AlarmClearingParts;
  /** Set once the server said that UPDATE is not for us: told once, tried again only on a new alarm. */
  #denied = false;
  #pending = false;
  /** Rows cleared before the last poll began, and those cleared since: of the latter its answer may know nothing. */
  #clearedBefore = new Set<string>();
  #clearedSince = new Set<string>();

  constructor(parts: AlarmClearingParts) {
    this.#parts = parts;
  }

  /** True while a clearing waits for a store that does not take it: the loop comes back sooner. */
  get pending(): boolean {
    return this.#pending;
  }

  /** True where handled alarms are remembered until their row leaves alarm, because clearing is not ours to do. */
  get leftToOthers(): boolean {
    return this.#denied || !this.#parts.mayClear();
  }

  /** To be called before the store is asked. */
  pollStarting(): void {
    for (const key of this.#clearedSince) this.#clearedBefore.add(key);
    this.#clearedSince = new Set();
  }

  /** True where the last poll may still show an alarm that has been cleared. */
  isCleared(key: string): boolean {
    return this.#clearedSince.has(key);
  }

  /** True where the alarm that a poll brings cannot be the one that was there before: that one was cleared. */
  isRaisedAnew(key: string): boolean {
    return this.#clearedBefore.has(key) && !this.#clearedSince.has(key);
  }

  /** Clears the alarm of a healed process, or remembers that it is healed. Never rejects. */
  async clear(member: Member): Promise<void> {
    const { process, alarm } = member;
    if (alarm === undefined || !stands(alarm)) return;
    const fields = processFields(process);
    if (alarm.source === 'kept') {
      this.#endKept(member, alarm);
      return;
    }
    if (!this.#parts.mayClear()) {
      this.#remember(member, alarm);
      this.#parts.log.info(
        `DB UPDATE LOG: Alarm of ${process.processName} stays in the database (clear_alarm = false)`,
        fields,
      );
      return;
    }
    try {
      const outcome = await this.#parts.store().clearAlarm(alarm, this.#parts.clock.date());
      this.#denied = false;
      this.#parts.state.handled.delete(alarm.processId);
      if (outcome === 'cleared') {
        this.#clearedSince.add(alarm.key);
        this.#tellCleared(member);
      } else
        this.#parts.log.info(
          outcome === 'changed'
            ? `DB UPDATE LOG: Row of ${process.processName} was changed by somebody else meanwhile; left as it is`
            : `DB UPDATE LOG: Alarm of ${process.processName} is left as it is: several rows have its process_id`,
          fields,
        );
    } catch (error) {
      this.#tellFailed(member, error, this.#remember(member, alarm));
    }
  }

  /**
   * Forgets what is handled and no longer in alarm, once a poll's answer was looked at. `rows`: those in alarm; `all`: there are no
   * more of them.
   */
  forgetEnded(rows: readonly ProcessRow[], all: boolean): void {
    this.#clearedBefore.clear();
    const inAlarm = new Set(rows.map((row) => row.processId));
    this.#pending = false;
    for (const { processId } of this.#parts.state.handled.list()) {
      if (!inAlarm.has(processId) && all) this.#parts.state.handled.delete(processId);
      else if (!this.leftToOthers) this.#pending = true;
    }
  }

  /** What we keep ourselves is ours to end, whatever `clear_alarm` says. */
  #endKept(member: Member, alarm: KeptAlarm): void {
    const { kept, state, clock } = this.#parts;
    const ended = kept.end(alarm);
    if (ended === undefined) return;
    const { processName, notes } = ended;
    // Were it in the store after all, it would be healed a second time.
    for (const processId of ended.doubtfulRows)
      state.handled.set({ processId, processName, notes, notesDigest: null, handledAt: clock.date() });
    this.#tellCleared(member);
  }

  /** False where it was remembered already. */
  #remember({ process: { processName } }: Member, row: ProcessRow): boolean {
    const { processId, notes, notesDigest } = row;
    if (isHandled(this.#parts.state.handled.get(processId), row)) return false;
    this.#parts.state.handled.set({ processId, processName, notes, notesDigest, handledAt: this.#parts.clock.date() });
    return true;
  }

  #tellCleared({ process, alarm, foundAtMs }: Member): void {
    const sinceFoundMs = Math.round(this.#parts.clock.monotonicMs() - foundAtMs);
    this.#parts.log.info(
      alarm?.source === 'kept'
        ? `Kept alarm ended for ${process.processName} in ${sinceFoundMs} ms`
        : `DB UPDATE LOG: Alarm cleared for ${process.processName} (ID: ${process.processId}) in ${sinceFoundMs} ms`,
      { ...processFields(process), duration_ms: sinceFoundMs },
    );
    this.#parts.events.emit({ type: 'alarm_cleared', process, sinceFoundMs });
  }

  #tellFailed({ process }: Member, error: unknown, first: boolean): void {
    const fields = { ...processFields(process), err: errorMessage(error) };
    if (error instanceof StoreError && error.fault === 'denied') {
      if (!this.#denied) {
        this.#parts.log.error(
          `DB UPDATE LOG: Not allowed to clear alarms: ${error.message}; healed alarms are remembered until somebody clears them (grant UPDATE (alarma, notes), or set clear_alarm = false)`,
          fields,
        );
      }
      this.#denied = true;
      return;
    }
    this.#pending = true;
    this.#parts.log[first ? 'warning' : 'debug'](
      `DB UPDATE LOG: Alarm of ${process.processName} could not be cleared: ${errorMessage(error)}; it will be tried again`,
      fields,
    );
  }
}

/** True where `handled` is the memory of the very alarm that `alarm` is. */
export function isHandled(
  handled: HandledAlarm | undefined,
  alarm: Pick<Alarm, 'processName' | 'notes' | 'notesDigest'>,
): boolean {
  return handled !== undefined && handled.processName === alarm.processName && isSameNotes(handled, alarm);
}
