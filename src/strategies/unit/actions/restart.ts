// Restarts a unit: waits for systemd's own restart, starts or restarts the unit, and uses force if it hangs.
import type { Clock } from '../../../core/clock.ts';
import { type Deadline, withDeadline } from '../../../core/deadline.ts';
import { withLines } from '../../../core/text/last-lines.ts';
import type { UnitStatus } from '../../../system/systemd/service-manager.ts';
import { isUp } from '../../../system/systemd/unit/state.ts';
import { type RestartOutcome, type StrategyParts, UNWANTED } from '../../strategy.ts';
import { describeHollow, lookInto } from '../health.ts';
import { type UnitLookup, untilAnswered } from '../lookup.ts';
import type { UnitPermission } from '../relations/permission.ts';
import { hangs, loadProblem, nextStep } from '../state.ts';
import { notUp, restartByForce, type UnitFailure } from './force.ts';
import { startOrRestart } from './start.ts';

/** What the service strategy needs of the strategies' parts. */
export type ServiceParts = Pick<StrategyParts, 'services' | 'clock' | 'log' | 'table' | 'unitsWithProcesses'>;

/** One restart of one unit. */
interface UnitRestart {
  /** Finds and judges the unit again: between two looks an alias may have come to mean another unit. */
  readonly lookUp: (signal: AbortSignal) => Promise<UnitLookup>;
  /** Whether it may be restarted in its present state; asked right before that is done. */
  readonly permit: (status: UnitStatus, signal: AbortSignal) => Promise<UnitPermission>;
  /** Contains the unit's name from before it is touched until it is up. */
  readonly touched: Set<string>;
  /** For waiting for systemd's own restart, again for what we do then, and once more for doing it by force. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** RestartAttempt.outsideSlot. */
  readonly outsideSlot: <T>(wait: () => Promise<T>) => Promise<T>;
  /** RestartAttempt.isUnwanted. */
  readonly isUnwanted: () => Promise<boolean>;
}

/**
 * Brings a unit up: waits while systemd itself is about to restart it, then starts or restarts it, and lifts its start limit if
 * that prevents it. A unit that hangs until the limit is restarted by force, with as much time again. A failure has systemd's
 * reason, and the last lines that the unit wrote. Never rejects. Source: systemctl(1).
 */
export async function restartUnit(parts: ServiceParts, restart: UnitRestart): Promise<RestartOutcome> {
  const within = <T>(run: (deadline: Deadline) => Promise<T>): Promise<T> =>
    withDeadline(parts.clock, restart.limitMs, restart.signal, run);
  const ready = await within((deadline) => waitForSystemd(parts, restart, deadline));
  const step = ready.kind === 'unit' ? await within((deadline) => act(parts, restart, ready.status, deadline)) : ready;
  const done = step.kind === 'late' ? await within((deadline) => forceIfHung(parts, restart, step.status, deadline)) : step;
  const proved = done.kind === 'restarted' && mayBeHollow(ready) ? ((await hollowFailure(parts, restart)) ?? done) : done;
  return 'unit' in proved ? explained(parts, restart, proved) : proved;
}

/** How one part of a restart went. `late`: its time ran out; `status`: the unit's state at its beginning. */
type Step = RestartOutcome | UnitFailure | { readonly kind: 'late'; readonly status: UnitStatus };
type ReadyStep = Step | { readonly kind: 'unit'; readonly status: UnitStatus };

/** The unit's state once systemd itself does nothing about it. */
async function waitForSystemd(parts: ServiceParts, restart: UnitRestart, deadline: Deadline): Promise<ReadyStep> {
  const first = await look(parts, restart, deadline);
  if (first.kind !== 'unit' || !(await isAwaited(parts, first.status, deadline))) return first;
  parts.log.debug(`systemd is restarting ${first.status.id} by itself: waiting for it`);
  const ready = await restart.outsideSlot(() => awaitOwnRestart(parts, first.status, restart, deadline));
  const isOver = ready.kind === 'unit' && (await restart.isUnwanted());
  return isOver ? { kind: 'failed', reason: UNWANTED } : ready;
}

async function look({ clock }: ServiceParts, { lookUp }: UnitRestart, deadline: Deadline) {
  const found = await untilAnswered(clock, lookUp, deadline.signal);
  if (found.kind === 'unanswered') return { kind: 'failed', reason: `not started: ${found.why}` } as const;
  if (found.kind !== 'found') return { kind: 'failed', reason: found.reason } as const;
  const problem = loadProblem(found.status);
  return problem === undefined
    ? ({ kind: 'unit', status: found.status } as const)
    : ({ kind: 'failed', reason: problem } as const);
}

/** Whether systemd will restart it by itself in the time that is left. */
async function isAwaited({ services, clock }: ServiceParts, status: UnitStatus, deadline: Deadline): Promise<boolean> {
  if (nextStep(status) !== 'wait') return false;
  const due = await services.restartDue(status.id, deadline.signal);
  return due.kind === 'failed' || isDueWithin(due.dueMs, deadline.remainingMs(), clock);
}

