import type { Clock } from '../../core/clock.ts';
import type { HealthResult } from '../../core/outcomes.ts';
import type { UnitStatus } from '../../system/systemd/service-manager.ts';
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
    const { id, mainPid } = first.status;
    if (lastingMs === 0) return { kind: 'healthy' };
    const pauseMs = Math.min(lastingMs, deadline.remainingMs() - Math.min(SECOND_LOOK_MS, lastingMs / 4));
    if (pauseMs < lastingMs / 2) return { kind: 'unhealthy', reason: `${id} is active, but too late to tell whether it lasts` };
    await clock.sleep(pauseMs, deadline.signal);
    const second = await lookUp(deadline.signal);
    if (second.kind !== 'found') return { kind: 'unhealthy', reason: second.reason };
    const reason = whyNotLasting(id, mainPid, second.status);
    return reason === undefined ? { kind: 'healthy' } : { kind: 'unhealthy', reason };
  } finally {
    deadline.end();
  }
}

/** What became of the unit that was up with this main process; undefined where it still is. */
export function whyNotLasting(id: string, mainPid: number, status: UnitStatus): string | undefined {
  if (!isUp(status)) return `${id} did not stay active: it is ${describeState(status)}`;
  if (status.mainPid === mainPid) return undefined;
  return `${id} does not last: main process ${mainPid} was followed by ${status.mainPid}`;
}

/** Left for the second look. */
const SECOND_LOOK_MS = 250;
