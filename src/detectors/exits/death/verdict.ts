import { localTimestamp } from '../../../core/clock.ts';
import { describeWaitStatus, isCleanEnd } from '../../../core/process/wait-status.ts';
import { formatDuration } from '../../../core/text/duration.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isReloading } from '../../../system/systemd/unit/state.ts';

/** The end of a process that was watched. */
export interface ProcessDeath {
  /** 0 where nobody knew it. */
  readonly pid: number;
  /** As wait(2) gives it; undefined where nobody could tell. */
  readonly status: number | undefined;
  /** At most, where nobody saw it end. */
  readonly uptimeMs: number;
  /** When it was noticed. */
  readonly at: Date;
  /** It was the main process of the unit that is monitored, or none; undefined where a program is monitored. */
  readonly wasMain?: boolean;
  /**
   * Nobody saw it: it ended while the daemon was away, or does not run some seconds after its recovery (`pid`: the former one), or ended
   * again before its new life was seen.
   */
  readonly unseen?: 'away' | 'recovered' | 'again';
  /** A recovery of it was under way when it ended, which may be over by the time that its end is judged. */
  readonly inRecovery?: true;
}

/**
 * `exit code 3 (pid 4711, up 2 h 3 min, 2026-11-21 12:00:00)`: the alarm's notes;
 * `ended while monitor_service was not running (pid 4711, noticed 2026-11-21 12:00:00)`;
 * `does not run after its recovery (noticed 2026-11-21 12:00:00)`. `why` it is an alarm comes after it, if that is not plain: `signal
 * SIGTERM (pid 4711, …); systemd stopped it with db.service`.
 */
export function describeDeath(death: ProcessDeath, why?: string): string {
  return why === undefined ? endWords(death) : `${endWords(death)}; ${why}`;
}

function endWords({ pid, status, uptimeMs, at, unseen }: ProcessDeath): string {
  if (unseen === 'recovered') return `does not run after its recovery (noticed ${localTimestamp(at)})`;
  if (unseen === 'again') return `ended again before it was seen (noticed ${localTimestamp(at)})`;
  if (unseen === 'away')
    return `ended while monitor_service was not running (${pid > 0 ? `pid ${pid}, ` : ''}noticed ${localTimestamp(at)})`;
  return `${describeWaitStatus(status)} (pid ${pid}, up ${formatDuration(uptimeMs)}, ${localTimestamp(at)})`;
}

/** What a death is to us: an alarm; or nothing, for the reason given; or it is too early to tell. */
export type Verdict =
  /** `why`: what is known beside the death. */
  | { readonly kind: 'alarm'; readonly why?: string }
  /** `stopped`: the unit that seems to have been stopped; whether that was meant its end must tell (stop.ts). */
  | { readonly kind: 'expected'; readonly why: string; readonly inRecovery?: undefined; readonly stopped?: string }
  /** `atMostMs`: from the death on; then it is an alarm. */
  | { readonly kind: 'wait'; readonly why: string; readonly atMostMs?: number };

/**
 * What is monitored: a program in the unit; the unit; a unit whose processes have ended, though it stays active
 * (RunningProcesses.isHollow).
 */
export type MeantUnit = 'program' | 'unit' | 'hollow';

/**
 * Judges the death of a process that ran in a unit, after which nothing of it was found running. `unit` is how systemd sees the
 * unit since then; `meant`: what of it is monitored. A unit that ended by a success is taken for stopped by an operator, and so is one
 * whose program took the stop for a failure (a Java program ends with exit code 143 then).
 */
export function judgeByUnit(
  unit: UnitStatus,
  meant: MeantUnit,
  death: ProcessDeath,
  isAlive: (pid: number) => boolean,
): Verdict {
  const { id, type, activeState, subState, mainPid, loadState, hasJob } = unit;
  if (loadState === 'not-found') {
    // A transient unit, forgotten when it ended: one that failed is mostly not.
    const failed = death.status !== undefined && !isCleanEnd(death.status);
    return failed ? { kind: 'alarm' } : { kind: 'expected', why: `${id} was stopped` };
  }
  // While its reload is under way systemd does nothing about its end, and a reload may hang.
  if (mainPid === 0 && meant !== 'program' && isReloading(unit))
    return { kind: 'wait', why: `${id} is ${activeState} without it`, atMostMs: RELOAD_MS };
  // Between the two halves of a restart it may be `failed`.
  if (hasJob) return { kind: 'wait', why: `a job of systemd for ${id} is under way` };
  switch (activeState) {
    case 'failed':
    case 'inactive':
      return isFailure(unit) ? { kind: 'alarm' } : { kind: 'expected', why: `${id} was stopped`, stopped: id };
    case 'active':
    case 'reloading':
    case 'refreshing':
      // A stop would have made it inactive, and systemd starts nothing again in a unit that it takes for active.
      if (mainPid === 0 && meant !== 'program' && subState === 'exited') {
        // A oneshot's main process has only done its work.
        const isEnd = meant === 'hollow' || type !== 'oneshot';
        return isEnd ? { kind: 'alarm' } : { kind: 'expected', why: `${id} stays active without it` };
      }
      // A unit that lives on without it, as cron does; else systemd does not know yet that it is dead.
      return (mainPid === 0 && meant === 'program') || (mainPid !== death.pid && isAlive(mainPid))
        ? { kind: 'alarm' }
        : { kind: 'wait', why: `${id} is ${activeState}` };
    default:
      return {
        kind: 'wait',
        why: subState.startsWith('auto-restart') ? `systemd is restarting ${id}` : `${id} is ${activeState}`,
      };
  }
}

const RELOAD_MS = 10_000;

/** True if a service that is down has failed by itself, as far as its state tells. */
export function isFailure({ result, endedByStop }: UnitStatus): boolean {
  return result !== 'success' && (!endedByStop || SYSTEMDS_OWN.includes(result));
}

/** Results of units that systemd ends without being asked. */
const SYSTEMDS_OWN: readonly string[] = ['watchdog', 'oom-kill'];
