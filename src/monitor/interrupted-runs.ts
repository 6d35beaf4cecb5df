import { type Alarm, isSameNotes } from '../core/alarm.ts';
import type { Logger } from '../core/logger.ts';
import type { Journal, JournalAlarm, JournalEntry } from '../state/daemon-state.ts';
import type { CommandRunner } from '../system/runs/runner.ts';
import type { CurrentConfig } from './current-config.ts';
import type { RecoveryJob } from './recovery-job.ts';

/** What the interrupted runs need. */
export interface InterruptedRunsParts {
  readonly journal: Journal;
  readonly commands: CommandRunner;
  readonly config: CurrentConfig;
  readonly log: Logger;
  readonly abort: AbortSignal;
}

/**
 * The runs that an earlier life of the daemon left under way. Before anything is done to a target, the end of its interrupted run is
 * waited for, so that there are never two at once.
 */
export class InterruptedRuns {
  readonly #parts: InterruptedRunsParts;
  readonly #left = new Map<string, JournalEntry>();
  /** Targets. */
  readonly #told = new Set<string>();
  readonly #settling = new Map<string, Promise<void>>();

  constructor(parts: InterruptedRunsParts) {
    this.#parts = parts;
  }

  /** Takes up the journal. */
  load(): void {
    for (const entry of this.#parts.journal.list()) this.#left.set(entry.target, entry);
  }

  /** Tells of all that was left, for a daemon, which settles it; a command settles no more than it restarts, and tells of that then. */
  tell(): void {
    for (const entry of this.#left.values()) this.#tell(entry);
  }

  /** Waits until nothing of the job's target is going on any more; the entry that was left of it, once, or undefined. */
  async settle(job: RecoveryJob): Promise<JournalEntry | undefined> {
    const entry = this.#find(job);
    if (entry === undefined) return undefined;
    this.#tell(entry);
    await this.#wait(entry);
    this.#left.delete(entry.target);
    if (entry.target !== job.target) {
      // From now on it is struck off with the job's own end.
      this.#parts.journal.begin({ ...entry, target: job.target });
      this.#parts.journal.end(entry.target);
    }
    return entry;
  }

  /** Settles what belongs to no alarm any more in the background and strikes it off. `alarms`: all that stand. */
  sweep(alarms: readonly Alarm[]): void {
    if (this.#left.size === 0) return;
    const inAlarm = new Set(alarms.map(({ key }) => key));
    const names = new Set(alarms.map(({ processName }) => processName));
    const stands = ({ source, key, processName }: JournalAlarm): boolean =>
      inAlarm.has(key) || (source === 'kept' && names.has(processName));
    for (const entry of this.#left.values()) {
      if (this.#settling.has(entry.target) || entry.alarms.some(stands)) continue;
      void this.#wait(entry).then(() => {
        if (this.#left.delete(entry.target)) this.#parts.journal.end(entry.target);
      });
    }
  }

  #tell(entry: JournalEntry): void {
    const { attempt, target, alarms } = entry;
    if (this.#told.has(target)) return;
    this.#told.add(target);
    const names = alarms.map(({ processName }) => processName).join(', ');
    this.#parts.log.warning(
      `RESTART LOG: Attempt ${attempt} for ${names || target} was under way when the daemon ended; it is settled first`,
      { target },
    );
  }

  #find(job: RecoveryJob): JournalEntry | undefined {
    const byTarget = this.#left.get(job.target);
    if (byTarget !== undefined || this.#left.size === 0) return byTarget;
    // The configuration may have changed what the row resolves to.
    const keys = new Set(job.members.map(({ alarm }) => alarm?.key));
    return [...this.#left.values()].find(({ alarms }) => alarms.some(({ key }) => keys.has(key)));
  }

  #wait(entry: JournalEntry): Promise<void> {
    let waiting = this.#settling.get(entry.target);
    if (waiting === undefined) {
      const name = entry.alarms[0]?.processName ?? entry.target;
      const { commandTimeoutMs } = this.#parts.config.current().plans(name).settings;
      waiting = this.#parts.commands.waitForRun(entry.runId, commandTimeoutMs, this.#parts.abort).then(() => undefined);
      this.#settling.set(entry.target, waiting);
    }
    return waiting;
  }
}

/** True where the entry was made for an alarm that still stands unchanged in the job. */
export function isSameAlarm(entry: JournalEntry, job: RecoveryJob): boolean {
  return job.members.some(
    ({ alarm }) => alarm !== undefined && entry.alarms.some((left) => isSamePlace(left, alarm) && isSameNotes(left, alarm)),
  );
}

/** An alarm that we kept ourselves may have a row by now. */
function isSamePlace(left: JournalAlarm, { key, processName }: Alarm): boolean {
  return left.key === key || (left.source === 'kept' && left.processName === processName);
}
