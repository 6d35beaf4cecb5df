import type { Alarm } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { AlarmMemory } from './alarm-memory.ts';
import type { RecoveryOutcome } from './recovery-job.ts';

/**
 * What the daemon does about an alarm. `idle`: nothing, until a poll shows it again; `checking`: it looks at the health of what an
 * earlier recovery restarted; `waiting`: for processes that this one depends on; `recovering`: anything else on the way to its end.
 */
export type AlarmPhase = 'idle' | 'checking' | 'waiting' | 'recovering';

/** Why an alarm was not recovered: `refused` by its section, name or unit; `held` by a hold; or something else. */
export interface Skip {
  readonly kind: 'refused' | 'held' | 'other';
  readonly reason: string;
}

/** One handling of an alarm: under way, or ended. */
export interface Handling {
  readonly processName: string;
  readonly entry: AlarmEntry;
  readonly outcome: Promise<RecoveryOutcome>;
}

/** All that the daemon knows of one alarm. */
export interface AlarmEntry {
  readonly key: string;
  /** As last read. */
  alarm: Alarm;
  seenAt: Date;
  /** Monotonic time, in milliseconds, at which the alarm was reported as ours to handle; undefined if it was not. */
  foundAtMs: number | undefined;
  /** True once it was reported that the alarm is left alone. */
  isReportedLeftAlone: boolean;
  /** True if its source shows it no longer: what comes under its key from now on is another alarm. */
  isOver: boolean;
  phase: AlarmPhase;
  /** What it waits for in the phase `waiting`; else []. */
  waitsFor: readonly Handling[];
  /** Why it was skipped last; undefined if it was not, or is being restarted after all. */
  skip: Skip | undefined;
  /** How the handling that is under way ends, or how the last one ended; undefined before the first. */
  outcome: Promise<RecoveryOutcome> | undefined;
  /** True if its last recovery failed: it is tried again by a regular poll, or once something about it has changed. */
  hasFailed: boolean;
  /** The poll that had been asked for last when its last handling ended; 0 before that. */
  settledInPoll: number;
  /** The same of its clearing by us. */
  clearedInPoll: number;
}

/**
 * The alarms: one entry each, the one place where an alarm begins, is looked up and is forgotten. Polls are numbered as they are
 * asked for. What was settled or cleared after a poll was asked for may still be in alarm in that poll's answer, and is not taken from it.
 */
export class AlarmBook {
  /** What earlier recoveries have left of alarms. */
  readonly memory: AlarmMemory;
  readonly #clock: Clock;
  readonly #entries = new Map<string, AlarmEntry>();
  #askedPoll = 0;
  #answeredPoll = 0;

  constructor(memory: AlarmMemory, clock: Clock) {
    this.memory = memory;
    this.#clock = clock;
  }

  /** To be called before the store is asked; returns the number of the poll. */
  startPoll(): number {
    return ++this.#askedPoll;
  }

  /** The number of the poll that was asked for last. */
  get lastPoll(): number {
    return this.#askedPoll;
  }

