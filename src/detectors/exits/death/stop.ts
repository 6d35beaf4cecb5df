// Determines whether a unit that went down was meant to: by somebody's order, or with another unit that failed.
import type { Clock } from '../../../core/clock.ts';
import { isCleanEnd } from '../../../core/process/wait-status.ts';
import type { SeenEnd, ServiceManager, UnitEnd } from '../../../system/systemd/service-manager.ts';
import { isDown, isUp } from '../../../system/systemd/unit/state.ts';
import { isFailure, type ProcessDeath, type Verdict } from './verdict.ts';

/** What the question about a stopped unit needs. */
interface StopInquiry {
  readonly services: Pick<ServiceManager, 'end'>;
  readonly clock: Clock;
  /** True while one of our recoveries of that unit is under way. */
  readonly isUnitRecovering: (unit: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Determines whether a unit that is down, and does not say that it failed, was meant to be: somebody ordered it to stop, or its
 * main process ended well by itself. If systemd stopped it with another unit, that unit decides. What nobody could see counts
 * as an order. Never rejects.
 */
export async function judgeStop(unit: string, death: ProcessDeath, inquiry: StopInquiry): Promise<Verdict> {
  const asked = await inquiry.services.end(unit, inquiry.signal);
  if (asked.kind === 'failed') return SILENT;
  const { end } = asked;
  if (end.status.hasJob || !isDown(end.status)) return MOVES;
  const diedMs = inquiry.clock.monotonicMs() - (inquiry.clock.date().getTime() - death.at.getTime());
  const seen = seenOf(end, diedMs - death.uptimeMs);
  if (seen?.hadJob === false)
    return endedWell(end, death) ? { kind: 'expected', why: `${unit} was stopped` } : { kind: 'alarm' };
  const sinceMs = (seen?.leftActiveMs ?? end.leftActiveMs) || diedMs;
  const cause = await causeAmong(end, sinceMs, new Set([unit]), inquiry);
  if (cause.kind === 'wait') return cause;
  if (cause.kind === 'order') return { kind: 'expected', why: `${unit} was stopped` };
  return { kind: 'alarm', why: `systemd stopped it with ${cause.unit}` };
}

const MOVES = { kind: 'wait', why: 'systemd has begun to do something about it' } as const;
const SILENT = { kind: 'wait', why: 'systemd does not answer' } as const;

/** Its last end as it was seen, if that was after `fromMs` and is not an earlier one. */
function seenOf({ seen, leftActiveMs }: UnitEnd, fromMs: number): SeenEnd | undefined {
  // At rest systemd may have forgotten when that was.
  const isLast = leftActiveMs === 0 || leftActiveMs === seen?.leftActiveMs;
  return seen !== undefined && isLast && seen.leftActiveMs >= fromMs ? seen : undefined;
}

/** Whether a unit that went down without a job ended well. */
function endedWell({ status }: UnitEnd, { status: waited, wasMain }: ProcessDeath): boolean {
  if (status.result !== 'success') return false;
  if (status.type === 'oneshot' || (waited !== undefined && isCleanEnd(waited))) return true;
  // systemd does not ask how a process other than the main one ended; it would report what it takes for a failure.
  return wasMain ?? waited === undefined;
}

/** Why a unit went down: an order, as far as is known; or the end of `unit`, which nobody has ordered. */
type Cause =
  | { readonly kind: 'order' }
  | { readonly kind: 'with'; readonly unit: string }
  | { readonly kind: 'wait'; readonly why: string };

/** Which of the units that it is stopped with, if any, has brought it down. */
async function causeAmong(end: UnitEnd, sinceMs: number, known: Set<string>, inquiry: StopInquiry): Promise<Cause> {
  for (const other of end.stoppedWith) {
    // A slice has nothing that could end.
    if (other.endsWith('.slice') || known.has(other)) continue;
    known.add(other);
    const cause = await causeIn(other, sinceMs, known, inquiry);
    if (cause.kind === 'with') return { kind: 'with', unit: other };
    if (cause.kind === 'wait') return cause;
  }
  return { kind: 'order' };
}

/** How `unit` is involved when another one, which goes down with it, left `active` at `sinceMs`. */
async function causeIn(unit: string, sinceMs: number, known: Set<string>, inquiry: StopInquiry): Promise<Cause> {
  const asked = await inquiry.services.end(unit, inquiry.signal);
  if (asked.kind === 'failed') return SILENT;
  const { end } = asked;
  const { activeState, hasJob } = end.status;
  // A unit that waits until the others are down is still up.
  if (activeState === 'deactivating' || (activeState === 'active' && hasJob))
    return { kind: 'wait', why: `systemd is stopping ${unit}` };
  const isAtRest = isDown(end.status);
  const seen = seenOf(end, 0);
  const wentMs = end.wentMs || (seen?.leftActiveMs ?? 0);
  const isConcerned = wentMs >= sinceMs - TOGETHER_MS || (wentMs === 0 && isAtRest);
  // A unit that systemd waits to restart is not up.
  const wasUpAgain = isUp(end.status) && Math.max(wentMs, end.status.changedMs) < sinceMs;
  if (!isConcerned || wasUpAgain) return { kind: 'order' };
  if (inquiry.isUnitRecovering(unit)) return { kind: 'wait', why: `the recovery of ${unit} is under way` };
  return !isAtRest || endedItself(end, seen) ? { kind: 'with', unit } : causeAmong(end, sinceMs, known, inquiry);
}

/** systemd propagates an end at once. */
const TOGETHER_MS = 5000;

/** True if neither an order nor another unit stopped it, as far as is known. */
function endedItself({ status, hadMain, triedSince }: UnitEnd, seen: SeenEnd | undefined): boolean {
  const { id, type, activeState, endedByStop } = status;
  // It was to be restarted, and has not come up.
  if (triedSince && activeState === 'failed') return true;
  if (!id.endsWith('.service')) return activeState === 'failed' || id.endsWith('.device');
  if (type === 'oneshot' && !isFailure(status)) return false;
  return seen?.hadJob === undefined ? isFailure(status) || (hadMain && !endedByStop) : !seen.hadJob;
}
