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

/** A row, and its notes as they were read. */
type SeenRow = Pick<StoredAlarm, 'processId' | keyof SeenNotes>;

/** What the answer to a poll says of alarms, by their keys; `poll`: its number. */
interface PolledAlarms {
  readonly isShown: (key: string) => boolean;
  readonly mayStand: (key: string) => boolean;
  readonly poll: number;
}

/**
 * `notedAtMs`: as in its entry; `healedAtMs`: when its process was last proved well; `healedInPoll`: the number of the poll that had begun
 * last then.
 */
interface HandledTimes {
  readonly notedAtMs: number;
  readonly healedAtMs: number;
  readonly healedInPoll: number;
}

/**
 * What earlier recoveries, also those of earlier lives of the daemon, have done about active alarms: alarms that were healed
 * and not cleared, and alarms whose restart is not proved to have helped. Neither is restarted again because of that.
 */
export class AlarmMemory {
  readonly #parts: AlarmMemoryParts;
  /** Of the healed alarm of each row, if this life of the daemon has healed it: monotonic times, in milliseconds. */
  readonly #times = new Map<string, HandledTimes>();

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

  /**
   * Remembers that a row's alarm was healed; `notedAtMs`: as in its entry; `poll`: the number of the poll that began last. Returns false if
   * it was remembered already, or if a later alarm of the row is.
   */
  rememberHandled(processName: string, row: SeenRow, notedAtMs: number, poll: number): boolean {
    const { handled, clock } = this.#parts;
    const { processId, notes, notesDigest } = row;
    if (this.#hasLater(row, notedAtMs)) return false;
    this.#times.set(processId, { notedAtMs, healedAtMs: clock.monotonicMs(), healedInPoll: poll });
    if (isHandled(handled.get(processId), { ...row, processName })) return false;
    handled.set({ processId, processName, notes, notesDigest, handledAt: clock.date() });
    return true;
  }

  /** Remembers the rows that an ended kept alarm may have been written to. If it is there, it is healed already. */
  rememberDoubtfulRows({ processName, notes, doubtfulRows }: KeptAlarmRecord): void {
    const handledAt = this.#parts.clock.date();
    for (const processId of doubtfulRows) {
      const known = this.#parts.handled.get(processId);
      // If it did not arrive, the row still has what was healed before.
      if (known?.processName === processName) this.#parts.handled.set({ ...known, orNotes: notes });
      else {
        this.#times.delete(processId);
        this.#parts.handled.set({ processId, processName, notes, notesDigest: null, handledAt });
      }
    }
  }

  /** Forgets the healed alarm of a row, which is over, unless a later one of the row is remembered. */
  forgetHandled(row: SeenRow, notedAtMs: number): void {
    if (!this.#hasLater(row, notedAtMs)) this.#forget(row.processId);
  }

  /** Forgets that the alarm of a row was healed: a check that began at `checkedAtMs` found its process ill. Not if it was healed since. */
  forgetIll(processId: string, checkedAtMs: number): void {
    if ((this.#times.get(processId)?.healedAtMs ?? checkedAtMs) <= checkedAtMs) this.#forget(processId);
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
    for (const handled of this.#parts.handled.list()) if (handled.processName === processName) this.#forget(handled.processId);
  }

  /** Forgets what is not proved of that name: the process has ended since. */
  forgetUnprovedName(processName: string): void {
    for (const { key, processName: name } of this.#parts.unproved.list())
      if (name === processName) this.#parts.unproved.delete(key);
  }

  /**
   * Forgets alarms of `source` that are over, by the answer to a poll: those that it does not show (`isShown`) and that were healed
   * before it began, and what is not proved of those that it does not show and that are not being handled (`mayStand`).
   */
  forgetEnded(source: Alarm['source'], { isShown, mayStand, poll }: PolledAlarms): void {
    const { handled, unproved } = this.#parts;
    if (source === 'store')
      for (const { processId } of handled.list()) {
        const { healedInPoll = 0 } = this.#times.get(processId) ?? {};
        if (!isShown(storedKey(processId)) && healedInPoll < poll) this.#forget(processId);
      }
    for (const { key, processName } of unproved.list()) {
      const isOfSource = (key === keptKey(processName)) === (source === 'kept');
      if (isOfSource && !mayStand(key)) unproved.delete(key);
    }
  }

  /** True if an alarm of the row was healed that has other notes, which were first seen later. */
  #hasLater(row: SeenRow, notedAtMs: number): boolean {
    const handled = this.#parts.handled.get(row.processId);
    if (handled === undefined || isSameNotes(handled, row)) return false;
    return (this.#times.get(row.processId)?.notedAtMs ?? notedAtMs) > notedAtMs;
  }

  #forget(processId: string): void {
    this.#parts.handled.delete(processId);
    this.#times.delete(processId);
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
