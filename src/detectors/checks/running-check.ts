// One check while it runs: when it is looked at, and what is known of its target.
import { type Clock, soon } from '../../core/clock.ts';
import type { CheckResult } from '../../core/outcomes.ts';
import type { Slots } from '../../core/slots.ts';
import type { CheckTarget, Reading } from './check.ts';
import type { ParsedCheck } from './parse-checks.ts';
import { after, isInDoubt, type Standing } from './standing.ts';

/** What a check needs while it runs. */
export interface RunningCheckParts {
  readonly clock: Clock;
  /** `[checks] concurrency`. */
  readonly slots: Slots;
  /** Why the check says nothing about its target now, because of what it depends on; undefined if it does. */
  readonly blockedBy: (check: ParsedCheck) => string | undefined;
  /** Resolves once every check that it depends on was looked at since that monotonic time. Never rejects. */
  readonly dependenciesSeen: (check: ParsedCheck, sinceMs: number, signal: AbortSignal) => Promise<void>;
  /** Whether a failure counts now: not while the process is being recovered, or has just been started. */
  readonly counts: (check: ParsedCheck) => boolean;
  /** Called with each change of the standing. */
  readonly onStanding: (check: RunningCheck, before: Standing, raises: boolean) => void;
}

/** Looks at the target of one check again and again, never twice at once. */
export class RunningCheck {
  readonly parsed: ParsedCheck;
  readonly target: CheckTarget;
  readonly #parts: RunningCheckParts;
  readonly #stopped = new AbortController();
  #standing: Standing;
  #since: Date;
  #lookedAt: Date | undefined;
  #wake = new AbortController();
  /** Ends the look that counts and is under way. */
  #looking = new AbortController();
  /** The looks, one after the other. */
  #looks: Promise<unknown> = Promise.resolve();
  #isWaiting = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #wantedSinceMs = Number.NEGATIVE_INFINITY;
  #hasFailedLast = false;
  #onLooked: (() => void)[] = [];

