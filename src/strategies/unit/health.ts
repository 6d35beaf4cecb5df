// Proves that a unit is healthy and stays so.

import { startDeadline } from '../../core/deadline.ts';
import type { HealthResult } from '../../core/outcomes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
import { isUp } from '../../system/systemd/unit/state.ts';
import type { Life, StrategyParts } from '../strategy.ts';
import type { UnitLookup } from './lookup.ts';
import { isReloadedWithoutMain, lookIntoUnit, type UnitLook, type UnitProcessParts } from './processes.ts';
import { waitsForTrigger } from './relations/triggers.ts';
import { describeState, describeUnit, hasCrashed, unitHealth } from './state.ts';

/** The proof of a unit's health, which may take a second. */
interface UnitProof {
  readonly lookUp: (signal: AbortSignal) => Promise<UnitLookup>;
  /** How long a unit must last, in milliseconds; if little time is left, half of it is enough. */
  readonly lastingMs: number;
  /** The whole proof ends within this time. */
  readonly timeoutMs: number;
  /** When our last restart of that unit began, in milliseconds of CLOCK_MONOTONIC; undefined if it did not end well. */
  readonly broughtUpMs: (unit: string) => number | undefined;
  readonly signal: AbortSignal;
}

/** What proveUnitLasts needs of the strategies' parts. */
type UnitProofParts = UnitProcessParts & Pick<StrategyParts, 'clock'>;

/**
 * Proves that a unit is active and stays so: a little later it still is, with the same main process, and it has processes if it
 * exists for some. A unit that crashes at once and is restarted by systemd looks active nearly every time. Never rejects.
 */
export async function proveUnitLasts(
  parts: UnitProofParts,
  { lookUp, lastingMs, timeoutMs, broughtUpMs, signal }: UnitProof,
): Promise<HealthResult | { readonly kind: 'assumed' }> {
  const deadline = startDeadline(parts.clock, timeoutMs, signal);
  try {
    const first = await lookInto(parts, lookUp, deadline.signal);
    if (first.kind !== 'seen') return notSeen(first);
    const { status, processes } = first;
    const { id } = status;
    const health = unitHealth(status, broughtUpMs(id));
    if (health.kind === 'unhealthy' && (await waitsForTrigger(parts.services, status, deadline.signal)))
      return { kind: 'healthy' };
    if (health.kind !== 'running') return health;
    if (first.isHollow) return { kind: 'unhealthy', reason: describeHollow(status) };
    if (isReloadOfNothing(first)) return { kind: 'unhealthy', reason: `${id} is reloading, and its main process has ended` };
    const hasNothing = status.subState === 'exited' && processes.length === 0;
    if (lastingMs === 0 || hasNothing) return { kind: 'healthy' };
    const pauseMs = Math.min(lastingMs, deadline.remainingMs() - Math.min(SECOND_LOOK_MS, lastingMs / 4));
    if (pauseMs < lastingMs / 2)
      return { kind: 'unhealthy', reason: `${id} is active, but too late to see whether it lasts`, unseen: true };
    await parts.clock.sleep(pauseMs, deadline.signal);
    const second = await lookInto(parts, lookUp, deadline.signal);
    if (second.kind !== 'seen') return notSeen(second);
    const isIdle = await waitsForTrigger(parts.services, second.status, deadline.signal);
    const reason = isIdle ? undefined : whyNotLasting(first, second);
    return reason === undefined ? { kind: 'healthy' } : { kind: 'unhealthy', reason };
  } finally {
    deadline.end();
  }
}

function notSeen({ kind, reason }: Exclude<UnitLookup, { kind: 'found' }>): HealthResult {
  return { kind: 'unhealthy', reason, ...(kind === 'unanswered' && { unseen: true }) };
}

/**
 * systemd considers a unit active until its reload has ended, which may never happen. One that stays active without processes
 * may have none.
 */
function isReloadOfNothing({ status, processes }: UnitLook): boolean {
  return isReloadedWithoutMain(status) && processes.length === 0 && !status.remainsAfterExit;
}

/** Looks a unit up, and into it if it may be hollow; else says why not. Never rejects. */
export async function lookInto(
  parts: UnitProcessParts,
  lookUp: (signal: AbortSignal) => Promise<UnitLookup>,
  signal: AbortSignal,
): Promise<UnitLook | Exclude<UnitLookup, { kind: 'found' }>> {
  const found = await lookUp(signal);
  if (found.kind !== 'found') return found;
  const { status } = found;
  // The state of any other unit says everything.
  if (!status.remainsAfterExit) return { kind: 'seen', status, processes: [], isHollow: false };
  return lookIntoUnit(parts, status, signal);
}

/** See RestartStrategy.life. */
export async function lifeOfUnit(
  parts: UnitProcessParts & Pick<StrategyParts, 'clock'>,
  lookUp: (signal: AbortSignal) => Promise<UnitLookup>,
  signal: AbortSignal,
): Promise<Life | undefined> {
  const first = await lookInto(parts, lookUp, signal);
  if (first.kind !== 'seen' || !(isUp(first.status) || hasCrashed(first.status))) return undefined;
  const { changedMs } = first.status;
  return {
    ageMs: 0,
    ...(isUp(first.status) && changedMs > 0 && { upForMs: parts.clock.monotonicMs() - changedMs }),
    ended: async (signal) => {
      const later = await lookInto(parts, lookUp, signal);
      if (later.kind !== 'seen' || (await waitsForTrigger(parts.services, later.status, signal))) return undefined;
      if (isUp(first.status)) return whyNotLasting(first, later);
      return hasCrashed(later.status) ? `${later.status.id} is ${describeState(later.status)}` : undefined;
    },
  };
}

/** What became of the unit that was up at its first look; undefined if it still is, with the same main process. */
function whyNotLasting(first: Pick<UnitLook, 'status' | 'processes'>, later: UnitLook): string | undefined {
  const { id, mainPid } = first.status;
  const { status } = later;
  if (!isUp(status)) return `${id} did not stay active: it is ${describeState(status)}`;
  const hadSome = first.processes.length > 0 || first.status.subState !== 'exited';
  const isEmpty = status.subState === 'exited' && later.processes.length === 0;
  if (later.isHollow || (isEmpty && hadSome)) return `${id} does not last: it is ${hollowWords(status)}`;
  return status.mainPid === mainPid
    ? undefined
    : `${id} does not last: main process ${mainPid} was followed by ${status.mainPid}`;
}

/** `legacyd.service is active (exited), but none of its processes runs any more`. */
export function describeHollow(status: UnitStatus): string {
  return `${status.id} is ${hollowWords(status)}`;
}

/** describeUnit with the processes in it instead of a main process; only the oldest if there are many. */
export function describeLook({ status, processes, isHollow }: UnitLook): string {
  if (isHollow) return `${status.id}: ${hollowWords(status)}`;
  if (status.mainPid > 0 || processes.length === 0) return describeUnit(status);
  const shown = processes.slice(0, SHOWN_PIDS).map(({ pid }) => pid);
  const more = processes.length > SHOWN_PIDS ? ' …' : '';
  return `${describeUnit(status)}, ${processes.length === 1 ? 'process' : 'processes'} ${shown.join(', ')}${more}`;
}

const SHOWN_PIDS = 10;

function hollowWords(status: UnitStatus): string {
  return `${describeState(status)}, but none of its processes runs any more`;
}

/** Time left for the second look. */
const SECOND_LOOK_MS = 250;
