import type { Alarm } from '../core/alarm.ts';
import { errorMessage } from '../core/errors.ts';
import { dependsOn, failureAmong } from './dependencies.ts';
import { type EarlierRecovery, LookAgain } from './look-again.ts';
import { Recoveries, type RecoveriesParts } from './recoveries.ts';
import type { Member, RecoveryOutcome } from './recovery-job.ts';
import { type Plans, processOf, type RecoveryPlan } from './recovery-plan.ts';
import { type SkipKind, SkipLog } from './skip-log.ts';

/** An alarm to be handled: its name is known to be one. */
export interface FoundAlarm extends EarlierRecovery {
  readonly alarm: Alarm;
  readonly processName: string;
  /** Monotonic time at which it was first seen. */
  readonly foundAtMs: number;
}

/** What the queue needs. */
export interface RecoveryQueueParts extends RecoveriesParts {
  /** Swapped at a reload. */
  readonly plans: () => Plans;
}

type InAlarm = Omit<FoundAlarm, 'processName' | 'foundAtMs'>;
type AlarmsOf = (processName: string) => Promise<readonly InAlarm[]>;

interface Handling {
  readonly key: string;
  readonly processName: string;
  readonly outcome: Promise<RecoveryOutcome>;
}

/**
 * Takes alarms and brings each to its end, side by side: one handling for each, one recovery for each target. What one
 * depends on goes first; how many commands run at once is the slots' business.
 */
export class RecoveryQueue {
  readonly #parts: RecoveryQueueParts;
  readonly #handling = new Map<string, Handling>();
  readonly #endedSincePoll = new Map<string, Handling>();
  /** Those in alarm whose last recovery failed, by key. */
  readonly #failed = new Map<string, Handling & { readonly alarm: Alarm }>();
  /** What each depends on, while it waits for that. */
  readonly #waiting = new Map<string, readonly Handling[]>();
  readonly #skips: SkipLog;
  readonly #recoveries: Recoveries;
  readonly #looks: LookAgain;

  constructor(parts: RecoveryQueueParts) {
    this.#parts = parts;
    this.#skips = new SkipLog(parts.log, parts.events);
    this.#recoveries = new Recoveries(parts, this.#skips);
    this.#looks = new LookAgain(parts, this.#skips);
  }

  /** How many recoveries are under way. */
  get recovering(): number {
    return this.#recoveries.size;
  }

  /** True while a recovery of this process, or of what it stands for (`target`), is under way. */
  isRecovering(processName: string, target: string): boolean {
    return this.#recoveries.isRunning(processName, target);
  }

  /** True while the alarm is being handled. */
  isHandling(key: string): boolean {
    return this.#handling.has(key);
  }

  /** True while that consists of a look at the health of what was restarted earlier. */
  isLookedAt(key: string): boolean {
    return this.#looks.isUnderWay(key);
  }

