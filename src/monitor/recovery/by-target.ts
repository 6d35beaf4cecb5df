// Lets alarms of the same target share one recovery.
import { type ManagedProcess, stands } from '../../core/alarm.ts';
import type { EventBus } from '../../core/events.ts';
import type { Logger } from '../../core/logger.ts';
import { managedProcess, type RecoveryPlan } from '../../strategies/recovery-plan.ts';
import type { AlarmBook, Skip } from '../alarms/book.ts';
import { type Breakers, breakerOpen } from '../breaker/breakers.ts';
import { type CurrentConfig, observes } from '../current-config.ts';
import type { Holds } from '../holds.ts';
import { type Member, processFields, type RecoveryJob, type RecoveryOutcome } from '../recovery-job.ts';
import type { Targets } from '../targets.ts';
import type { OutcomeRecorder } from './outcome.ts';

/** What the recoveries of targets need. */
interface TargetRecoveriesParts {
  readonly config: CurrentConfig;
  readonly book: AlarmBook;
  readonly breakers: Breakers;
  readonly holds: Holds;
  readonly targets: Targets;
  readonly recorder: OutcomeRecorder;
  /** `recoverTarget` with all that it needs. */
  readonly recoverTarget: (job: RecoveryJob) => Promise<RecoveryOutcome>;
  readonly events: EventBus;
  readonly log: Logger;
  readonly stopping: AbortSignal;
  readonly abort: AbortSignal;
}

type TargetFound = { readonly kind: 'free'; readonly target: string } | ReturnType<typeof blocked>;

/** The recoveries that are under way: their targets, and the names of the processes that they are for. */
export interface UnderWay {
  readonly targets: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

interface RunningJob {
  readonly job: RecoveryJob;
  readonly outcome: Promise<RecoveryOutcome>;
}

/** The recoveries that are under way, one for each target. Alarms of the same target share it. */
export class TargetRecoveries {
  readonly #parts: TargetRecoveriesParts;
  readonly #running = new Map<string, RunningJob>();
  /** The target and section that were reported for a process, by its name: they are reported once as long as they stay the same. */
  readonly #reportedRuling = new Map<string, string>();

  constructor(parts: TargetRecoveriesParts) {
    this.#parts = parts;
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size;
  }

  /** True while one is under way for this target, or for rows of this process. */
  isRunning(processName: string, target: string): boolean {
    const { targets, names } = this.underWay();
    return targets.has(target) || names.has(processName);
  }

