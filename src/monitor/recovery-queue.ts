import type { ManagedProcess, ProcessRow } from '../core/alarm.ts';
import { errorMessage } from '../core/errors.ts';
import type { AlarmClearing } from './alarm-clearing.ts';
import type { Breakers } from './breakers.ts';
import { proveHealthy } from './health-proof.ts';
import type { Holds } from './holds.ts';
import { recover } from './recovery.ts';
import type { Member, RecoveryJob, RecoveryOutcome, RecoveryParts } from './recovery-job.ts';
import { managedProcess, type Plans, type RecoveryPlan } from './recovery-plan.ts';
import { isSameAlarm, type Settlement } from './settlement.ts';
import { SkipLog } from './skip-log.ts';
import { conclude } from './verdict.ts';

/** How the handling of one alarm ended. `skipped`: nothing was done to the process, and why. */
export type HandlingOutcome = RecoveryOutcome | { readonly kind: 'skipped'; readonly reason: string };

/** An alarm to be handled: a row whose name is known to be one. */
export interface FoundAlarm {
  readonly row: ProcessRow;
  readonly processName: string;
  /** Monotonic time at which it was first seen. */
  readonly foundAtMs: number;
  /** True where an earlier recovery healed it and only its clearing is missing. */
  readonly handled: boolean;
}

/** What the queue needs. */
export interface RecoveryQueueParts extends RecoveryParts {
  /** Swapped at a reload. */
  readonly plans: () => Plans;
  readonly observeOnly: () => boolean;
  readonly breakers: Breakers;
  readonly holds: Holds;
  readonly clearing: AlarmClearing;
  readonly settlement: Settlement;
}

/**
 * Takes alarms and brings each to its end, side by side: one handling for each row, one recovery for each target. What a row
 * depends on goes first; how many commands run at once is the slots' business.
 */
export class RecoveryQueue {
  readonly #parts: RecoveryQueueParts;
  readonly #handling = new Map<number, { readonly processName: string; readonly outcome: Promise<HandlingOutcome> }>();
  readonly #jobs = new Map<string, { readonly job: RecoveryJob; readonly outcome: Promise<HandlingOutcome> }>();
  readonly #endedSincePoll = new Set<number>();
  readonly #skips: SkipLog;

  constructor(parts: RecoveryQueueParts) {
    this.#parts = parts;
    this.#skips = new SkipLog(parts.log, parts.events);
  }

  /** How many recoveries are under way. */
  get recovering(): number {
    return this.#jobs.size;
  }

  /** True while the row's alarm is being handled. */
  isHandling(processId: number): boolean {
    return this.#handling.has(processId);
  }

  /** Why the row's alarm was last skipped; undefined where it was not. */
  skipReason(processId: number): string | undefined {
    return this.#skips.reason(processId);
  }

  /** To be called before the store is asked: what ends from now on may still be in alarm in the answer, and is then not taken again. */
  pollStarting(): void {
    this.#endedSincePoll.clear();
  }

