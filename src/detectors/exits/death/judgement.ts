// Looks again and again until it is clear what the death of a watched process means.
import type { Clock } from '../../../core/clock.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import type { RunningProcesses } from '../../../system/systemd/running-processes.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import { judgeByUnit, type ProcessDeath, type Verdict } from './verdict.ts';

/** What the judging of a death needs. */
export interface DeathInquiry {
  readonly table: ProcessTable;
  readonly clock: Clock;
  readonly isRecovering: () => boolean;
  /** Waits for `ms` before the next look; less if something about the unit changes or `signal` aborts. */
  readonly pause: (ms: number) => Promise<void>;
  /** What runs of the process now. */
  readonly find: () => Promise<RunningProcesses>;
  /** The unit in which the program ran; undefined if there is none, `unknown` if systemd does not answer. */
  readonly showUnit: () => Promise<UnitStatus | 'unknown' | undefined>;
  /** Judges whether this unit, which seems to have been stopped, was meant to be down. */
  readonly judgeStop: (unit: string) => Promise<Verdict>;
  /**
   * Called once for each time that its unit has ended and systemd is about to start it again; the first of these is this death.
   */
  readonly onRestart: (unit: UnitStatus) => void;
  readonly signal: AbortSignal;
}

/** What the death of the last known process means. */
export type Judgement =
  | Exclude<Verdict, { kind: 'wait' }>
  /** Our own recovery of it takes care of it: nobody has said that it should not run. */
  | { readonly kind: 'expected'; readonly why: string; readonly inRecovery: true }
  /** Other processes of it run: somebody started it again (`isRestarted`), or they had outlived that one. */
  | { readonly kind: 'lives'; readonly running: FoundProcesses; readonly isRestarted: boolean }
  /** The signal aborted first. */
  | { readonly kind: 'aborted' };

/** The result of a look that could determine what runs. */
export type FoundProcesses = RunningProcesses & { readonly kind: 'found' };

/** Looks again and again until it is clear: a unit may take its time to stop, or to be started again. Never rejects. */
export async function judgeDeath(death: ProcessDeath, inquiry: DeathInquiry): Promise<Judgement> {
  const { signal, clock, isRecovering, find, showUnit, pause } = inquiry;
  const begunMs = clock.monotonicMs();
  let restartMs: number | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    if (isRecovering()) return { kind: 'expected', why: 'a recovery is under way', inRecovery: true };
    const shown = await showUnit();
    // After that: while systemd was queried it may have started the program.
    const running = await find();
    const status = (running.kind === 'found' ? running.status : undefined) ?? shown;
    if (isBeingRestarted(status) && status.changedMs !== restartMs) {
      restartMs = status.changedMs;
      inquiry.onRestart(status);
    }
    const weighed = weigh(death, running, shown, inquiry);
    const stopped = 'stopped' in weighed ? weighed.stopped : undefined;
    const verdict = stopped === undefined ? weighed : await inquiry.judgeStop(stopped);
    if (signal.aborted) return { kind: 'aborted' };
    const isOverdue =
      verdict.kind === 'wait' && clock.monotonicMs() - begunMs >= (verdict.atMostMs ?? Number.POSITIVE_INFINITY);
    if (isOverdue) return { kind: 'alarm', why: verdict.why };
    const supervisorMs = running.kind === 'found' ? (running.supervisor?.leftMs ?? 0) : 0;
    // Nothing runs, and another supervisor still has time to start it again.
    const awaitsOther = verdict.kind === 'alarm' && supervisorMs > 0;
    if (verdict.kind !== 'wait' && !awaitsOther) return verdict;
    await pause(awaitsOther ? Math.min(pauseMs, supervisorMs) : pauseMs);
  }
}

const FIRST_PAUSE_MS = 10;
const LAST_PAUSE_MS = 2000;

function weigh(
  death: ProcessDeath,
  running: RunningProcesses,
  shown: UnitStatus | 'unknown' | undefined,
  { table, clock }: DeathInquiry,
): Judgement | Verdict {
  if (running.kind === 'unknown') return { kind: 'wait', why: running.reason };
  const [oldest] = running.processes;
  if (oldest !== undefined) {
    const bornMs = clock.date().getTime() - table.ageMs(oldest);
    return { kind: 'lives', running, isRestarted: bornMs > death.at.getTime() - NOTICED_WITHIN_MS };
  }
  if (shown === 'unknown') return { kind: 'wait', why: 'systemd does not answer' };
  const unit = running.status ?? shown;
  if (unit === undefined) return { kind: 'alarm' };
  const meant = running.status === undefined ? 'program' : running.isHollow ? 'hollow' : 'unit';
  return judgeByUnit(unit, meant, death, (pid) => table.isRunning(pid));
}

/** Not `auto-restart-queued`, which follows it (since systemd 254): each restart is to be seen once. */
function isBeingRestarted(status: UnitStatus | 'unknown' | undefined): status is UnitStatus {
  if (status === undefined || status === 'unknown') return false;
  return status.activeState === 'activating' && status.subState === 'auto-restart';
}

/** On a busy machine a death is noticed late, after the start of its successor. */
const NOTICED_WITHIN_MS = 5000;
