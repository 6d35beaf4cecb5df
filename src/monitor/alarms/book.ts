// The alarm book: what the daemon does about each alarm.
import { type Alarm, isSameNotes } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import type { RecoveryOutcome } from '../recovery-job.ts';
import type { AlarmMemory } from './memory.ts';

/**
 * What the daemon does about an alarm. `idle`: nothing, until a poll shows it again. `checking`: it checks the health of what an
 * earlier recovery restarted. `waiting`: it waits for processes that this one depends on. `recovering`: any other step of the handling.
 */
type AlarmPhase = 'idle' | 'checking' | 'waiting' | 'recovering';

/**
 * Why an alarm was not recovered: `refused` by its section, name or unit; `held` by a hold; `observed` in `mode = observe`; or something
 * else.
 */
export interface Skip {
  readonly kind: 'refused' | 'held' | 'observed' | 'other';
  readonly reason: string;
}

/** One handling of an alarm: under way, or ended. */
interface Handling {
  readonly processName: string;
  readonly entry: AlarmEntry;
  readonly outcome: Promise<RecoveryOutcome>;
}

/** All that the daemon knows about one alarm. */
export interface AlarmEntry {
  readonly key: string;
  /** As last read. */
  alarm: Alarm;
  /** Monotonic time, in milliseconds, at which an earlier alarm with the same key was last cleared or not shown; -Infinity if none was. */
  overAtMs: number;
  /** Monotonic time, in milliseconds, at which the entry was last made to stand for a later alarm; -Infinity if it never was. */
  renewedAtMs: number;
  seenAt: Date;
  /** Monotonic time, in milliseconds, at which the alarm was reported as ours to handle; undefined if it was not. */
  foundAtMs: number | undefined;
  /** Monotonic time, in milliseconds, at which its present notes were first seen: whatever has been started since is not meant by them. */
  notedAtMs: number;
  /** True once it was reported that the alarm is left alone. */
  isReportedLeftAlone: boolean;
  /** True if its source no longer shows it: a later alarm with the same key is another one. */
  isOver: boolean;
  phase: AlarmPhase;
  /** What it waits for in the phase `waiting`; [] in other phases. */
  waitsFor: readonly Handling[];
  /** Why it was skipped last; undefined if it was not skipped, or has been attempted since. */
  skip: Skip | undefined;
  /** The end of the handling that is under way, or of the last one; undefined before the first. */
  outcome: Promise<RecoveryOutcome> | undefined;
  /** True if the daemon itself has raised an alarm of its process since its handling began: that one is in the row now. */
  isRaisedAgain: boolean;
  /** True if its last recovery failed: it is tried again by a regular poll, or once something about it has changed. */
  hasFailed: boolean;
  /** The number of the last poll that had begun when its last handling ended; 0 if none has ended. */
  settledInPoll: number;
  /** The number of the last poll that had begun when the daemon cleared it; 0 if it has not. */
  clearedInPoll: number;
}

/**
 * The alarms, one entry each: the one place where an alarm begins, is looked up and is forgotten. Polls are numbered when they begin.
 * An alarm that was handled or cleared after a poll began may still be in that poll's answer, which does not count for it.
 */
export class AlarmBook {
  /** What earlier recoveries have done about alarms. */
  readonly memory: AlarmMemory;
  readonly #clock: Clock;
  readonly #entries = new Map<string, AlarmEntry>();
  #askedPoll = 0;
  #answeredPoll = 0;

  constructor(memory: AlarmMemory, clock: Clock) {
    this.memory = memory;
    this.#clock = clock;
  }

  /** Numbers a new poll. Call it before the store is asked. */
  startPoll(): number {
    return ++this.#askedPoll;
  }

  /** The number of the poll that began last. */
  get lastPoll(): number {
    return this.#askedPoll;
  }

