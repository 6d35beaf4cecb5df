import type { Clock } from '../../../core/clock.ts';
import { isCleanEnd } from '../../../core/process/wait-status.ts';
import type { SeenEnd, ServiceManager, UnitEnd } from '../../../system/systemd/service-manager.ts';
import { isDown, isUp } from '../../../system/systemd/unit/state.ts';
import { isFailure, type ProcessDeath, type Verdict } from './verdict.ts';

/** What is asked about a unit that seems to have been stopped. */
interface StopInquiry {
  readonly services: Pick<ServiceManager, 'end'>;
  readonly clock: Clock;
  /** True while a recovery of ours for that unit is under way. */
  readonly isUnitRecovering: (unit: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Whether a unit that is down, and does not say that it failed, was meant to be: somebody has ordered it to stop, or its main process has
 * ended well by itself. Where systemd stopped it with another unit, that one tells. What nobody could see is taken for an order. Never
 * rejects.
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

/** Its last end as it was seen, if it lies after `fromMs`, and is none before it. */
function seenOf({ seen, leftActiveMs }: UnitEnd, fromMs: number): SeenEnd | undefined {
  // At rest it may have forgotten when that was.
  const isLast = leftActiveMs === 0 || leftActiveMs === seen?.leftActiveMs;
  return seen !== undefined && isLast && seen.leftActiveMs >= fromMs ? seen : undefined;
}

/** It went down without a job. */
function endedWell({ status }: UnitEnd, { status: waited, wasMain }: ProcessDeath): boolean {
  if (status.result !== 'success') return false;
  if (status.type === 'oneshot' || (waited !== undefined && isCleanEnd(waited))) return true;
  // Of another process than its main one systemd does not ask how it ended; of what it took for a failure it would say so.
  return wasMain ?? waited === undefined;
}

/** Why a unit went down: somebody's order, as far as is known; or the end of `unit`, which nobody has ordered. */
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

/** What `unit` has to do with it that another one, which goes down with it, left `active` at `sinceMs`. */
async function causeIn(unit: string, sinceMs: number, known: Set<string>, inquiry: StopInquiry): Promise<Cause> {
  const asked = await inquiry.services.end(unit, inquiry.signal);
  if (asked.kind === 'failed') return SILENT;
  const { end } = asked;
  const { activeState, hasJob } = end.status;
  // One that waits until the others are down is still up.
  if (activeState === 'deactivating' || (activeState === 'active' && hasJob))
    return { kind: 'wait', why: `systemd is stopping ${unit}` };
  const isAtRest = isDown(end.status);
  const seen = seenOf(end, 0);
  const wentMs = end.wentMs || (seen?.leftActiveMs ?? 0);
  const isConcerned = wentMs >= sinceMs - TOGETHER_MS || (wentMs === 0 && isAtRest);
  // One that systemd waits to restart is not up.
  const wasUpAgain = isUp(end.status) && Math.max(wentMs, end.status.changedMs) < sinceMs;
  if (!isConcerned || wasUpAgain) return { kind: 'order' };
  if (inquiry.isUnitRecovering(unit)) return { kind: 'wait', why: `the recovery of ${unit} is under way` };
  return !isAtRest || endedItself(end, seen) ? { kind: 'with', unit } : causeAmong(end, sinceMs, known, inquiry);
}

/** systemd passes an end on at once. */
const TOGETHER_MS = 5000;

/** Nobody has stopped it, nor another unit, as far as is known. */
function endedItself({ status, hadMain, triedSince }: UnitEnd, seen: SeenEnd | undefined): boolean {
  const { id, type, activeState, endedByStop } = status;
  // It was to be restarted, and has not come up.
  if (triedSince && activeState === 'failed') return true;
  if (!id.endsWith('.service')) return activeState === 'failed' || id.endsWith('.device');
  if (type === 'oneshot' && !isFailure(status)) return false;
  return seen?.hadJob === undefined ? isFailure(status) || (hadMain && !endedByStop) : !seen.hadJob;
}