  /** The end of every handling that is under way for a process of that name. */
  async ended(processName: string): Promise<RecoveryOutcome[]> {
    const handlings = [...this.#handling.values()].filter((handling) => handling.processName === processName);
    return Promise.all(handlings.map(({ outcome }) => outcome));
  }

  /** Names of those in alarm whose end the alarm waits for; [] where it does not wait. */
  waitingFor(key: string): string[] {
    const dependencies = this.#waiting.get(key) ?? [];
    const underWay = dependencies.filter((handling) => this.#handling.get(handling.key) === handling);
    return [...new Set(underWay.map(({ processName }) => processName))];
  }

  /** Why the alarm was last skipped; undefined where it was not. */
  skipReason(key: string): string | undefined {
    return this.#skips.of(key)?.reason;
  }

  /** What kept it from its recovery then. */
  skipKind(key: string): SkipKind | undefined {
    return this.#skips.of(key)?.kind;
  }

  /** What failed of that name may be tried again at once: something about it has changed, or an operator wants it. */
  retry(processName: string): void {
    for (const [key, failed] of this.#failed) if (failed.processName === processName) this.#failed.delete(key);
  }

  /** To be called before the store is asked: what ends from now on may still be in alarm in the answer, and is then not taken again. */
  pollStarting(): void {
    this.#endedSincePoll.clear();
  }

  /**
   * Takes the alarms of one poll. Those already being handled are left alone. `spokenFor`: which alarms would be among them, if
   * they still stood; all unless said. `early`: the poll came before its time, for something else's sake (a reload, another alarm): what
   * failed is not tried again for that, and counts no further failure.
   */
  submit(alarms: readonly FoundAlarm[], spokenFor: (alarm: Alarm) => boolean = () => true, early = false): void {
    const standing = new Set(alarms.map(({ alarm }) => alarm.key));
    this.#skips.forgetAllBut(standing, spokenFor);
    for (const [key, { alarm }] of this.#failed) if (spokenFor(alarm) && !standing.has(key)) this.#failed.delete(key);
    const fresh = alarms.filter(({ alarm }) => this.#isFresh(alarm) && !(early && this.#failed.has(alarm.key)));
    // All are registered before the first one looks for what it depends on.
    const { promise: start, resolve: go } = Promise.withResolvers<void>();
    for (const found of fresh) {
      const { processName } = found;
      const { key } = found.alarm;
      const outcome = start.then(() => this.#handle(found)).catch((error: unknown) => this.#bug(processName, error));
      const handling = { key, processName, outcome };
      this.#handling.set(key, handling);
      void outcome.then(({ kind }) => {
        this.#handling.delete(key);
        if (kind === 'failed') this.#failed.set(key, { ...handling, alarm: found.alarm });
        else this.#failed.delete(key);
        this.#endedSincePoll.set(key, handling);
      });
    }
    go();
  }

  /**
   * An operator's order: one recovery now, whatever the breaker says; joins the one that is under way for the same target.
   * `alarms`: those of that name that it is to end, or a row of that name, in alarm or not; [] if it has none.
   */
  async order(processName: string, alarms: readonly Alarm[]): Promise<RecoveryOutcome> {
    const held = this.#parts.holds.reason(processName);
    if (held !== undefined) return { kind: 'skipped', reason: `${held}; release it first` };
    if (this.#parts.observeOnly()) return { kind: 'skipped', reason: 'mode = observe: nothing is restarted' };
    const plan = this.#parts.plans()(processName);
    const foundAtMs = this.#parts.clock.monotonicMs();
    const memberOf = (alarm: Alarm | undefined): Member => ({
      process: processOf(alarm, processName, plan),
      alarm,
      foundAtMs,
    });
    const members = alarms.length === 0 ? [memberOf(undefined)] : alarms.map(memberOf);
    return this.#recoveries.join(members, plan, true).catch((error: unknown) => this.#bug(processName, error));
  }

  /**
   * Why an alarm of that name would not be restarted for the sake of what it depends on, if the next poll brought it: told by the rules
   * of its handling. `inAlarm`: those of a name that the poll would bring. Undefined also if that depends on how a recovery ends.
   */
  async foreseeBlock(processName: string, inAlarm: AlarmsOf, passed: readonly string[] = []): Promise<string | undefined> {
    if (this.#parts.observeOnly() || passed.includes(processName)) return undefined;
    const way = [...passed, processName];
    const foreseen = dependsOn(processName, this.#parts.plans()(processName)).map(async (name) => {
      const alarms = await inAlarm(name);
      return alarms.map((found) => ({ processName: name, outcome: this.#foresee(name, found, inAlarm, way) }));
    });
    return failureAmong((await Promise.all(foreseen)).flat());
  }

  /** How the alarm would end, as far as nothing must be tried for that. */
  async #foresee(
    processName: string,
    { alarm, handled, unproved }: InAlarm,
    inAlarm: AlarmsOf,
    passed: readonly string[],
  ): Promise<RecoveryOutcome | undefined> {
    // Whether it is well by now is looked at first.
    if (handled || this.#handling.has(alarm.key)) return undefined;
    const failed = this.#failed.get(alarm.key);
    if (failed !== undefined) return failed.outcome;
    if (unproved !== undefined) return { kind: 'not_proved', attempts: unproved.attempts, reason: unproved.reason };
    const plan = this.#parts.plans()(processName);
    const reason =
      this.#parts.holds.reason(processName) ??
      (await this.foreseeBlock(processName, inAlarm, passed)) ??
      (await this.#recoveries.foresee(processOf(alarm, processName, plan), plan));
    return reason === undefined ? undefined : { kind: 'skipped', reason };
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#handling.size > 0 || this.#recoveries.size > 0) {
      const handlings = [...this.#handling.values()].map(({ outcome }) => outcome);
      await Promise.allSettled([...handlings, ...this.#recoveries.outcomes()]);
    }
  }

  async #handle({ alarm, processName, foundAtMs, ...earlier }: FoundAlarm): Promise<RecoveryOutcome> {
    const plan = this.#parts.plans()(processName);
    const member: Member = { process: processOf(alarm, processName, plan), alarm, foundAtMs };
    const dependencies = this.#dependencies(processName, plan);
    if ((earlier.handled || earlier.unproved !== undefined) && !this.#parts.observeOnly()) {
      const ended = await this.#looks.run(member, plan, earlier);
      if (ended !== undefined) return ended;
    }
    const held = this.#parts.holds.reason(processName);
    if (held !== undefined) return this.#skips.skip(member, held, 'warning', 'held');
    this.#waiting.set(alarm.key, dependencies);
    // Nothing gets well in that mode.
    const blocked = this.#parts.observeOnly() ? undefined : await failureAmong(dependencies);
    this.#waiting.delete(alarm.key);
    if (blocked !== undefined) return this.#skips.skip(member, blocked, 'warning');
    return this.#recoveries.join([member], plan, false);
  }

  /** What we keep ourselves is never older than its end. */
  #isFresh({ source, key }: Alarm): boolean {
    return !this.#handling.has(key) && (source === 'kept' || !this.#endedSincePoll.has(key));
  }

  /**
   * Those in alarm that `processName` depends on, also those that failed and are not tried again yet. Only those there are now:
   * who waits for none that comes later can never wait in a circle, whatever a reload made of `depends_on` meanwhile.
   */
  #dependencies(processName: string, plan: RecoveryPlan): Handling[] {
    const names = dependsOn(processName, plan);
    if (names.length === 0) return [];
    const waiting = [...this.#failed.values()].filter(({ key }) => !this.#handling.has(key));
    const inAlarm = [...this.#handling.values(), ...this.#endedSincePoll.values(), ...waiting];
    return inAlarm.filter((handling) => names.includes(handling.processName));
  }

  /** Nothing of ours rejects for an expected fault: what arrives here is a mistake in the program, and must not end the daemon. */
  #bug(processName: string, error: unknown): RecoveryOutcome {
    this.#parts.log.error(`Internal error while handling ${processName}: ${errorMessage(error)}`, {
      process_name: processName,
      err: error,
    });
    return { kind: 'failed', reason: `internal error: ${errorMessage(error)}` };
  }
}