/** Whether systemd's own restart comes within `ms` from now; `dueMs`: ServiceManager.restartDue. */
export function isDueWithin(dueMs: number | undefined, ms: number, clock: Clock): boolean {
  return (dueMs ?? 0) <= clock.monotonicMs() + ms;
}

async function awaitOwnRestart(
  parts: ServiceParts,
  first: UnitStatus,
  restart: UnitRestart,
  deadline: Deadline,
): Promise<ReadyStep> {
  let last = first;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    await parts.clock.sleep(Math.min(pauseMs, deadline.remainingMs()), deadline.signal);
    if (restart.signal.aborted) return { kind: 'failed', reason: 'aborted' };
    const now = deadline.remainingMs() === 0 ? undefined : await look(parts, restart, deadline);
    // An answer that our own limit has cut off is not an answer.
    if (now === undefined || deadline.signal.aborted) return { kind: 'late', status: last };
    if (now.kind !== 'unit') return now;
    if (isUp(now.status)) return { kind: 'restarted', detail: `systemd restarted ${now.status.id} itself` };
    if (!(await isAwaited(parts, now.status, deadline))) return now;
    last = now.status;
  }
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

/** Starts or restarts it, if that is permitted. */
async function act(parts: ServiceParts, restart: UnitRestart, status: UnitStatus, deadline: Deadline): Promise<Step> {
  const order = { status, deadline, refusal: 'not started' };
  const outcome = await ifPermitted(parts, restart, order, (killMode) =>
    startOrRestart(parts, status, { ...restart, deadline, killMode }),
  );
  const isLate = 'unit' in outcome && deadline.remainingMs() < MOMENT_MS && !restart.signal.aborted;
  return isLate ? { kind: 'late', status } : outcome;
}

/** By how much timers of the same length may differ. */
const MOMENT_MS = 20;

/** Restarts by force a unit that has not come up in its time, if it hangs. */
async function forceIfHung(
  parts: ServiceParts,
  restart: UnitRestart,
  before: UnitStatus,
  deadline: Deadline,
): Promise<RestartOutcome | UnitFailure> {
  const now = await look(parts, restart, deadline);
  if (now.kind !== 'unit') return now;
  const { status } = now;
  if (hasComeUp(before, status)) {
    restart.touched.delete(status.id);
    return { kind: 'restarted', detail: `${status.id} came up at the last moment` };
  }
  if (!hangs(status)) return notUp(status);
  if (await restart.isUnwanted()) return { kind: 'failed', reason: UNWANTED };
  const order = { status, deadline, refusal: 'not restarted by force' };
  return ifPermitted(parts, restart, order, () =>
    restartByForce(parts, { status, hungMs: restart.limitMs, deadline, signal: restart.signal }),
  );
}

/** Brings the unit up with `run`, if that is permitted; `refusal`: what was not done, if systemd does not answer. */
async function ifPermitted(
  { clock }: ServiceParts,
  { permit, touched }: UnitRestart,
  { status, deadline, refusal }: { readonly status: UnitStatus; readonly deadline: Deadline; readonly refusal: string },
  run: (killMode: string | undefined) => Promise<RestartOutcome | UnitFailure>,
): Promise<RestartOutcome | UnitFailure> {
  const permission = await untilAnswered(clock, (signal) => permit(status, signal), deadline.signal);
  if (permission.kind === 'unanswered') return { kind: 'failed', reason: `${refusal}: ${permission.why}` };
  if (permission.kind === 'refused') return { kind: 'failed', reason: permission.reason };
  touched.add(status.id);
  const outcome = await run(permission.killMode);
  if (outcome.kind === 'restarted') touched.delete(status.id);
  return outcome;
}

function hasComeUp(before: UnitStatus, now: UnitStatus): boolean {
  if (now.hasJob) return false;
  if (isUp(now)) return !isUp(before) || before.mainPid !== now.mainPid;
  // Its state does not change if systemd skips its start.
  const hasRun = now.changedMs > before.changedMs;
  return now.type === 'oneshot' && now.activeState === 'inactive' && now.result === 'success' && hasRun;
}

/** True only for a unit that stays active without processes; what systemd itself has restarted may be one. */
function mayBeHollow(ready: ReadyStep): boolean {
  return !('status' in ready) || ready.status.remainsAfterExit;
}

/** The failure of a unit that is up without what it exists for; undefined if that is not so, or cannot be determined. */
async function hollowFailure(parts: ServiceParts, { lookUp, signal }: UnitRestart): Promise<UnitFailure | undefined> {
  const after = await lookInto(parts, lookUp, signal);
  if (after.kind !== 'seen' || !after.isHollow) return undefined;
  return { kind: 'failed', unit: after.status.id, reason: describeHollow(after.status), isFromSystemd: true };
}

/** The failure with systemd's reason and the last lines that the unit wrote. */
async function explained({ services }: ServiceParts, { signal }: UnitRestart, failure: UnitFailure): Promise<RestartOutcome> {
  const { reason, output } = await services.explain(failure.unit, signal);
  const why = failure.isFromSystemd || reason === undefined ? failure.reason : `${failure.reason}: ${reason}`;
  return { kind: 'failed', reason: withLines(why, output), ...(output.length > 0 && { output }) };
}