  /** What is under way. */
  underWay(): UnderWay {
    const jobs = [...this.#running.values()].flatMap(({ job }) => [job, ...job.members]);
    return { targets: new Set(this.#running.keys()), names: new Set(jobs.map(({ process }) => process.processName)) };
  }

  /** The ends of those that are under way. */
  outcomes(): Promise<RecoveryOutcome>[] {
    return [...this.#running.values()].map(({ outcome }) => outcome);
  }

  /** Joins the recovery of the members' target that is under way, or begins it. `members`: at least one, all of one name. */
  async join(members: readonly Member[], plan: RecoveryPlan, ordered: boolean): Promise<RecoveryOutcome> {
    const [leader] = members;
    if (leader === undefined) return { kind: 'ended', reason: 'no process is in alarm' };
    const { process, alarm } = leader;
    for (;;) {
      const found = await this.#findTarget(process, plan);
      if (found.kind === 'blocked') return this.#parts.recorder.skip(leader, found.reason, found.level, found.why);
      const { target } = found;
      const ruling = await this.#ruling(process, plan, target);
      const running = this.#running.get(target);
      if (running === undefined || running.job.isClosed) {
        const repeated = this.#parts.breakers.snapshot(target).failures > 0;
        const sinceMs = leader.foundAtMs;
        const start = { members: [...members], provedAtMs: undefined, isClosed: false };
        const job = { target, ...ruling, alarm, ordered, repeated, sinceMs, ...start };
        this.#joinIncident(job, members);
        const outcome = await this.#begin(job);
        if (hasVerdict(outcome)) this.#reportShared(job, members);
        return outcome;
      }
      if (members.every((member) => isCoveredBy(running.job, member))) return this.#share(running, members, ordered);
      // Its proof of health is older than this alarm.
      await running.outcome;
      if (this.#parts.stopping.aborted) return { kind: 'interrupted' };
    }
  }

  /** Why a recovery begun now would be skipped; undefined if it would be tried, or join one that is under way. Changes nothing. */
  async foresee(process: ManagedProcess, plan: RecoveryPlan): Promise<string | undefined> {
    const found = await this.#findTarget(process, plan);
    if (found.kind === 'blocked') return found.reason;
    return !this.#running.has(found.target) && this.#parts.breakers.isRefusing(found.target) ? breakerOpen : undefined;
  }

  /** Finds the target, or what prevents a recovery before its breaker is asked. */
  async #findTarget(process: ManagedProcess, plan: RecoveryPlan): Promise<TargetFound> {
    const { config, abort, holds } = this.#parts;
    const resolution = await plan.strategy.resolve(process, abort);
    if (resolution.kind === 'refused') return blocked(resolution.reason, 'error', resolution.unanswered ? 'other' : 'refused');
    const held = await holds.reasonFor(process.processName, resolution.key);
    const others = held === undefined ? await holds.judgeOthers(process, plan.strategy) : { kind: 'free' as const };
    const reason = held ?? (others.kind === 'held' ? others.reason : undefined);
    if (reason !== undefined) return blocked(reason, 'warning', 'held');
    if (observes(config)) {
      const how = `using strategy ${plan.strategy.name} (${resolution.description})`;
      return blocked(`mode = observe: would have restarted it ${how}`, 'info', 'observed');
    }
    return { kind: 'free', target: resolution.key };
  }

  /** The configuration to use: if several sections mean the same target, that of the first in the file. */
  async #ruling(process: ManagedProcess, plan: RecoveryPlan, target: string): Promise<Pick<RecoveryJob, 'process' | 'plan'>> {
    const { targets, config, log } = this.#parts;
    const { processName } = process;
    const ruling = await targets.rulingOver(processName, target);
    if (ruling === undefined) {
      this.#reportedRuling.delete(processName);
      return { process, plan };
    }
    const isNews = this.#reportedRuling.get(processName) !== `${target} ${ruling}`;
    this.#reportedRuling.set(processName, `${target} ${ruling}`);
    log[isNews ? 'info' : 'debug'](
      `RESTART LOG: ${processName} is ${target}, and the settings of [process.${ruling}] apply to it`,
      processFields(process),
    );
    const rulingPlan = config.current().plans(ruling);
    return { process: managedProcess(ruling, rulingPlan, process.processId), plan: rulingPlan };
  }

  #begin(job: RecoveryJob): Promise<RecoveryOutcome> {
    const outcome = this.#parts.recoverTarget(job).finally(() => {
      if (this.#running.get(job.target)?.job === job) this.#running.delete(job.target);
    });
    this.#running.set(job.target, { job, outcome });
    return outcome;
  }

  async #share({ job, outcome }: RunningJob, members: readonly Member[], ordered: boolean): Promise<RecoveryOutcome> {
    job.ordered ||= ordered;
    this.#joinIncident(job, members);
    // An order and a poll may bring the same row.
    const others = members.filter((member) => !job.members.some((known) => isSameAlarmAs(known, member)));
    job.members.push(...others.map((member) => (job.provedAtMs === undefined ? this.#asLastRead(member) : member)));
    const shared = await outcome;
    if (shared.kind === 'skipped') for (const member of members) this.#parts.recorder.skip(member, shared.reason, 'warning');
    if (hasVerdict(shared)) this.#reportShared(job, members);
    return shared;
  }

  /** The member with its alarm as last read: while its target was looked for, a poll may have read other notes, which are not proved yet. */
  #asLastRead(member: Member): Member {
    const entry = member.alarm && this.#parts.book.get(member.alarm.key);
    return entry === undefined || entry.isOver ? member : { ...member, alarm: entry.alarm, notedAtMs: entry.notedAtMs };
  }

  /** Lets what happens to the members belong to the incident of the process that the recovery names. */
  #joinIncident({ process: { processName: leaderName } }: Pick<RecoveryJob, 'process'>, members: readonly Member[]): void {
    const processName = members[0]?.process.processName ?? leaderName;
    if (processName !== leaderName)
      this.#parts.events.emit({ type: 'incident_joined', processName, leaderName, why: 'same target' });
  }

  /** Reports a shared recovery for a name that is not in the recovery's own events. */
  #reportShared({ process: { processName: leaderName } }: Pick<RecoveryJob, 'process'>, [member]: readonly Member[]): void {
    if (member === undefined || member.process.processName === leaderName) return;
    this.#parts.events.emit({ type: 'recovery_shared', process: member.process, leaderName });
  }
}

/** True if a restart was tried, whatever its result. */
function hasVerdict({ kind }: RecoveryOutcome): boolean {
  return kind === 'recovered' || kind === 'failed' || kind === 'not_proved';
}

/** True if the end of `job` will be the end of the member's alarm too. */
function isCoveredBy(job: RecoveryJob, member: Member): boolean {
  return job.provedAtMs === undefined || member.foundAtMs <= job.provedAtMs;
}

/** True if `known` is already a member for the same alarm. */
function isSameAlarmAs(known: Member, member: Member): boolean {
  return known.alarm !== undefined && known.alarm.key === member.alarm?.key && stands(known.alarm);
}

function blocked(reason: string, level: 'error' | 'warning' | 'info', why: Skip['kind']) {
  return { kind: 'blocked', reason, level, why } as const;
}
