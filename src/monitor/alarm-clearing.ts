import { isInAlarm, type ProcessRow } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import { errorMessage, StoreError } from '../core/errors.ts';
import type { EventBus } from '../core/events.ts';
import type { Logger } from '../core/logger.ts';
import type { DaemonState } from '../state/daemon-state.ts';
import type { AlarmStore } from '../stores/store.ts';
import { type Member, processFields } from './recovery-job.ts';

/** What the clearing of alarms needs. */
export interface AlarmClearingParts {
  readonly store: () => AlarmStore;
  readonly state: DaemonState;
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

  /** Clears the alarm of a healed process, or remembers that it is healed. Never rejects. */
  async clear(member: Member): Promise<void> {
    const { process, row } = member;
    if (row === undefined || !isInAlarm(row)) return;
    const fields = processFields(process);
    if (!this.#parts.mayClear()) {
      this.#remember(member, row);
      this.#parts.log.info(
        `DB UPDATE LOG: Alarm of ${process.processName} is left for others to clear (clear_alarm = false)`,
        fields,
      );
      return;
    }
    try {
      const outcome = await this.#parts.store().clearAlarm(row, this.#parts.clock.date());
      this.#denied = false;
      this.#parts.state.handled.delete(process.processId);
      if (outcome === 'cleared') this.#tellCleared(member);
      else
        this.#parts.log.info(
          `DB UPDATE LOG: Row of ${process.processName} was changed by somebody else meanwhile; left as it is`,
          fields,
        );
    } catch (error) {
      this.#remember(member, row);
      this.#tellFailed(member, error);
    }
  }

  /** Forgets what is handled and no longer in alarm. `rows`: all rows in alarm. */
  forgetEnded(rows: readonly ProcessRow[]): void {
    const inAlarm = new Set(rows.map((row) => row.processId));
    this.#pending = false;
    for (const { processId } of this.#parts.state.handled.list()) {
      if (!inAlarm.has(processId)) this.#parts.state.handled.delete(processId);
      else if (!this.leftToOthers) this.#pending = true;
    }
  }

  #remember({ process }: Member, row: ProcessRow): void {
    const { processId, processName } = process;
    if (this.#parts.state.handled.get(processId)?.notes === row.notes) return;
    this.#parts.state.handled.set({ processId, processName, notes: row.notes, handledAt: this.#parts.clock.date() });
  }

  #tellCleared({ process, foundAtMs }: Member): void {
    const sinceFoundMs = Math.round(this.#parts.clock.monotonicMs() - foundAtMs);
    this.#parts.log.info(
      `DB UPDATE LOG: Alarm cleared for ${process.processName} (ID: ${process.processId}) in ${sinceFoundMs} ms`,
      {
        process_name: process.processName,
        process_id: process.processId,
        duration_ms: sinceFoundMs,
      },
    );
    this.#parts.events.emit({ type: 'alarm_cleared', process, sinceFoundMs });
  }

  #tellFailed({ process }: Member, error: unknown): void {
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
    this.#parts.log.warning(
      `DB UPDATE LOG: Alarm of ${process.processName} could not be cleared: ${errorMessage(error)}; it will be tried again`,
      fields,
    );
  }
}
