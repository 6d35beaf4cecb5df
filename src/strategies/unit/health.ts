import type { Clock } from '../../core/clock.ts';
import type { HealthResult } from '../../core/outcomes.ts';
import { isHollow, type UnitStatus } from '../../system/systemd/service-manager.ts';
import { startDeadline } from '../deadline.ts';
import type { UnitLookup } from './lookup.ts';
import { describeState, isUp, unitHealth } from './state.ts';

/** One look at a unit's health, which may take a second. */
export interface UnitProof {
  readonly lookUp: (signal: AbortSignal) => Promise<UnitLookup>;
  /** How long a unit must last, in milliseconds; where little time is left, half of it will do. */
  readonly lastingMs: number;
  /** All of it ends within this. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Proves that a unit is active and stays so: a little later it still is, with the same main process. A unit that crashes at
 * once and is started again by systemd is active at nearly every look. Never rejects.
 */
export async function proveUnitLasts(
  clock: Clock,
  { lookUp, lastingMs, timeoutMs, signal }: UnitProof,
): Promise<HealthResult | { readonly kind: 'assumed' }> {
  const deadline = startDeadline(clock, timeoutMs, signal);
  try {
    const first = await lookUp(deadline.signal);
    if (first.kind !== 'found') return { kind: 'unhealthy', reason: first.reason };
    const health = unitHealth(first.status);
    if (health.kind !== 'running') return health;
    const { id } = first.status;
    if (lastingMs === 0) return { kind: 'healthy' };
    const pauseMs = Math.min(lastingMs, deadline.remainingMs() - Math.min(SECOND_LOOK_MS, lastingMs / 4));
    if (pauseMs < lastingMs / 2) return { kind: 'unhealthy', reason: `${id} is active, but too late to tell whether it lasts` };
    await clock.sleep(pauseMs, deadline.signal);
    const second = await lookUp(deadline.signal);
    if (second.kind !== 'found') return { kind: 'unhealthy', reason: second.reason };
    const reason = whyNotLasting(first.status, second.status);
    return reason === undefined ? { kind: 'healthy' } : { kind: 'unhealthy', reason };
  } finally {
    deadline.end();
  }
}

/** What became of the unit that was up at its first look; undefined where it still is, with the same main process. */
export function whyNotLasting({ id, mainPid, subState }: UnitStatus, later: UnitStatus): string | undefined {
  if (!isUp(later)) return `${id} did not stay active: it is ${describeState(later)}`;
  if (later.mainPid !== mainPid) return `${id} does not last: main process ${mainPid} was followed by ${later.mainPid}`;
  // Without a main process it was its last one that ended.
  return isHollow(later) && subState !== 'exited' ? `${id} does not last: it is ${describeState(later)}` : undefined;
}

/** Left for the second look. */
const SECOND_LOOK_MS = 250;
