// One check while it runs: when it is looked at, and what is known of its target.
import type { Clock } from '../../core/clock.ts';
import type { CheckResult } from '../../core/outcomes.ts';
import type { Slots } from '../../core/slots.ts';
import type { AsksWorker } from '../../probes/worker/client.ts';
import type { CheckTarget, Reading } from './check.ts';
import { LookQueue, OVERDUE_MS } from './look-queue.ts';
import type { ParsedCheck } from './parse-checks.ts';
import { ASK_AGAIN_MS, ScheduledTimes } from './schedule.ts';
import { type CheckPart, CheckStates, findingOf, type KnownParts, type PartChange } from './states.ts';

/** What a check needs while it runs. */
export interface RunningCheckParts {
  readonly clock: Clock;
  /** What computes schedules. */
  readonly worker: AsksWorker;
  /** `[checks] concurrency`. */
  readonly slots: Slots;
  /** Why the check says nothing about its target now, because of what it depends on; undefined if it does. */
  readonly blockedBy: (check: ParsedCheck) => string | undefined;
  /** Resolves once every check that it depends on was looked at since that monotonic time. Never rejects. */
  readonly dependenciesSeen: (check: ParsedCheck, sinceMs: number, signal: AbortSignal) => Promise<void>;
  /** Whether a failure counts now: not while the process is being recovered, or has just been started. */
  readonly counts: (check: ParsedCheck) => boolean;
  /** Called with what each reading that counts has changed, also if that is nothing; the look took `durationMs`. */
  readonly onChange: (check: ParsedCheck, change: PartChange, durationMs: number) => void;
  /** Called with a part that the target does not have any more. */
  readonly onGone: (check: ParsedCheck, part: CheckPart) => void;
}

/** Looks at the target of one check again and again, never twice at once. */
export class RunningCheck {
  readonly parsed: ParsedCheck;
  readonly target: CheckTarget;
  readonly #parts: RunningCheckParts;
  readonly #stopped = new AbortController();
  readonly #states: CheckStates;
  readonly #looks: LookQueue;
  readonly #schedule: ScheduledTimes | undefined;
  #lookedAt: Date | undefined;
  #wake = new AbortController();
  /** Ends the look that counts and is under way. */
  #looking = new AbortController();
  #isWaiting = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #wantedSinceMs = Number.NEGATIVE_INFINITY;
  #lastReading: Reading | undefined;
  #onLooked: (() => void)[] = [];

  /** `known`: what is known so far of it and of its parts. */
  constructor(parsed: ParsedCheck, target: CheckTarget, known: KnownParts, parts: RunningCheckParts) {
    this.parsed = parsed;
    this.target = target;
    this.#parts = parts;
    this.#states = new CheckStates(parsed, known, parts.clock);
    this.#looks = new LookQueue(target, parts.clock);
    const { schedule } = parsed.settings;
    this.#schedule = schedule && new ScheduledTimes(schedule, parts.worker, parts.clock);
  }

  /** What is known of it, and of its parts. */
  get states(): readonly CheckPart[] {
    return this.#states.list();
  }

  /** True if what depends on it, or on that part of it, cannot be judged now. One failure is enough for a doubt. */
  isInTheWay(part: string | undefined): boolean {
    return (
      this.#states.isFailing(part) || (this.#lastReading !== undefined && findingOf(this.#lastReading, part).kind === 'failing')
    );
  }

  /** When its last look ended that counts; undefined: there was none. */
  get lookedAt(): Date | undefined {
    return this.#lookedAt;
  }

