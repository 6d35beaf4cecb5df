import { type Alarm, isSameNotes, type KeptAlarm, keptKey, type StoredAlarm, storedKey } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { HandledAlarm, HandledAlarms, KeptAlarmRecord, UnprovedAlarm, UnprovedAlarms } from '../state/daemon-state.ts';
import type { RecoveryJob } from './recovery-job.ts';

/** What an earlier recovery has left of an alarm that still stands. */
export interface EarlierRecovery {
  /** True if it healed the process, and only the clearing is missing. */
  readonly handled: boolean;
  /** Set if it restarted the process, and nobody could tell whether that helped. */
  readonly unproved: UnprovedAlarm | undefined;
}

/** What the memory needs. */
export interface AlarmMemoryParts {
  readonly handled: HandledAlarms;
  readonly unproved: UnprovedAlarms;
  readonly clock: Clock;
}

/**
 * What earlier recoveries have left of alarms, also those of earlier lives of the daemon: alarms that were healed and not cleared, and
 * alarms of which it could not be told whether the restart helped. Neither is restarted again for want of a clearing or of a proof.
 */
export class AlarmMemory {
  readonly #parts: AlarmMemoryParts;

  constructor(parts: AlarmMemoryParts) {
    this.#parts = parts;
  }

  /** What is remembered of the very alarm that `alarm` is. */
  of(alarm: Alarm): EarlierRecovery {
    return { handled: isHandled(this.#handled(alarm), alarm), unproved: this.unproved(alarm) };
  }

  /** True if an alarm of the row was healed and not cleared, whatever its notes have become. */
  hasHandled(alarm: Alarm): boolean {
    return this.#handled(alarm) !== undefined;
  }

  /** True if an alarm of some row was healed and not cleared. */
  get hasAnyHandled(): boolean {
    return this.#parts.handled.list().length > 0;
  }

  /** Remembers a healed alarm of a row; false if it was remembered already. */
  rememberHandled(processName: string, row: StoredAlarm): boolean {
    const { processId, notes, notesDigest } = row;
    if (isHandled(this.#parts.handled.get(processId), row)) return false;
    this.#parts.handled.set({ processId, processName, notes, notesDigest, handledAt: this.#parts.clock.date() });
    return true;
  }

  /** Remembers the rows that an ended alarm of our own may have reached: if it stands there after all, it is healed already. */
  rememberDoubtfulRows({ processName, notes, doubtfulRows }: KeptAlarmRecord): void {
    const handledAt = this.#parts.clock.date();
    for (const processId of doubtfulRows) {
      const known = this.#parts.handled.get(processId);
      // If it did not arrive, what stands there still is what was healed before.
      if (known?.processName === processName) this.#parts.handled.set({ ...known, orNotes: notes });
      else this.#parts.handled.set({ processId, processName, notes, notesDigest: null, handledAt });
    }
  }

  /** The alarm of the row is cleared. */
  forgetHandled(processId: string): void {
    this.#parts.handled.delete(processId);
  }

  /** Set if it is not known whether the process of the alarm is well, whatever the alarm's notes have become. */
  unproved({ key, processName }: Pick<Alarm, 'key' | 'processName'>): UnprovedAlarm | undefined {
    const known = this.#parts.unproved.get(key);
    return known?.processName === processName ? known : undefined;
  }

  /** Remembers the alarms of a recovery that ended without a proof. */
  rememberUnproved({ members, target }: RecoveryJob, attempts: number, reason: string): void {
    const since = this.#parts.clock.date();
    members.forEach(({ alarm, process: { processName } }, i) => {
      if (alarm === undefined) return;
      // The first one's proof will be the target's: it is counted once.
      this.#parts.unproved.set({ key: alarm.key, processName, reason, target: i === 0 ? target : null, attempts, since });
    });
  }

  /** There is still no proof, for this reason. */
  renewUnproved(known: UnprovedAlarm, reason: string): void {
    this.#parts.unproved.set({ ...known, reason });
  }

  forgetUnproved(key: string): void {
    this.#parts.unproved.delete(key);
  }

  /** The process of that name is known to have ended since. */
  forgetUnprovedName(processName: string): void {
    for (const { key, processName: name } of this.#parts.unproved.list())
      if (name === processName) this.#parts.unproved.delete(key);
  }

  /** Forgets what belongs to an alarm of `source` that is over. `standing`: the keys of all alarms of that source. */
  forgetEnded(source: Alarm['source'], standing: ReadonlySet<string>): void {
    const { handled, unproved } = this.#parts;
    if (source === 'store')
      for (const { processId } of handled.list()) if (!standing.has(storedKey(processId))) handled.delete(processId);
    for (const { key, processName } of unproved.list()) {
      const isOfSource = (key === keptKey(processName)) === (source === 'kept');
      if (isOfSource && !standing.has(key)) unproved.delete(key);
    }
  }

  #handled(alarm: StoredAlarm | KeptAlarm): HandledAlarm | undefined {
    return alarm.source === 'store' ? this.#parts.handled.get(alarm.processId) : undefined;
  }
}

/** True if `handled` is the memory of the very alarm that `alarm` is. */
function isHandled(handled: HandledAlarm | undefined, alarm: Pick<Alarm, 'processName' | 'notes' | 'notesDigest'>): boolean {
  if (handled?.processName !== alarm.processName) return false;
  return isSameNotes(handled, alarm) || (handled.orNotes !== undefined && handled.orNotes === alarm.notes);
}
