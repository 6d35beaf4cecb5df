import type { UnprovedAlarm } from '../state/daemon-state.ts';
import { proveAgain } from './health-proof.ts';
import type { RecoveriesParts } from './recoveries.ts';
import type { Member, RecoveryOutcome } from './recovery-job.ts';
import type { RecoveryPlan } from './recovery-plan.ts';
import type { SkipLog } from './skip-log.ts';
import { notProved, pronounce } from './verdict.ts';

/** What an alarm is that an earlier recovery has dealt with. */
export interface EarlierRecovery {
  /** True where it healed the process, and only the clearing is missing. */
  readonly handled: boolean;
  /** Where it restarted it, and nobody could tell whether that helped. */
  readonly unproved: UnprovedAlarm | undefined;
}

/** Looks again at the health of what was restarted earlier and still is in alarm; restarts nothing. */
export class LookAgain {
  readonly #parts: RecoveriesParts;
  readonly #skips: SkipLog;
  readonly #looking = new Set<string>();

  constructor(parts: RecoveriesParts, skips: SkipLog) {
    this.#parts = parts;
    this.#skips = skips;
  }

  /** True while the alarm's process is looked at. */
  isUnderWay(key: string): boolean {
    return this.#looking.has(key);
  }

  /** How that ends the handling of the alarm; undefined where the process is known not to be well. */
  async run(member: Member, plan: RecoveryPlan, earlier: EarlierRecovery): Promise<RecoveryOutcome | undefined> {
    const key = member.alarm?.key ?? '';
    this.#looking.add(key);
    try {
      return await this.#judge(member, plan, earlier);
    } finally {
      this.#looking.delete(key);
    }
  }

  async #judge(member: Member, plan: RecoveryPlan, { unproved }: EarlierRecovery): Promise<RecoveryOutcome | undefined> {
    const { clock, abort, log, clearing } = this.#parts;
    const { process } = member;
    const proof = await proveAgain(plan, process, unproved?.attempts ?? 1, clock, abort);
    switch (proof.kind) {
      case 'healthy':
      case 'assumed':
        if (unproved !== undefined) this.#proved(member, unproved);
        await clearing.clear(member);
        return { kind: 'recovered', attempts: 0 };
      case 'not_proved':
        if (abort.aborted) return { kind: 'interrupted' };
        log.debug(`Health check not proved for ${process.processName}: ${proof.reason} (${proof.detail})`);
        if (unproved !== undefined) this.#parts.unproved.renew(unproved, proof.reason);
        return this.#skips.skip(member, notProved(proof.reason), 'warning');
      case 'unhealthy':
        if (abort.aborted) return { kind: 'interrupted' };
        if (unproved !== undefined) this.#parts.unproved.forget(unproved.key);
        return undefined;
      default:
        return proof satisfies never;
    }
  }

  /** What the recovery could not say at its end is said now. */
  #proved({ process, foundAtMs }: Member, { key, target, attempts }: UnprovedAlarm): void {
    this.#parts.unproved.forget(key);
    if (target !== null) pronounce({ process, target }, { kind: 'recovered', attempts }, foundAtMs, this.#parts);
  }
}
