import {
  type Alarm,
  isSameNotes,
  type KeptAlarm,
  keptKey,
  type SeenNotes,
  type StoredAlarm,
  storedKey,
} from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import type { HandledAlarm, HandledAlarms, KeptAlarmRecord, UnprovedAlarm, UnprovedAlarms } from '../../state/daemon-state.ts';
import type { RecoveryJob } from '../recovery-job.ts';

/** What an earlier recovery has done about an alarm that is still active. */
export interface EarlierRecovery {
  /** True if it healed the process and could not clear the alarm. */
  readonly handled: boolean;
  /** Set if it restarted the process without proof that the process is well. */
  readonly unproved: UnprovedAlarm | undefined;
}

/** What the memory needs. */
interface AlarmMemoryParts {
  readonly handled: HandledAlarms;
  readonly unproved: UnprovedAlarms;
  readonly clock: Clock;
}

/**
 * What earlier recoveries, also those of earlier lives of the daemon, have done about active alarms: alarms that were healed
 * and not cleared, and alarms whose restart is not proved to have helped. Neither is restarted again because of that.
 */
export class AlarmMemory {
  readonly #parts: AlarmMemoryParts;

  constructor(parts: AlarmMemoryParts) {
    this.#parts = parts;
  }

  /** What is remembered of this alarm. */
  of(alarm: Alarm): EarlierRecovery {
    return { handled: isHandled(this.#handled(alarm), alarm), unproved: this.unproved(alarm) };
  }

  /** True if an alarm of this row was healed and not cleared, even if its notes have changed. */
  hasHandled(alarm: Alarm): boolean {
    return this.#handled(alarm) !== undefined;
  }

  /** True if any alarm was healed and not cleared. */
  get hasAnyHandled(): boolean {
    return this.#parts.handled.list().length > 0;
  }

  /** Remembers that a row's alarm was healed. Returns false if it was remembered already. */
  rememberHandled(processName: string, row: Pick<StoredAlarm, 'processId' | keyof SeenNotes>): boolean {
    const { processId, notes, notesDigest } = row;
    if (isHandled(this.#parts.handled.get(processId), { ...row, processName })) return false;
    this.#parts.handled.set({ processId, processName, notes, notesDigest, handledAt: this.#parts.clock.date() });
    return true;
  }

  /** Remembers the rows that an ended kept alarm may have been written to. If it is there, it is healed already. */
  rememberDoubtfulRows({ processName, notes, doubtfulRows }: KeptAlarmRecord): void {
    const handledAt = this.#parts.clock.date();
    for (const processId of doubtfulRows) {
      const known = this.#parts.handled.get(processId);
      // If it did not arrive, the row still has what was healed before.
      if (known?.processName === processName) this.#parts.handled.set({ ...known, orNotes: notes });
      else this.#parts.handled.set({ processId, processName, notes, notesDigest: null, handledAt });
    }
  }

  /** Forgets the healed alarm of a row. */
  forgetHandled(processId: string): void {
    this.#parts.handled.delete(processId);
  }

  /** Set if the alarm's process is not proved to be well, even if the alarm's notes have changed. */
  unproved({ key, processName }: Pick<Alarm, 'key' | 'processName'>): UnprovedAlarm | undefined {
    const known = this.#parts.unproved.get(key);
    return known?.processName === processName ? known : undefined;
  }

  /** Remembers the alarms of a recovery that ended as not proved. */
  rememberUnproved({ members, target }: RecoveryJob, attempts: number, reason: string): void {
    const since = this.#parts.clock.date();
    members.forEach(({ alarm, process: { processName } }, i) => {
      if (alarm === undefined) return;
      // A later proof counts for the target once: for its first alarm.
      this.#parts.unproved.set({ key: alarm.key, processName, reason, target: i === 0 ? target : null, attempts, since });
    });
  }

  /** Notes why there is still no proof. */
  renewUnproved(known: UnprovedAlarm, reason: string): void {
    this.#parts.unproved.set({ ...known, reason });
  }

  forgetUnproved(key: string): void {
    this.#parts.unproved.delete(key);
  }

  /** Forgets the healed alarms of that name: another alarm of it has been raised since. */
  forgetHandledName(processName: string): void {
    for (const handled of this.#parts.handled.list())
      if (handled.processName === processName) this.#parts.handled.delete(handled.processId);
  }

  /** Forgets what is not proved of that name: the process has ended since. */
  forgetUnprovedName(processName: string): void {
    for (const { key, processName: name } of this.#parts.unproved.list())
      if (name === processName) this.#parts.unproved.delete(key);
  }

  /** Forgets alarms of `source` that are over. `stands`: true if the alarm with that key may still be active. */
  forgetEnded(source: Alarm['source'], stands: (key: string) => boolean): void {
    const { handled, unproved } = this.#parts;
    if (source === 'store')
      for (const { processId } of handled.list()) if (!stands(storedKey(processId))) handled.delete(processId);
    for (const { key, processName } of unproved.list()) {
      const isOfSource = (key === keptKey(processName)) === (source === 'kept');
      if (isOfSource && !stands(key)) unproved.delete(key);
    }
  }

  #handled(alarm: StoredAlarm | KeptAlarm): HandledAlarm | undefined {
    return alarm.source === 'store' ? this.#parts.handled.get(alarm.processId) : undefined;
  }
}

/** True if `handled` was written for this alarm. */
function isHandled(handled: HandledAlarm | undefined, alarm: Pick<Alarm, 'processName' | 'notes' | 'notesDigest'>): boolean {
  if (handled?.processName !== alarm.processName) return false;
  return isSameNotes(handled, alarm) || (handled.orNotes !== undefined && handled.orNotes === alarm.notes);
}