  /** Takes the alarms of one poll. Those already being handled are left alone. */
  submit(alarms: readonly FoundAlarm[]): void {
    this.#skips.forgetAllBut(new Set(alarms.map(({ row }) => row.processId)));
    const fresh = alarms.filter(({ row }) => !this.#handling.has(row.processId) && !this.#endedSincePoll.has(row.processId));
    // All are registered before the first one looks for what it depends on.
    const { promise: start, resolve: go } = Promise.withResolvers<void>();
    for (const alarm of fresh) {
      const { processId } = alarm.row;
      const outcome = start.then(() => this.#handle(alarm)).catch((error: unknown) => this.#bug(alarm.processName, error));
      this.#handling.set(processId, { processName: alarm.processName, outcome });
      void outcome.then(() => {
        this.#handling.delete(processId);
        this.#endedSincePoll.add(processId);
      });
    }
    go();
  }

  /** An operator's order: one recovery now, whatever the breaker says; joins the one that is under way for the same target. */
  async order(processName: string, row: ProcessRow | undefined): Promise<HandlingOutcome> {
    const plan = this.#parts.plans()(processName);
    const process = managedProcess({ processId: row?.processId ?? 0 }, processName, plan);
    const hold = this.#parts.holds.of(processName);
    if (hold !== undefined)
      return { kind: 'skipped', reason: `on hold${hold.reason === '' ? '' : ` (${hold.reason})`}: release it first` };
    if (this.#parts.observeOnly()) return { kind: 'skipped', reason: 'mode = observe: nothing is restarted' };
    return this.#join({ process, row, foundAtMs: this.#parts.clock.monotonicMs() }, plan, true).catch((error: unknown) =>
      this.#bug(processName, error),
    );
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#handling.size > 0 || this.#jobs.size > 0) {
      await Promise.allSettled([...this.#handling.values(), ...this.#jobs.values()].map(({ outcome }) => outcome));
    }
  }

  async #handle(alarm: FoundAlarm): Promise<HandlingOutcome> {
    const { row, processName, foundAtMs } = alarm;
    const plan = this.#parts.plans()(processName);
    const process = managedProcess(row, processName, plan);
    const member: Member = { process, row, foundAtMs };
    if (alarm.handled && !this.#parts.observeOnly() && (await this.#clearHandled(member, plan)))
      return { kind: 'recovered', attempts: 0 };
    const hold = this.#parts.holds.of(processName);
    if (hold !== undefined) return this.#skip(process, `on hold${hold.reason === '' ? '' : `: ${hold.reason}`}`);
    const blocked = await this.#awaitDependencies(processName, plan);
    if (blocked !== undefined) return this.#skip(process, blocked);
    return this.#join(member, plan, false);
  }

  /** An alarm that was healed before and could not be cleared then: true where the process is still well and clearing was tried again. */
  async #clearHandled(member: Member, plan: RecoveryPlan): Promise<boolean> {
    const proof = await proveHealthy(plan, member.process, 1, this.#parts.clock, this.#parts.abort);
    if (proof.kind === 'unhealthy') return this.#parts.abort.aborted;
    await this.#parts.clearing.clear(member);
    return true;
  }

  /** Waits for those in alarm that `process` depends on; why it must not be restarted where one of them did not get well. */
  async #awaitDependencies(processName: string, plan: RecoveryPlan): Promise<string | undefined> {
    for (const name of plan.settings.dependsOn) {
      // [process.default] may name what every other process depends on.
      if (name === processName) continue;
      for (const other of [...this.#handling.values()].filter((handling) => handling.processName === name)) {
        const outcome = await other.outcome;
        if (outcome.kind === 'failed' || outcome.kind === 'skipped')
          return `it depends on ${name}, which did not get well: ${outcome.reason}`;
        if (outcome.kind === 'interrupted') return `it depends on ${name}, whose recovery was interrupted`;
      }
    }
    return undefined;
  }

  /** Joins the recovery that is under way for the row's target, or begins it. */
  async #join(member: Member, plan: RecoveryPlan, ordered: boolean): Promise<HandlingOutcome> {
    const { process } = member;
    const resolution = await plan.strategy.resolve(process, this.#parts.abort);
    if (resolution.kind === 'refused') return this.#skip(process, resolution.reason, 'error');
    const target = resolution.key;
    if (this.#parts.observeOnly()) {
      return this.#skip(
        process,
        `mode = observe: would have restarted it using strategy ${plan.strategy.name} (${resolution.description})`,
        'info',
      );
    }
    const running = this.#jobs.get(target);
    if (running !== undefined) {
      running.job.members.push(member);
      return running.outcome;
    }
    const repeated = this.#parts.breakers.snapshot(target).failures > 0;
    const job: RecoveryJob = { target, plan, process, members: [member], ordered, repeated, sinceMs: member.foundAtMs };
    const outcome = this.#run(job).finally(() => this.#leave(job));
    this.#jobs.set(target, { job, outcome });
    return outcome;
  }

  async #run(job: RecoveryJob): Promise<HandlingOutcome> {
    const startedMs = this.#parts.clock.monotonicMs();
    if (await this.#provedAfterCrash(job)) return this.#conclude(job, { kind: 'recovered', attempts: 0 }, startedMs);
    const { breakers } = this.#parts;
    if (job.ordered) breakers.admitOrder(job.target, job.process);
    else {
      const admission = breakers.admit(job.target, job.process);
      if (admission.kind === 'refused') return this.#skip(job.process, 'circuit breaker open', 'silent');
    }
    this.#parts.events.emit({
      type: 'recovery_started',
      process: job.process,
      target: job.target,
      strategy: job.plan.strategy.name,
    });
    return this.#conclude(job, await recover(job, this.#parts), startedMs);
  }

  /** True where an attempt of an earlier life of the daemon turns out to have made the process well. */
  async #provedAfterCrash(job: RecoveryJob): Promise<boolean> {
    const left = await this.#parts.settlement.settle(job);
    if (left === undefined || job.ordered || !isSameAlarm(left, job)) return false;
    const proof = await proveHealthy(job.plan, job.process, left.attempt, this.#parts.clock, this.#parts.abort);
    if (proof.kind !== 'healthy') return false;
    this.#parts.log.info(
      `RESTART LOG: ${job.process.processName} is healthy after the attempt that was under way; not restarted again`,
      {
        process_name: job.process.processName,
        target: job.target,
      },
    );
    return true;
  }

  async #conclude(job: RecoveryJob, outcome: RecoveryOutcome, startedMs: number): Promise<RecoveryOutcome> {
    await conclude(job, outcome, startedMs, this.#parts);
    // In the same breath as the last look for members: who comes later begins a recovery of its own.
    this.#leave(job);
    return outcome;
  }

  #leave(job: RecoveryJob): void {
    if (this.#jobs.get(job.target)?.job === job) this.#jobs.delete(job.target);
  }

  #skip(process: ManagedProcess, reason: string, level: 'error' | 'warning' | 'info' | 'silent' = 'warning'): HandlingOutcome {
    this.#skips.tell(process, reason, level);
    return { kind: 'skipped', reason };
  }

  /** Nothing of ours rejects for an expected fault: what arrives here is a mistake in the program, and must not end the daemon. */
  #bug(processName: string, error: unknown): HandlingOutcome {
    this.#parts.log.error(`Internal error while handling ${processName}: ${errorMessage(error)}`, {
      process_name: processName,
      err: error,
    });
    return { kind: 'failed', reason: `internal error: ${errorMessage(error)}` };
  }
}
