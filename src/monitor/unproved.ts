import type { Alarm } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { UnprovedAlarm, UnprovedAlarms } from '../state/daemon-state.ts';
import type { Member, RecoveryJob } from './recovery-job.ts';

/**
 * Alarms whose process was restarted, and of which it cannot be told whether that helped: for want of a proof they are not restarted
 * again, but looked at again, also by the next life of the daemon. Who knows for certain that the process is down has them forgotten.
 */
export class Unproved {
  readonly #records: UnprovedAlarms;
  readonly #clock: Clock;

  constructor(records: UnprovedAlarms, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  /** What is remembered of the alarm; whatever its notes have become. */
  of({ key, processName }: Pick<Alarm, 'key' | 'processName'>): UnprovedAlarm | undefined {
    const known = this.#records.get(key);
    return known?.processName === processName ? known : undefined;
  }

  /** Remembers the alarms of a recovery that ended so. */
  remember(job: RecoveryJob, attempts: number, reason: string): void {
    const since = this.#clock.date();
    job.members.forEach(({ alarm, process: { processName } }: Member, i) => {
      if (alarm === undefined) return;
      // The first one's proof will be the target's: that is counted once.
      this.#records.set({ key: alarm.key, processName, reason, target: i === 0 ? job.target : null, attempts, since });
    });
  }

  /** It still cannot be told, for this reason. */
  renew(known: UnprovedAlarm, reason: string): void {
    this.#records.set({ ...known, reason });
  }

  forget(key: string): void {
    this.#records.delete(key);
  }

  forgetAll(members: readonly Member[]): void {
    for (const { alarm } of members) if (alarm !== undefined) this.forget(alarm.key);
  }

  /** The process of that name is known to have ended since. */
  forgetName(processName: string): void {
    for (const { key, processName: name } of this.#records.list()) if (name === processName) this.#records.delete(key);
  }

  /** Forgets the alarms that do not stand any more. `alarms`: all that do. */
  forgetEnded(alarms: readonly Alarm[]): void {
    const standing = new Set(alarms.map(({ key }) => key));
    for (const { key } of this.#records.list()) if (!standing.has(key)) this.#records.delete(key);
  }
}
