// What a process's death and its unit's state mean together.
import { localTimestamp } from '../../../core/clock.ts';
import { describeWaitStatus, isCleanEnd } from '../../../core/process/wait-status.ts';
import { formatDuration } from '../../../core/text/duration.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isReloading } from '../../../system/systemd/unit/state.ts';

/** The end of a process that was watched. */
export interface ProcessDeath {
  /** 0 if it is not known. */
  readonly pid: number;
  /** As wait(2) gives it; undefined if it is not known. */
  readonly status: number | undefined;
  /** An upper bound if nobody saw it end. */
  readonly uptimeMs: number;
  /** When it was noticed. */
  readonly at: Date;
  /** Whether it was the main process of the watched unit; undefined if a program is watched. */
  readonly wasMain?: boolean;
  /**
   * Nobody saw it end: it ended while the daemon was not running (`away`); or it does not run some seconds after its recovery,
   * `pid` being the former one (`recovered`); or it ended again before its new life was seen (`again`).
   */
  readonly unseen?: 'away' | 'recovered' | 'again';
  /** A recovery of it was under way when it ended; that may be over by the time that its end is judged. */
  readonly inRecovery?: true;
}

/**
 * The alarm's notes: `exit code 3 (pid 4711, up 2 h 3 min, 2026-11-21 12:00:00)`; `ended while monitor_service was not running
 * (pid 4711, noticed 2026-11-21 12:00:00)`; `does not run after its recovery (noticed 2026-11-21 12:00:00)`. `why`: the reason
 * for the alarm, appended if it is not obvious: `signal SIGTERM (pid 4711, …); systemd stopped it with db.service`.
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

/** What a death means: an alarm; or no alarm, for the reason given; or it is too early to decide. */
export type Verdict =
  /** `why`: what is known besides the death. */
  | { readonly kind: 'alarm'; readonly why?: string }
  /** `stopped`: the unit that seems to have been stopped; stop.ts determines from its end whether that was intended. */
  | { readonly kind: 'expected'; readonly why: string; readonly inRecovery?: undefined; readonly stopped?: string }
  /** `atMostMs`: counted from the death; after that it is an alarm. */
  | { readonly kind: 'wait'; readonly why: string; readonly atMostMs?: number };

/**
 * What is watched: a program in the unit; the unit; a unit that stays active without its processes (RunningProcesses.isHollow).
 */
type MeantUnit = 'program' | 'unit' | 'hollow';

/**
 * Judges the death of a process that ran in a unit, after which none of its processes was found running. `unit`: systemd's view
 * of the unit since then; `meant`: what of it is watched. A unit that ended with success is taken as stopped by an operator. So
 * is one whose program reported the stop as a failure (a Java program ends with exit code 143 then).
 */
export function judgeByUnit(
  unit: UnitStatus,
  meant: MeantUnit,
  death: ProcessDeath,
  isAlive: (pid: number) => boolean,
): Verdict {
  const { id, type, activeState, subState, mainPid, loadState, hasJob } = unit;
  if (loadState === 'not-found') {
    // A transient unit, unloaded when it ended: a failed one mostly stays loaded.
    const failed = death.status !== undefined && !isCleanEnd(death.status);
    return failed ? { kind: 'alarm' } : { kind: 'expected', why: `${id} was stopped` };
  }
  // While its reload is under way systemd does not react to its end, and a reload may hang.
  if (mainPid === 0 && meant !== 'program' && isReloading(unit))
    return { kind: 'wait', why: `${id} is ${activeState} without it`, atMostMs: RELOAD_MS };
  // Between the two halves of a restart the unit may be `failed`.
  if (hasJob) return { kind: 'wait', why: `a job of systemd for ${id} is under way` };
  switch (activeState) {
    case 'failed':
    case 'inactive':
      return isFailure(unit) ? { kind: 'alarm' } : { kind: 'expected', why: `${id} was stopped`, stopped: id };
    case 'active':
    case 'reloading':
    case 'refreshing':
      // A stop would have made it inactive, and systemd starts nothing again in a unit that it considers active.
      if (mainPid === 0 && meant !== 'program' && subState === 'exited') {
        // The main process of a oneshot has only done its work.
        const isEnd = meant === 'hollow' || type !== 'oneshot';
        return isEnd ? { kind: 'alarm' } : { kind: 'expected', why: `${id} stays active without it` };
      }
      // Either the unit lives on without it, as cron does; or systemd does not know yet that it is dead.
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

/** True if a service that is down has failed by itself, as far as its state shows. */
export function isFailure({ result, endedByStop }: UnitStatus): boolean {
  return result !== 'success' && (!endedByStop || SYSTEMDS_OWN.includes(result));
}

/** Results of units that systemd ends without an order. */
const SYSTEMDS_OWN: readonly string[] = ['watchdog', 'oom-kill'];
