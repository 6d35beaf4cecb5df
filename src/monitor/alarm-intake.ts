import type { ProcessRow } from '../core/alarm.ts';
import type { MonitorSettings } from '../core/config.ts';
import { isKeptRow, shownProcessId } from '../core/kept-row.ts';
import { isHandled } from './alarm-clearing.ts';
import { managedProcess } from './recovery-plan.ts';
import type { FoundAlarm, RecoveryQueue, RecoveryQueueParts } from './recovery-queue.ts';

/** What the intake needs. */
export interface AlarmIntakeParts extends RecoveryQueueParts {
  readonly queue: RecoveryQueue;
  /** Read at each poll, so that a reload takes effect. */
  readonly settings: () => MonitorSettings;
}

/** Looks at the rows of a poll: which of them are for us to heal, which are new, what is said of them and how often. */
export class AlarmIntake {
  readonly #parts: AlarmIntakeParts;
  readonly #firstSeen = new Map<number, number>();
  /** Rows that are not for us, and that we have said so of. */
  readonly #toldOnce = new Set<number>();

  constructor(parts: AlarmIntakeParts) {
    this.#parts = parts;
  }

  /** The alarms that are to be handled. `rows`: all rows in alarm of those that are `spokenFor`; all unless said. */
  judge(rows: readonly ProcessRow[], spokenFor: (processId: number) => boolean = () => true): FoundAlarm[] {
    this.#forgetEnded(rows, spokenFor);
    return rows.flatMap((row) => this.#judgeRow(row));
  }

  /** The row's alarm, where it comes again, is another one. */
  forget(processId: number): void {
    this.#firstSeen.delete(processId);
    this.#toldOnce.delete(processId);
  }

  #judgeRow(row: ProcessRow): FoundAlarm[] {
    const { processId, processName } = row;
    const { clearing, state } = this.#parts;
    if (processName === null || processName.trim() === '') {
      this.#tellOnce(row, 'warning', `Found process in alarm without a name (ID: ${processId}): it cannot be restarted`);
      return [];
    }
    if (this.#parts.settings().onlyConfigured && !this.#parts.plans()(processName).configured) {
      this.#tellOnce(
        row,
        'info',
        `Found process in alarm: ${processName} (${whereOf(processId)}); left alone: it has no section of its own (only_configured)`,
      );
      return [];
    }
    const handled = state.handled.get(processId);
    if (handled !== undefined && clearing.leftToOthers) return [];
    if (clearing.isRaisedAnew(processId)) this.#firstSeen.delete(processId);
    const foundAtMs = this.#firstSeen.get(processId) ?? this.#tellFound(row, processName);
    return [{ row, processName, foundAtMs, handled: isHandled(handled, row) }];
  }

  #tellFound(row: ProcessRow, processName: string): number {
    const { log, events, clock, plans } = this.#parts;
    const foundAtMs = clock.monotonicMs();
    this.#firstSeen.set(row.processId, foundAtMs);
    const notes = row.notes === null || row.notes === '' ? '' : ` - ${row.notes}`;
    log.info(`Found process in alarm: ${processName} (${whereOf(row.processId)})${notes}`, {
      process_name: processName,
      process_id: shownProcessId(row.processId),
    });
    events.emit({ type: 'alarm_found', process: managedProcess(row, processName, plans()(processName)), notes: row.notes });
    return foundAtMs;
  }

  #tellOnce({ processId, processName }: ProcessRow, level: 'info' | 'warning', message: string): void {
    if (this.#toldOnce.has(processId)) return;
    this.#toldOnce.add(processId);
    this.#parts.log[level](message, { process_name: processName, process_id: shownProcessId(processId) });
  }

  #forgetEnded(rows: readonly ProcessRow[], spokenFor: (processId: number) => boolean): void {
    const inAlarm = new Set(rows.map(({ processId }) => processId));
    for (const processId of [...this.#firstSeen.keys(), ...this.#toldOnce])
      if (spokenFor(processId) && !inAlarm.has(processId)) this.forget(processId);
  }
}

function whereOf(processId: number): string {
  return isKeptRow(processId) ? 'kept by ourselves' : `ID: ${processId}`;
}