  /** `standing`: what is known so far. */
  constructor(parsed: ParsedCheck, target: CheckTarget, standing: Standing, parts: RunningCheckParts) {
    this.parsed = parsed;
    this.target = target;
    this.#parts = parts;
    this.#standing = standing;
    this.#since = parts.clock.date();
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Since when its state is what it is. */
  get since(): Date {
    return this.#since;
  }

  /** When its last look ended that counts; undefined: there was none. */
  get lookedAt(): Date | undefined {
    return this.#lookedAt;
  }

  /** True if its last look found its target failing, however often. */
  get hasFailedLast(): boolean {
    return this.#hasFailedLast;
  }

  /** Looks until it is stopped. Never rejects. */
  async run(firstInMs: number): Promise<void> {
    const { clock, slots } = this.#parts;
    const { signal } = this.#stopped;
    const { intervalMs, retryIntervalMs } = this.parsed.settings;
    let dueMs = clock.monotonicMs() + firstInMs;
    for (;;) {
      await this.#wait(dueMs);
      if (!(await slots.take(Number.POSITIVE_INFINITY, signal))) return;
      const startMs = clock.monotonicMs();
      const countedThen = this.#parts.counts(this.parsed);
      const reading = await this.#lookNow().finally(() => slots.release());
      if (signal.aborted) return;
      const isCounted = reading !== undefined && (await this.#take(reading, startMs, countedThen));
      if (signal.aborted) return;
      const isSoon = isInDoubt(this.#standing) || !isCounted;
      // A late look is made once, whatever was missed.
      dueMs = Math.max(startMs + (isSoon ? Math.min(retryIntervalMs, intervalMs) : intervalMs), clock.monotonicMs());
    }
  }

  /** Ends the looks; what is under way counts for nothing. Resolves when that has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#wake.abort();
    this.#looking.abort();
    this.#release();
    await this.#looks;
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
    return this.#lookWithin(2 * timeoutMs + OVERDUE_MS, timeoutMs, signal);
  }

  /** One look for the proof that its process is well again. Never rejects. */
  async prove(timeoutMs: number, signal: AbortSignal): Promise<CheckResult> {
    const { name } = this.parsed.settings;
    // It began before what is to be proved, and would use up the time.
    this.#looking.abort();
    const reading = await this.#lookWithin(timeoutMs, timeoutMs, signal);
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
    this.#standing = { ...this.#standing, failures: 0, grave: 0 };
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
        ? await this.#queue(() => this.#look(this.parsed.settings.timeoutMs, looking.signal))
        : ({ kind: 'unknown', reason: blocked } as const);
    if (looking.signal.aborted) return undefined;
    this.#lastStartMs = startMs;
    this.#lookedAt = clock.date();
    this.#hasFailedLast = reading.kind === 'failing';
    this.#release();
    return reading;
  }

  /** Takes a reading; `countedThen`: whether a failure counted when the look began. Returns false if it does not count. */
  async #take(found: Reading, startMs: number, countedThen: boolean): Promise<boolean> {
    const reading = found.kind === 'failing' ? await this.#unlessBlocked(found, startMs) : found;
    if (this.#stopped.signal.aborted) return true;
    const before = this.#standing;
    if (reading.kind === 'failing' && !(countedThen && this.#parts.counts(this.parsed))) {
      this.#standing = { ...before, oks: 0 };
      return false;
    }
    const { failureThreshold: failures, successThreshold: successes } = this.parsed.settings;
    const { standing, raises } = after(before, reading, { failures, successes });
    this.#standing = standing;
    if (standing.state !== before.state) this.#since = this.#parts.clock.date();
    this.#parts.onStanding(this, before, raises);
    return true;
  }

  /** What it depends on may be what fails: that is asked first. */
  async #unlessBlocked(reading: Reading, startMs: number): Promise<Reading> {
    await this.#parts.dependenciesSeen(this.parsed, startMs, this.#stopped.signal);
    const blocked = this.#parts.blockedBy(this.parsed);
    return blocked === undefined ? reading : { kind: 'unknown', reason: blocked };
  }

  async #look(timeoutMs: number, signal: AbortSignal): Promise<Reading> {
    const { clock } = this.#parts;
    const limitMs = Math.max(timeoutMs, 1);
    const reading = await soon(clock, limitMs + OVERDUE_MS, this.target.look(limitMs, signal));
    return reading === 'late' ? { kind: 'unknown', reason: 'the look did not end in time' } : reading;
  }

  /** One look of at most `lookMs`, in all with the look before it `limitMs`. `unknown` if there is no result in time. */
  async #lookWithin(limitMs: number, lookMs: number, signal: AbortSignal): Promise<Reading> {
    const { clock } = this.#parts;
    const blocked = this.#parts.blockedBy(this.parsed);
    if (blocked !== undefined) return { kind: 'unknown', reason: blocked };
    const end = clock.monotonicMs() + limitMs;
    const late: Reading = { kind: 'unknown', reason: 'no result in time' };
    const looking = this.#queue(() => {
      const leftMs = Math.min(end - clock.monotonicMs(), lookMs);
      // Nobody waits for it any more.
      return leftMs <= 0 || signal.aborted ? Promise.resolve(late) : this.#look(leftMs, signal);
    });
    const reading = await soon(clock, limitMs, looking, signal);
    return reading === 'late' ? late : reading;
  }

  #queue<T>(look: () => Promise<T>): Promise<T> {
    const mine = this.#looks.then(look);
    this.#looks = mine.catch(() => undefined);
    return mine;
  }

  #release(): void {
    for (const resolve of this.#onLooked.splice(0)) resolve();
  }
}

/** A look ends by itself; one that does not is given up after this time, in milliseconds. */
const OVERDUE_MS = 2000;
