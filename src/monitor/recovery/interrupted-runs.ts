// Commands that were under way when the daemon ended.
import { type Alarm, isSameNotes } from '../../core/alarm.ts';
import type { Logger } from '../../core/logger.ts';
import type { Journal, JournalAlarm, JournalEntry } from '../../state/daemon-state.ts';
import type { CommandRunner } from '../../system/runs/runner.ts';
import type { CurrentConfig } from '../current-config.ts';
import type { RecoveryJob } from '../recovery-job.ts';

/** What the interrupted runs need. */
interface InterruptedRunsParts {
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
  /** Targets whose run was reported. */
  readonly #reported = new Set<string>();
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(parts: InterruptedRunsParts) {
    this.#parts = parts;
  }

  /** Loads the journal. */
  load(): void {
    for (const entry of this.#parts.journal.list()) this.#left.set(entry.target, entry);
  }

  /** Reports all of them, for a daemon. A command reports only what it waits for itself. */
  report(): void {
    for (const entry of this.#left.values()) this.#report(entry);
  }

  /** Waits until the interrupted run of the job's target has ended. Returns its entry, once; undefined if there is none. */
  async settle(job: RecoveryJob): Promise<JournalEntry | undefined> {
    const entry = this.#find(job);
    if (entry === undefined) return undefined;
    this.#report(entry);
    await this.#wait(entry);
    this.#left.delete(entry.target);
    this.#waiting.delete(entry.target);
    if (entry.target !== job.target) {
      // From now on the end of the job removes it.
      this.#parts.journal.begin({ ...entry, target: job.target });
      this.#parts.journal.end(entry.target);
    }
    return entry;
  }

  /** Takes back an entry that `settle` returned for the job: what its run has achieved is not known yet. */
  keep(entry: JournalEntry, { target }: RecoveryJob): void {
    this.#left.set(target, { ...entry, target });
  }

  /** Waits in the background for runs whose alarms are over, and removes their entries. `alarms`: all that are active. */
  sweep(alarms: readonly Alarm[]): void {
    if (this.#left.size === 0) return;
    const inAlarm = new Set(alarms.map(({ key }) => key));
    const names = new Set(alarms.map(({ processName }) => processName));
    const stands = ({ source, key, processName }: JournalAlarm): boolean =>
      inAlarm.has(key) || (source === 'kept' && names.has(processName));
    for (const entry of this.#left.values()) {
      if (this.#waiting.has(entry.target) || entry.alarms.some(stands)) continue;
      void this.#wait(entry).then(() => {
        if (this.#left.delete(entry.target)) this.#parts.journal.end(entry.target);
      });
    }
  }

  #report(entry: JournalEntry): void {
    const { attempt, target, alarms } = entry;
    if (this.#reported.has(target)) return;
    this.#reported.add(target);
    const names = alarms.map(({ processName }) => processName).join(', ');
    this.#parts.log.warning(
      `RESTART LOG: Attempt ${attempt} for ${names || target} was under way when the daemon ended; its end is awaited first`,
      { target },
    );
  }

  #find(job: RecoveryJob): JournalEntry | undefined {
    const byTarget = this.#left.get(job.target);
    if (byTarget !== undefined || this.#left.size === 0) return byTarget;
    // The configuration may have changed what the row means.
    const keys = new Set(job.members.map(({ alarm }) => alarm?.key));
    return [...this.#left.values()].find(({ alarms }) => alarms.some(({ key }) => keys.has(key)));
  }

  #wait(entry: JournalEntry): Promise<void> {
    let waiting = this.#waiting.get(entry.target);
    if (waiting === undefined) {
      const name = entry.alarms[0]?.processName ?? entry.target;
      const { commandTimeoutMs } = this.#parts.config.current().plans(name).settings;
      waiting = this.#parts.commands.waitForRun(entry.runId, commandTimeoutMs, this.#parts.abort).then(() => undefined);
      this.#waiting.set(entry.target, waiting);
    }
    return waiting;
  }
}

/** True if the entry was made for an alarm that is still unchanged in the job. */
export function isSameAlarm(entry: JournalEntry, job: RecoveryJob): boolean {
  return job.members.some(
    ({ alarm }) => alarm !== undefined && entry.alarms.some((left) => isSamePlace(left, alarm) && isSameNotes(left, alarm)),
  );
}

/** A kept alarm may have a row by now. */
function isSamePlace(left: JournalAlarm, { key, processName }: Alarm): boolean {
  return left.key === key || (left.source === 'kept' && left.processName === processName);
}
