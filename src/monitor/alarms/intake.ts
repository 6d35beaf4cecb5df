// Decides which alarms are handled, and reports them.
import { type Alarm, hasName } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { nearName } from '../../core/text/near-name.ts';
import { quoted } from '../../core/text/printable.ts';
import { processOf } from '../../strategies/recovery-plan.ts';
import type { CurrentConfig } from '../current-config.ts';
import { processFields } from '../recovery-job.ts';
import type { AlarmEntry } from './book.ts';

/** What the intake needs. */
interface AlarmIntakeParts {
  readonly config: CurrentConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
}

/** Decides which alarms are ours to handle, and reports each alarm once: as found, or as left alone. */
export class AlarmIntake {
  readonly #parts: AlarmIntakeParts;

  constructor(parts: AlarmIntakeParts) {
    this.#parts = parts;
  }

  /** Reports the alarm if it was not reported before. Returns true if the alarm is ours; the entry has `foundAtMs` then. */
  take(entry: AlarmEntry): entry is AlarmEntry & { foundAtMs: number } {
    const { alarm } = entry;
    if (!hasName(alarm)) {
      this.#leaveAlone(entry, 'warning', `Found process in alarm without a name (${placeOf(alarm)}): it cannot be restarted`);
      return false;
    }
    const { processName } = alarm;
    if (this.#isLeftAlone(processName)) {
      this.#leaveAlone(
        entry,
        'info',
        `Found process in alarm: ${processName} (${placeOf(alarm)}); left alone: it has no section of its own (only_configured)${this.#nearSection(processName)}`,
      );
      return false;
    }
    if (entry.foundAtMs === undefined) this.#found(entry, alarm, processName);
    return true;
  }

  /** True if an alarm that no poll has shown yet would be ours. Reports nothing. */
  isOurs(alarm: Alarm): boolean {
    return hasName(alarm) && !this.#isLeftAlone(alarm.processName);
  }

  #isLeftAlone(processName: string): boolean {
    const { monitor, plans } = this.#parts.config.current();
    return monitor.onlyConfigured && !plans(processName).configured;
  }

  #found(entry: AlarmEntry, alarm: Alarm, processName: string): void {
    const { config, log, events, clock } = this.#parts;
    entry.foundAtMs = clock.monotonicMs();
    const process = processOf(alarm, processName, config.current().plans(processName));
    const notes = alarm.notes === null || alarm.notes === '' ? '' : ` - ${alarm.notes}`;
    const near = this.#nearSection(processName);
    if (near !== '') log.warning(`${quoted(processName)} has no section of its own${near}`, processFields(process));
    log.info(`Found process in alarm: ${processName} (${placeOf(alarm)})${notes}`, processFields(process));
    events.emit({ type: 'alarm_found', process, key: alarm.key, notes: alarm.notes });
  }

  /** The end of a line that names the section that may have been meant; empty if there is none. */
  #nearSection(processName: string): string {
    const section = nearName(processName, this.#parts.config.current().processNames);
    return section === undefined
      ? ''
      : `; [process.${section}] differs from its name by blanks, letter case or how accents are written`;
  }

  #leaveAlone(entry: AlarmEntry, level: 'info' | 'warning', message: string): void {
    if (entry.isReportedLeftAlone) return;
    entry.isReportedLeftAlone = true;
    const { alarm } = entry;
    const process_id = alarm.source === 'store' ? alarm.processId : null;
    this.#parts.log[level](message, { process_name: alarm.processName, process_id });
  }
}

function placeOf(alarm: Alarm): string {
  return alarm.source === 'kept' ? 'stored locally' : `ID: ${alarm.processId}`;
}