  /**
   * Takes the alarms that a source shows in the answer to a poll, and returns their entries. Alarms of other sources stay as they are.
   * `isComplete`: the source has no more of them, so that those it does not show are over.
   */
  replace(source: Alarm['source'], alarms: readonly Alarm[], poll: number, isComplete = true): AlarmEntry[] {
    if (source === 'store') this.#answeredPoll = poll;
    const shown = alarms.map((alarm) => this.#read(alarm, poll));
    if (!isComplete) return shown;
    const standing = new Set(alarms.map(({ key }) => key));
    for (const entry of this.#entries.values())
      if (entry.alarm.source === source && !standing.has(entry.key)) this.#end(entry, poll);
    // What has ended since is not in this answer yet.
    this.memory.forgetEnded(source, (key) => standing.has(key) || this.#entries.has(key));
    return shown;
  }

  /** Takes an alarm that was raised just now: another one than what stood under its key before, unless that is being handled. */
  raise(alarm: Alarm): AlarmEntry {
    const entry = this.#entries.get(alarm.key);
    if (entry === undefined) return this.#begin(alarm);
    if (entry.isOver || entry.phase === 'idle') this.#renew(entry);
    entry.alarm = alarm;
    return entry;
  }

  /** The entry of that key; undefined if nothing is known of such an alarm. */
  get(key: string): AlarmEntry | undefined {
    return this.#entries.get(key);
  }

  /** True if the entry, as read in that poll, is to be handled: it is not yet, and what has ended since cannot be what the poll shows. */
  isFresh({ alarm, phase, settledInPoll, clearedInPoll }: AlarmEntry, poll: number): boolean {
    if (phase !== 'idle') return false;
    // What we keep ourselves is never older than its end.
    return alarm.source === 'kept' || (settledInPoll < poll && clearedInPoll < poll);
  }

  /** The handling of an alarm begins; it ends with `outcome`, which never rejects. */
  begin(entry: AlarmEntry, outcome: Promise<RecoveryOutcome>): void {
    entry.phase = 'recovering';
    entry.outcome = outcome;
    void outcome.then(({ kind }) => {
      entry.phase = 'idle';
      entry.waitsFor = [];
      entry.hasFailed = kind === 'failed';
      entry.settledInPoll = this.#askedPoll;
    });
  }

  /** The row's alarm was cleared by us. */
  cleared(alarm: Alarm): void {
    const entry = this.#entries.get(alarm.key) ?? this.#begin(alarm);
    entry.clearedInPoll = this.#askedPoll;
  }

  /** True if the alarm was cleared by us after the poll was asked for that the store answered last. */
  isCleared(key: string): boolean {
    const clearedInPoll = this.#entries.get(key)?.clearedInPoll ?? 0;
    return clearedInPoll > 0 && clearedInPoll >= this.#answeredPoll;
  }

  /** The entries that are being handled. */
  underWay(): AlarmEntry[] {
    return [...this.#entries.values()].filter(({ phase }) => phase !== 'idle');
  }

  /**
   * The handlings of alarms of these names: those under way, those that ended after the last poll was asked for, and those that failed
   * and wait for their next try.
   */
  handlingsOf(processNames: readonly string[]): Handling[] {
    if (processNames.length === 0) return [];
    const isUnderWay = ({ entry: { phase } }: Handling): boolean => phase !== 'idle';
    const hasEnded = ({ entry: { phase, hasFailed, settledInPoll } }: Handling): boolean =>
      phase === 'idle' && (hasFailed || settledInPoll === this.#askedPoll);
    const named = [...this.#entries.values()].flatMap((entry): Handling[] => {
      const { alarm, outcome } = entry;
      const processName = processNames.find((name) => name === alarm.processName);
      return processName === undefined || outcome === undefined ? [] : [{ processName, entry, outcome }];
    });
    return [...named.filter(isUnderWay), ...named.filter(hasEnded)];
  }

  /** Names of those whose end the alarm waits for. */
  waitingFor(key: string): string[] {
    const awaited = this.#entries.get(key)?.waitsFor ?? [];
    const underWay = awaited.filter(({ entry, outcome }) => entry.phase !== 'idle' && entry.outcome === outcome);
    return [...new Set(underWay.map(({ processName }) => processName))];
  }

  /** What failed of that name may be tried again at once: something about it has changed, or an operator wants it. */
  retry(processName: string): void {
    for (const entry of this.#entries.values()) if (entry.alarm.processName === processName) entry.hasFailed = false;
  }

  /** The alarm as a poll read it: a new one if what stood under its key was cleared before that poll was asked for. */
  #read(alarm: Alarm, poll: number): AlarmEntry {
    const entry = this.#entries.get(alarm.key);
    if (entry === undefined) return this.#begin(alarm);
    if (entry.isOver || (entry.clearedInPoll > 0 && entry.clearedInPoll < poll)) this.#renew(entry);
    entry.alarm = alarm;
    return entry;
  }

  #begin(alarm: Alarm): AlarmEntry {
    const entry: AlarmEntry = {
      key: alarm.key,
      alarm,
      seenAt: this.#clock.date(),
      foundAtMs: undefined,
      isReportedLeftAlone: false,
      isOver: false,
      phase: 'idle',
      waitsFor: [],
      skip: undefined,
      outcome: undefined,
      hasFailed: false,
      settledInPoll: 0,
      clearedInPoll: 0,
    };
    this.#entries.set(alarm.key, entry);
    return entry;
  }

  /** From now on it stands for a new alarm of the same key; a handling that is under way goes on. */
  #renew(entry: AlarmEntry): void {
    entry.seenAt = this.#clock.date();
    entry.foundAtMs = undefined;
    entry.isReportedLeftAlone = false;
    entry.isOver = false;
    entry.skip = undefined;
    entry.hasFailed = false;
    entry.clearedInPoll = 0;
  }

  /** Its source shows it no longer. It is forgotten once nothing is under way and no poll can bring it from before its end. */
  #end(entry: AlarmEntry, poll: number): void {
    if (entry.phase === 'idle' && entry.settledInPoll < poll && entry.clearedInPoll < poll) this.#entries.delete(entry.key);
    else {
      this.#renew(entry);
      entry.isOver = true;
    }
  }
}
