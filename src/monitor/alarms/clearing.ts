// Clears the alarms of healed processes.
import { type Alarm, type KeptAlarm, type StoredAlarm, stands } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import { errorMessage, StoreError } from '../../core/errors.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import type { CurrentConfig } from '../current-config.ts';
import { type Member, processFields } from '../recovery-job.ts';
import type { AlarmBook } from './book.ts';
import type { KeptAlarms } from './kept.ts';

/** What the clearing of alarms needs. */
interface AlarmClearingParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly kept: KeptAlarms;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/**
 * Clears the alarms of healed processes. An alarm that cannot be cleared is remembered as handled, durably: it is not healed a second
 * time, and its clearing is tried again if that makes sense.
 */
export class AlarmClearing {
  readonly #parts: AlarmClearingParts;
  /** True if the server has denied the last UPDATE. That is reported once; it is tried again at each regular poll. */
  #isDenied = false;

  constructor(parts: AlarmClearingParts) {
    this.#parts = parts;
  }

  /** True while a clearing has to be tried again. The next poll then comes sooner. */
  get isPending(): boolean {
    return !this.isLeftToOthers && this.#parts.book.memory.hasAnyHandled;
  }

  /**
   * True if others clear the alarms, as far as is known. Until then handled alarms are remembered, and regular polls check the health of
   * their processes.
   */
  get isLeftToOthers(): boolean {
    return this.#isDenied || !this.#parts.config.current().monitor.clearAlarm;
  }

  /**
   * Clears the alarm of a process that was proved healthy at `provedAtMs`, monotonic milliseconds, or remembers that it is healed. One that
   * a poll has shown to be over since is not remembered: what may be in its row by now is another alarm. Never rejects.
   */
  async clear(member: Member, provedAtMs: number): Promise<void> {
    const { process, alarm } = member;
    if (alarm === undefined || !stands(alarm)) return;
    if (alarm.source === 'kept') {
      this.#endKept(member, alarm);
      return;
    }
    const { config, log } = this.#parts;
    if (config.current().monitor.clearAlarm) {
      await this.#clearRow(member, alarm, provedAtMs);
      return;
    }
    if (!this.#remember(member, alarm, provedAtMs)) return;
    log.info(
      `DB UPDATE LOG: Alarm of ${process.processName} stays in the database (clear_alarm = false)`,
      processFields(process),
    );
  }

  async #clearRow(member: Member, alarm: StoredAlarm, provedAtMs: number): Promise<void> {
    const { config, book, kept, clock, log } = this.#parts;
    const { process, notedAtMs } = member;
    const wasTried = book.memory.of(alarm).handled;
    try {
      const outcome = await config.current().store.clearAlarm(alarm, clock.date());
      this.#isDenied = false;
      book.memory.forgetHandled(alarm, notedAtMs);
      if (outcome === 'cleared') {
        book.cleared(alarm);
        this.#reportCleared(member, alarm);
        const arrived = kept.endArrived(alarm);
        if (arrived !== undefined) book.memory.rememberDoubtfulRows(arrived);
        return;
      }
      if (outcome === 'changed') book.gone(alarm);
      const why =
        outcome === 'changed'
          ? // An UPDATE that had no answer may have been carried out later.
            `Row of ${process.processName} was changed ${wasTried ? 'by the clearing that failed, or ' : ''}by somebody else meanwhile; left as it is`
          : `Alarm of ${process.processName} is left as it is: several rows have its process_id`;
      log.info(`DB UPDATE LOG: ${why}`, processFields(process));
    } catch (error) {
      this.#reportFailed(member, error, this.#remember(member, alarm, provedAtMs));
    }
  }

  /** Remembers that the alarm is healed, unless it is over. Returns false if it was remembered already, or is not remembered. */
  #remember({ process, notedAtMs, readAtMs }: Member, alarm: StoredAlarm, provedAtMs: number): boolean {
    const { book } = this.#parts;
    if (!book.isSame(alarm.key, provedAtMs, readAtMs)) return false;
    return book.memory.rememberHandled(process.processName, alarm, notedAtMs, book.lastPoll);
  }

  /** Ends a kept alarm, whatever `clear_alarm` says. */
  #endKept(member: Member, alarm: KeptAlarm): void {
    const ended = this.#parts.kept.end(alarm);
    if (ended === undefined) return;
    this.#parts.book.memory.rememberDoubtfulRows(ended);
    this.#reportCleared(member, alarm);
  }

  #reportCleared({ process, foundAtMs }: Member, { source, key }: Alarm): void {
    const sinceFoundMs = Math.round(this.#parts.clock.monotonicMs() - foundAtMs);
    this.#parts.log.info(
      source === 'kept'
        ? `Kept alarm ended for ${process.processName} in ${sinceFoundMs} ms`
        : `DB UPDATE LOG: Alarm cleared for ${process.processName} (ID: ${process.processId}) in ${sinceFoundMs} ms`,
      { ...processFields(process), duration_ms: sinceFoundMs },
    );
    this.#parts.events.emit({ type: 'alarm_cleared', process, key, sinceFoundMs });
  }

  #reportFailed({ process }: Member, error: unknown, isFirst: boolean): void {
    const fields = { ...processFields(process), err: errorMessage(error) };
    if (error instanceof StoreError && error.fault === 'denied') {
      if (!this.#isDenied) {
        this.#parts.log.error(
          `DB UPDATE LOG: Not allowed to clear alarms: ${error.message}; healed alarms are remembered, and clearing them is tried again at each poll (grant UPDATE (alarma, notes), or set clear_alarm = false)`,
          fields,
        );
      }
      this.#isDenied = true;
      return;
    }
    this.#parts.log[isFirst ? 'warning' : 'debug'](
      `DB UPDATE LOG: Alarm of ${process.processName} could not be cleared: ${errorMessage(error)}; it will be tried again`,
      fields,
    );
  }
}