  /** Looks until it is stopped. Never rejects. */
  async run(firstInMs: number): Promise<void> {
    const { clock, slots } = this.#parts;
    const { signal } = this.#stopped;
    const { intervalMs, retryIntervalMs } = this.parsed.settings;
    let dueMs = this.#schedule === undefined ? clock.monotonicMs() + firstInMs : undefined;
    for (;;) {
      if (dueMs === undefined) await this.#waitForSchedule();
      else await this.#wait(dueMs);
      if (!(await slots.take(Number.POSITIVE_INFINITY, signal))) return;
      const startMs = clock.monotonicMs();
      const countedThen = this.#parts.counts(this.parsed);
      const reading = await this.#lookNow().finally(() => slots.release());
      if (signal.aborted) return;
      const isCounted = reading !== undefined && (await this.#take(reading, startMs, countedThen));
      if (signal.aborted) return;
      const isSoon = this.#states.isInDoubt || !isCounted;
      const isPlanned = this.#schedule !== undefined && !isSoon;
      // A late look is made once, whatever was missed.
      const nextMs = Math.max(startMs + (isSoon ? Math.min(retryIntervalMs, intervalMs) : intervalMs), clock.monotonicMs());
      dueMs = isPlanned ? undefined : nextMs;
    }
  }

  /** Ends the looks; what is under way counts for nothing. Resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    this.#looking.abort();
    this.#release();
    await this.#looks.ended;
  }

  /** Resolves once a look that began at `sinceMs` or later has ended, or the check is stopped. */
  async seenSince(sinceMs: number, signal: AbortSignal): Promise<void> {
    this.#wantedSinceMs = Math.max(this.#wantedSinceMs, sinceMs);
    if (this.#isWaiting) this.#wake.abort();
    while (this.#lastStartMs < sinceMs && !this.#stopped.signal.aborted && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#onLooked.push(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  /** One look besides those that count, for an order: after the one that is under way. Never rejects. */
  lookAside(signal: AbortSignal): Promise<Reading> {
    const { timeoutMs } = this.parsed.settings;
    return this.#lookBesides(2 * timeoutMs + OVERDUE_MS, timeoutMs, signal, true);
  }

  /** One look for the proof that its process is well again, by what it says about `part`. Never rejects. */
  async prove({ name, part }: CheckPart, timeoutMs: number, signal: AbortSignal): Promise<CheckResult> {
    // It began before what is to be proved, and would use up the time.
    this.#looking.abort();
    const reading = findingOf(await this.#lookBesides(timeoutMs, timeoutMs, signal, false), part);
    switch (reading.kind) {
      case 'ok':
        return { kind: 'healthy' };
      case 'failing':
        return reading.isWarning ? { kind: 'healthy' } : { kind: 'unhealthy', reason: reading.reason };
      case 'unknown':
        return { kind: 'not_proved', reason: `check ${name} could not look`, detail: reading.reason };
      default:
        return reading satisfies never;
    }
  }

  /** A recovery of its process has ended: only what is found from now on raises the alarm again. */
  forgetFailures(): void {
    this.#states.forgetFailures();
  }

  /** Waits for the next time of the schedule, or until a look is wanted. */
  async #waitForSchedule(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#stopped.signal.aborted && this.#lastStartMs >= this.#wantedSinceMs) {
      const next = await this.#schedule?.next(this.#stopped.signal);
      if (next === undefined || this.#stopped.signal.aborted) return;
      if (next.kind === 'unknown') await this.#take(next, clock.monotonicMs(), true);
      await this.#wait(clock.monotonicMs() + (next.kind === 'unknown' ? ASK_AGAIN_MS : next.waitMs));
      if (next.kind === 'known' && next.isDue) return;
    }
  }

  async #wait(dueMs: number): Promise<void> {
    const { clock } = this.#parts;
    if (this.#stopped.signal.aborted || this.#lastStartMs < this.#wantedSinceMs) return;
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
    this.#isWaiting = true;
    await clock.sleep(dueMs - clock.monotonicMs(), this.#wake.signal);
    this.#isWaiting = false;
  }

  /** One look that counts; undefined if a proof has taken its place. */
  async #lookNow(): Promise<Reading | undefined> {
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const blocked = this.#parts.blockedBy(this.parsed);
    const looking = new AbortController();
    this.#looking = looking;
    const reading =
      blocked === undefined
        ? await this.#looks.look(this.parsed.settings.timeoutMs, looking.signal)
        : ({ kind: 'unknown', reason: blocked } as const);
    if (looking.signal.aborted) return undefined;
    this.#lastStartMs = startMs;
    this.#lookedAt = clock.date();
    this.#lastReading = reading;
    this.#release();
    return reading;
  }

  /** Takes a reading; `countedThen`: whether a failure counted when the look began. Returns false if it does not count. */
  async #take(found: Reading, startMs: number, countedThen: boolean): Promise<boolean> {
    const durationMs = Math.round(this.#parts.clock.monotonicMs() - startMs);
    const hasFailure = [found, ...Object.values(found.parts ?? {})].some(({ kind }) => kind === 'failing');
    const reading = hasFailure ? await this.#unlessBlocked(found, startMs) : found;
    if (this.#stopped.signal.aborted) return true;
    const { changes, gone, isCounted } = this.#states.take(reading, countedThen && this.#parts.counts(this.parsed));
    for (const part of gone) this.#parts.onGone(this.parsed, part);
    for (const change of changes) this.#parts.onChange(this.parsed, change, durationMs);
    return isCounted;
  }

  /** What it depends on may be what fails: that is asked first. */
  async #unlessBlocked(reading: Reading, startMs: number): Promise<Reading> {
    await this.#parts.dependenciesSeen(this.parsed, startMs, this.#stopped.signal);
    const blocked = this.#parts.blockedBy(this.parsed);
    return blocked === undefined ? reading : { kind: 'unknown', reason: blocked };
  }

  /** One look that does not count; `unknown` behind what it depends on. */
  async #lookBesides(limitMs: number, lookMs: number, signal: AbortSignal, isAside: boolean): Promise<Reading> {
    const blocked = this.#parts.blockedBy(this.parsed);
    if (blocked !== undefined) return { kind: 'unknown', reason: blocked };
    return this.#looks.lookWithin(limitMs, lookMs, signal, isAside);
  }

  #release(): void {
    for (const resolve of this.#onLooked.splice(0)) resolve();
  }
}
