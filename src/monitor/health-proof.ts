import type { ManagedProcess } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { Life } from '../strategies/strategy.ts';
import type { RecoveryPlan } from './recovery-plan.ts';

/** Whether a process is well. `assumed`: nothing is configured that could tell. */
export type HealthProof =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'assumed' }
  | { readonly kind: 'unhealthy'; readonly reason: string };

const USUAL_STABLE_MS = 1000;
const BETWEEN_TRIES_MS = 1000;
const LAST_TRY_MS = 250;

/**
 * `proveHealthy` after a restart: what runs then must also have run for `stable_time` when the checks have passed, where the
 * strategy can tell. Its own health check, where none is configured, sees to that itself.
 */
export async function proveLasting(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<HealthProof> {
  const watching = plan.checks.length > 0 && plan.settings.stableTimeMs > 0;
  const look = watching ? plan.strategy.life?.(process, signal).then((life) => seen(life, clock)) : undefined;
  const proof = await proveHealthy(plan, process, attempt, clock, signal);
  const life = await look;
  if (life === undefined || proof.kind !== 'healthy') return proof;
  const { stableTimeMs } = plan.settings;
  await clock.sleep(life.bornAtMs + stableTimeMs - clock.monotonicMs(), signal);
  const reason = signal.aborted ? 'the daemon stops' : await life.ended(signal);
  if (reason === undefined) return proof;
  return { kind: 'unhealthy', reason: `it did not last for stable_time (${stableTimeMs / 1000} s): ${reason}` };
}

function seen(life: Life | undefined, clock: Clock): (Life & { readonly bornAtMs: number }) | undefined {
  return life && { ...life, bornAtMs: clock.monotonicMs() - life.ageMs };
}

/**
 * Tries every configured check (or the strategy's own) at once and then each second until all pass in one round or
 * `health_check_timeout` is over. No single try outlives what is left of it.
 */
export async function proveHealthy(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<HealthProof> {
  const { healthCheckTimeoutMs, stableTimeMs } = plan.settings;
  // The usual second of it is part of the limit.
  const limitMs = healthCheckTimeoutMs + (plan.checks.length === 0 ? Math.max(stableTimeMs - USUAL_STABLE_MS, 0) : 0);
  const end = clock.monotonicMs() + limitMs;
  for (;;) {
    const roundStart = clock.monotonicMs();
    const proof = await tryOnce(plan, process, attempt, Math.max(end - roundStart, 1), signal);
    if (proof.kind !== 'unhealthy' || signal.aborted) return proof;
    // The last try stands just before the end: a process that needs nearly all of its time is still seen well.
    const lastRound = end - Math.min(LAST_TRY_MS, limitMs / 4);
    if (roundStart >= lastRound || clock.monotonicMs() >= end)
      return { kind: 'unhealthy', reason: `${proof.reason} (for ${limitMs / 1000} s)` };
    await clock.sleep(Math.min(roundStart + BETWEEN_TRIES_MS, lastRound) - clock.monotonicMs(), signal);
    if (signal.aborted) return proof;
  }
}

async function tryOnce(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HealthProof> {
  if (plan.checks.length === 0) return plan.strategy.checkHealth(process, timeoutMs, signal);
  const results = await Promise.all(
    plan.checks.map(async (check) => ({ check, result: await check.check(process, attempt, timeoutMs, signal) })),
  );
  const failures = results.flatMap(({ check, result }) =>
    result.kind === 'unhealthy' ? [`${check.description}: ${result.reason}`] : [],
  );
  return failures.length === 0 ? { kind: 'healthy' } : { kind: 'unhealthy', reason: failures.join('; ') };
}
