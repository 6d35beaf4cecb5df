import { type ManagedProcess, stands } from '../core/alarm.ts';
import type { AlarmClearing } from './alarm-clearing.ts';
import type { Breakers } from './breakers.ts';
import { proveAgain } from './health-proof.ts';
import { recover } from './recovery.ts';
import { type Member, processFields, type RecoveryJob, type RecoveryOutcome, type RecoveryParts } from './recovery-job.ts';
import { managedProcess, type Plans, type RecoveryPlan } from './recovery-plan.ts';
import { isSameAlarm, type Settlement } from './settlement.ts';
import type { SkipKind, SkipLog } from './skip-log.ts';
import type { Targets } from './targets.ts';
import type { Unproved } from './unproved.ts';
import { notProved, pronounce } from './verdict.ts';

/** What the recoveries need. */
export interface RecoveriesParts extends RecoveryParts {
  readonly breakers: Breakers;
  readonly clearing: AlarmClearing;
  readonly settlement: Settlement;
  readonly unproved: Unproved;
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  readonly targets: Targets;
}

/** Why an alarm is skipped whose breaker says no. */
export const breakerOpen = 'circuit breaker open';

type Way = { readonly kind: 'free'; readonly target: string } | ReturnType<typeof barred>;

interface RunningJob {
  readonly job: RecoveryJob;
  readonly outcome: Promise<RecoveryOutcome>;
}

/** The recoveries under way, one for each target: whose rows resolve to the same one share it. */
export class Recoveries {
  readonly #parts: RecoveriesParts;
  readonly #skips: SkipLog;
  readonly #running = new Map<string, RunningJob>();
  /** Which target and section it was told of, by the process's name: once is enough as long as it stands. */
  readonly #ruled = new Map<string, string>();

  constructor(parts: RecoveriesParts, skips: SkipLog) {
    this.#parts = parts;
    this.#skips = skips;
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  /** True while one is under way for this target, or for rows of this process. */
  isRunning(processName: string, target: string): boolean {
    if (this.#running.has(target)) return true;
    const isMember = ({ process }: Pick<Member, 'process'>): boolean => process.processName === processName;
    return [...this.#running.values()].some(({ job }) => isMember(job) || job.members.some(isMember));
  }

  /** The ends of those that are under way. */
  outcomes(): Promise<RecoveryOutcome>[] {
    return [...this.#running.values()].map(({ outcome }) => outcome);
  }

  /** Joins the recovery that is under way for the members' target, or begins it. `members`: at least one, all of one name. */
  async join(members: readonly Member[], plan: RecoveryPlan, ordered: boolean): Promise<RecoveryOutcome> {
    const [leader] = members;
    if (leader === undefined) return { kind: 'ended', reason: 'nobody is in alarm' };
    const { process, alarm } = leader;
    for (;;) {
      const way = await this.#way(process, plan);
      if (way.kind === 'barred') return this.#skips.skip(leader, way.reason, way.level, way.why);
      const { target } = way;
      const ruling = await this.#ruling(process, plan, target);
      const running = this.#running.get(target);
      if (running === undefined) {
        const repeated = this.#parts.breakers.snapshot(target).failures > 0;
        const sinceMs = leader.foundAtMs;
        const job = { target, ...ruling, alarm, members: [...members], ordered, repeated, sinceMs, provedAtMs: undefined };
        const outcome = await this.#begin(job);
        if (hasVerdict(outcome)) this.#tellShared(job, members);
        return outcome;
      }
      if (members.every((member) => isCoveredBy(running.job, member))) return this.#share(running, members, ordered);
      // What it proved is older than this alarm.
      await running.outcome;
      if (this.#parts.stopping.aborted) return { kind: 'interrupted' };
    }
  }

  /** Why a recovery begun now would be skipped; undefined if it would be tried, or join one that is under way. Changes nothing. */
  async foresee(process: ManagedProcess, plan: RecoveryPlan): Promise<string | undefined> {
    const way = await this.#way(process, plan);
    if (way.kind === 'barred') return way.reason;
    return !this.#running.has(way.target) && this.#parts.breakers.isRefusing(way.target) ? breakerOpen : undefined;
  }

  /** What stands in the way of a recovery before its breaker is asked. */
  async #way(process: ManagedProcess, plan: RecoveryPlan): Promise<Way> {
    const { abort, holds, observeOnly } = this.#parts;
    const resolution = await plan.strategy.resolve(process, abort);
    if (resolution.kind === 'refused') return barred(resolution.reason, 'error', resolution.unanswered ? 'other' : 'refused');
    const held = await holds.reasonFor(process.processName, resolution.key);
    const others = held === undefined ? await holds.judgeOthers(process, plan.strategy) : { kind: 'free' as const };
    const reason = held ?? (others.kind === 'held' ? others.reason : undefined);
    if (reason !== undefined) return barred(reason, 'warning', 'held');
    if (observeOnly()) {
      const how = `using strategy ${plan.strategy.name} (${resolution.description})`;
      return barred(`mode = observe: would have restarted it ${how}`, 'info', 'other');
    }
    return { kind: 'free', target: resolution.key };
  }

  /** Whose configuration is used: of several sections that mean the same target the first in the file. */
  async #ruling(process: ManagedProcess, plan: RecoveryPlan, target: string): Promise<Pick<RecoveryJob, 'process' | 'plan'>> {
    const { targets, plans, log } = this.#parts;
    const ruling = await targets.rulingOver(process.processName, target);
    if (ruling === undefined) {
      this.#ruled.delete(process.processName);
      return { process, plan };
    }
    const isNews = this.#ruled.get(process.processName) !== `${target} ${ruling}`;
    this.#ruled.set(process.processName, `${target} ${ruling}`);
    log[isNews ? 'info' : 'debug'](
      `RESTART LOG: ${process.processName} is ${target}, and the settings of [process.${ruling}] apply to it`,
      processFields(process),
    );
    const rulingPlan = plans()(ruling);
    return { process: managedProcess(ruling, rulingPlan, process.processId), plan: rulingPlan };
  }

  #begin(job: RecoveryJob): Promise<RecoveryOutcome> {
    const outcome = this.#run(job).finally(() => this.#leave(job));
    this.#running.set(job.target, { job, outcome });
    return outcome;
  }

  async #share({ job, outcome }: RunningJob, members: readonly Member[], ordered: boolean): Promise<RecoveryOutcome> {
    job.ordered ||= ordered;
    // An order and a poll may bring the same row.
    job.members.push(...members.filter((member) => !job.members.some((known) => isSameAlarmAs(known, member))));
    const shared = await outcome;
    if (shared.kind === 'skipped') for (const member of members) this.#skips.skip(member, shared.reason, 'warning');
    if (hasVerdict(shared)) this.#tellShared(job, members);
    return shared;
  }

  /** Told of names only that the recovery's own events do not name. */
  #tellShared({ process: { processName: leaderName } }: Pick<RecoveryJob, 'process'>, [member]: readonly Member[]): void {
    if (member === undefined || member.process.processName === leaderName) return;
    this.#parts.events.emit({ type: 'recovery_shared', process: member.process, leaderName });
  }