  /**
   * Enters the alarms of one source from the answer to a poll, and returns their entries. Alarms of other sources do not change.
   * `isComplete`: the source has no more alarms, so that those it does not show are over.
   */
  replace(source: Alarm['source'], alarms: readonly Alarm[], poll: number, isComplete = true): AlarmEntry[] {
    if (source === 'store') this.#answeredPoll = poll;
    const shown = alarms.map((alarm) => this.#read(alarm, poll));
    if (!isComplete) return shown;
    const standing = new Set(alarms.map(({ key }) => key));
    for (const entry of this.#entries.values())
      if (entry.alarm.source === source && !standing.has(entry.key)) this.#end(entry, poll);
    // What was handled or cleared after the poll began is not in its answer yet.
    this.memory.forgetEnded(source, {
      isShown: (key) => standing.has(key),
      mayStand: (key) => standing.has(key) || this.#entries.has(key),
      poll,
    });
    return shown;
  }

  /** Enters an alarm that was raised just now. It is a new one, unless the alarm with the same key is being handled. */
  raise(alarm: Alarm): AlarmEntry {
    const entry = this.#entries.get(alarm.key);
    if (entry === undefined) return this.#begin(alarm);
    if (entry.isOver || !hasHandling(entry)) this.#renew(entry);
    this.#note(entry, alarm);
    return entry;
  }

  /** Notes that the daemon raises an alarm of that process: it does not belong to a recovery that is under way. */
  raisedAgain(processName: string): void {
    for (const entry of this.#entries.values()) if (entry.alarm.processName === processName) entry.isRaisedAgain = true;
  }

  /** The entry with that key; undefined if there is no such alarm. */
  get(key: string): AlarmEntry | undefined {
    return this.#entries.get(key);
  }

  /**
   * True if the alarm with that key is the one whose process was proved well at `provedAtMs`. It is if no poll has shown another one since;
   * or if the store was asked for it, at `readAtMs`, after the earlier one was over: a poll then shows that one for the first time.
   */
  isSame(key: string, provedAtMs: number, readAtMs = Number.NEGATIVE_INFINITY): boolean {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.renewedAtMs <= provedAtMs || entry.overAtMs <= readAtMs;
  }

  /** True if the alarm with that key is being handled. */
  isUnderWay(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && hasHandling(entry);
  }

  /** True if the alarm, as that poll shows it, has to be handled: it is not being handled, and was not handled or cleared meanwhile. */
  isFresh(entry: AlarmEntry, poll: number): boolean {
    if (hasHandling(entry)) return false;
    const { alarm, settledInPoll, clearedInPoll } = entry;
    // A kept alarm is always read as it is now.
    return alarm.source === 'kept' || (settledInPoll < poll && clearedInPoll < poll);
  }

  /** Notes that the handling of an alarm begins. It ends with `outcome`, which must not reject. */
  begin(entry: AlarmEntry, outcome: Promise<RecoveryOutcome>): void {
    entry.phase = 'recovering';
    entry.outcome = outcome;
    entry.isRaisedAgain = false;
    void outcome.then(({ kind }) => {
      entry.phase = 'idle';
      entry.waitsFor = [];
      entry.hasFailed = kind === 'failed';
      entry.settledInPoll = this.#askedPoll;
    });
  }

  /** Notes that the daemon has cleared an alarm. */
  cleared(alarm: Alarm): void {
    const entry = this.#entries.get(alarm.key) ?? this.#begin(alarm);
    entry.clearedInPoll = this.#askedPoll;
    entry.overAtMs = this.#clock.monotonicMs();
  }

  /** Notes that an alarm was not in its row any more when it was to be cleared: what a poll had read of it before is over. */
  gone(alarm: Alarm): void {
    const entry = this.#entries.get(alarm.key);
    if (entry !== undefined && isSameNotes(entry.alarm, alarm)) this.#markOver(entry);
  }

  /** True if the daemon has cleared the alarm since the poll began that the store answered last. */
  isCleared(key: string): boolean {
    const clearedInPoll = this.#entries.get(key)?.clearedInPoll ?? 0;
    return clearedInPoll > 0 && clearedInPoll >= this.#answeredPoll;
  }

  /** The entries that are being handled. */
  underWay(): AlarmEntry[] {
    return [...this.#entries.values()].filter(hasHandling);
  }

  /**
   * The handlings of alarms of these names: those that are under way, those that ended after the last poll began, and those that failed
   * and wait for the next regular poll.
   */
  handlingsOf(processNames: readonly string[]): Handling[] {
    if (processNames.length === 0) return [];
    const isUnderWay = ({ entry }: Handling): boolean => hasHandling(entry);
    const hasEnded = ({ entry }: Handling): boolean =>
      !hasHandling(entry) && (entry.hasFailed || entry.settledInPoll === this.#askedPoll);
    const named = [...this.#entries.values()].flatMap((entry): Handling[] => {
      const { alarm, outcome } = entry;
      const processName = processNames.find((name) => name === alarm.processName);
      return processName === undefined || outcome === undefined ? [] : [{ processName, entry, outcome }];
    });
    return [...named.filter(isUnderWay), ...named.filter(hasEnded)];
  }

  /** Names of the processes that the alarm waits for. */
  waitingFor(key: string): string[] {
    const awaited = this.#entries.get(key)?.waitsFor ?? [];
    const underWay = awaited.filter(({ entry, outcome }) => hasHandling(entry) && entry.outcome === outcome);
    return [...new Set(underWay.map(({ processName }) => processName))];
  }

  /** Lets failed alarms of that name be tried at the next poll, early or not: something has changed, or an operator wants it. */
  retry(processName: string): void {
    for (const entry of this.#entries.values()) if (entry.alarm.processName === processName) entry.hasFailed = false;
  }

  /** Enters an alarm as a poll read it. It is a new one if the alarm with the same key was cleared before that poll began. */
  #read(alarm: Alarm, poll: number): AlarmEntry {
    const entry = this.#entries.get(alarm.key);
    if (entry === undefined) return this.#begin(alarm);
    if (entry.isOver || (entry.clearedInPoll > 0 && entry.clearedInPoll < poll)) this.#renew(entry, entry.overAtMs);
    this.#note(entry, alarm);
    return entry;
  }

  #note(entry: AlarmEntry, alarm: Alarm): void {
    if (!isSameNotes(entry.alarm, alarm)) entry.notedAtMs = this.#clock.monotonicMs();
    entry.alarm = alarm;
  }

  #begin(alarm: Alarm): AlarmEntry {
    const entry: AlarmEntry = {
      key: alarm.key,
      alarm,
      overAtMs: Number.NEGATIVE_INFINITY,
      renewedAtMs: Number.NEGATIVE_INFINITY,
      seenAt: this.#clock.date(),
      foundAtMs: undefined,
      notedAtMs: this.#clock.monotonicMs(),
      isReportedLeftAlone: false,
      isOver: false,
      phase: 'idle',
      waitsFor: [],
      skip: undefined,
      outcome: undefined,
      isRaisedAgain: false,
      hasFailed: false,
      settledInPoll: 0,
      clearedInPoll: 0,
    };
    this.#entries.set(alarm.key, entry);
    return entry;
  }

  /** Makes the entry stand for a new alarm with the same key; `overAtMs`: as in the entry. A handling that is under way goes on. */
  #renew(entry: AlarmEntry, overAtMs = this.#clock.monotonicMs()): void {
    entry.overAtMs = overAtMs;
    entry.renewedAtMs = this.#clock.monotonicMs();
    entry.seenAt = this.#clock.date();
    entry.foundAtMs = undefined;
    entry.notedAtMs = this.#clock.monotonicMs();
    entry.isReportedLeftAlone = false;
    entry.isOver = false;
    entry.skip = undefined;
    entry.hasFailed = false;
    entry.clearedInPoll = 0;
  }

  /** Its source no longer shows it. The entry stays as long as a handling is under way, or a poll may still show it from before. */
  #end(entry: AlarmEntry, poll: number): void {
    if (!hasHandling(entry) && entry.settledInPoll < poll && entry.clearedInPoll < poll) this.#entries.delete(entry.key);
    else this.#markOver(entry);
  }

  #markOver(entry: AlarmEntry): void {
    this.#renew(entry);
    entry.isOver = true;
  }
}

function hasHandling({ phase }: AlarmEntry): boolean {
  return phase !== 'idle';
}