  async #run(job: RecoveryJob): Promise<RecoveryOutcome> {
    const { breakers, state, events, clock } = this.#parts;
    const startedMs = clock.monotonicMs();
    const settled = await this.#afterCrash(job);
    if (settled !== undefined) return this.#conclude(job, settled, startedMs);
    if (job.ordered) breakers.admitOrder(job.target, job.process);
    else if (breakers.admit(job.target, job.process).kind === 'refused') {
      // What an earlier life left of it has been settled; it must not speak for a later alarm.
      state.journal.end(job.target);
      return this.#skips.skip(job, breakerOpen, 'silent');
    }
    for (const { alarm } of job.members) if (alarm !== undefined) this.#skips.forget(alarm.key);
    events.emit({ type: 'recovery_started', process: job.process, target: job.target, strategy: job.plan.strategy.name });
    return this.#conclude(job, await recover(job, this.#parts), startedMs);
  }

  /** How an attempt of an earlier life of the daemon turns out to have ended; undefined where the process is to be restarted. */
  async #afterCrash(job: RecoveryJob): Promise<RecoveryOutcome | undefined> {
    const { settlement, clock, abort, log } = this.#parts;
    const left = await settlement.settle(job);
    if (left === undefined || job.ordered || !isSameAlarm(left, job)) return undefined;
    const proof = await proveAgain(job.plan, job.process, left.attempt, clock, abort);
    if (proof.kind === 'not_proved' && !abort.aborted)
      return { kind: 'not_proved', attempts: left.attempt, reason: proof.reason };
    if (proof.kind !== 'healthy') return undefined;
    log.info(`RESTART LOG: ${job.process.processName} is healthy after the attempt that was under way; not restarted again`, {
      ...processFields(job.process),
      target: job.target,
    });
    return { kind: 'recovered', attempts: 0 };
  }

  async #conclude(job: RecoveryJob, outcome: RecoveryOutcome, startedMs: number): Promise<RecoveryOutcome> {
    const { clearing, clock, state } = this.#parts;
    pronounce(job, outcome, startedMs, this.#parts);
    if (outcome.kind === 'skipped') this.#skips.skip(job, outcome.reason, 'warning');
    if (outcome.kind === 'not_proved') {
      this.#parts.unproved.remember(job, outcome.attempts, outcome.reason);
      for (const member of job.members) this.#skips.skip(member, notProved(outcome.reason), 'silent');
    }
    // What was not known is known now.
    if (outcome.kind === 'recovered' || outcome.kind === 'failed') this.#parts.unproved.forgetAll(job.members);
    if (outcome.kind === 'recovered') {
      job.provedAtMs = clock.monotonicMs();
      // By index: others may join until the last of them is cleared.
      for (let i = 0; i < job.members.length; i++) {
        const member = job.members[i];
        if (member !== undefined) await clearing.clear(member);
      }
    }
    // After an interruption it stays: the next life of the daemon looks first whether the process got well.
    if (outcome.kind !== 'interrupted') state.journal.end(job.target);
    // In the same breath as the last look for members: who comes later begins a recovery of its own.
    this.#leave(job);
    return outcome;
  }

  #leave(job: RecoveryJob): void {
    if (this.#running.get(job.target)?.job === job) this.#running.delete(job.target);
  }
}

/** True if it was restarted, or that was tried, whatever came of it. */
function hasVerdict({ kind }: RecoveryOutcome): boolean {
  return kind === 'recovered' || kind === 'failed' || kind === 'not_proved';
}

/** True where the end of `job` will be the end of the member's alarm too. */
function isCoveredBy(job: RecoveryJob, member: Member): boolean {
  return job.provedAtMs === undefined || member.foundAtMs <= job.provedAtMs;
}

/** True where `known` already stands for the alarm that `member` brings. */
function isSameAlarmAs(known: Member, member: Member): boolean {
  return known.alarm !== undefined && known.alarm.key === member.alarm?.key && stands(known.alarm);
}

function barred(reason: string, level: 'error' | 'warning' | 'info', why: SkipKind) {
  return { kind: 'barred', reason, level, why } as const;
}
