// Proves whether a process is well.
import type { ManagedProcess } from '../../core/alarm.ts';
import type { Clock } from '../../core/clock.ts';
import { configuredSeconds } from '../../core/text/duration.ts';
import type { HealthCheck } from '../../health/health-check.ts';
import type { RecoveryPlan } from '../../strategies/recovery-plan.ts';
import type { Life } from '../../strategies/strategy.ts';

/**
 * Whether a process is well. `assumed`: no health check is configured. `detail`: more about the reason, which may differ each time.
 */
export type HealthProof =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'assumed' }
  /** `unseen`: as in HealthResult. */
  | { readonly kind: 'unhealthy'; readonly reason: string; readonly unseen?: true }
  /** It is not known: a check could not be made, and none found the process unhealthy. */
  | { readonly kind: 'not_proved'; readonly reason: string; readonly detail: string };

const USUAL_STABLE_MS = 1000;
const BETWEEN_TRIES_MS = 1000;
const LAST_TRY_MS = 250;

/**
 * `proveHealthy` after a restart, which may have been for several processes: `names`. If the strategy can tell, what runs must also have run for `stable_time` when the checks have passed.
 * A strategy's own health check, used if none is configured, does that itself.
 */
export async function proveLasting(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  clock: Clock,
  signal: AbortSignal,
  names: readonly string[] = [process.processName],
): Promise<HealthProof> {
  const watching = plan.checks.length > 0 && plan.settings.stableTimeMs > 0;
  const look = watching ? plan.strategy.life?.(process, signal).then((life) => seen(life, clock)) : undefined;
  const proof = await proveHealthy(plan, process, attempt, clock, signal, names);
  const life = await look;
  if (life === undefined) return proof;
  if (proof.kind === 'not_proved') return (await goneSince(life, signal)) ?? proof;
  if (proof.kind !== 'healthy') return proof;
  const { stableTimeMs } = plan.settings;
  await clock.sleep(life.bornAtMs + stableTimeMs - clock.monotonicMs(), signal);
  const reason = signal.aborted ? 'the daemon stops' : await life.ended(signal);
  if (reason === undefined) return proof;
  return { kind: 'unhealthy', reason: `it did not last for stable_time (${configuredSeconds(stableTimeMs)}): ${reason}` };
}

/**
 * `proveHealthy` of what was restarted earlier. If that proves nothing, but the strategy can see that the process has ended, the process
 * is unhealthy.
 */
export async function proveAgain(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<HealthProof> {
  const proof = await proveHealthy(plan, process, attempt, clock, signal);
  // A process that could not be examined is not restarted for this reason.
  if (proof.kind === 'unhealthy' && proof.unseen)
    return { kind: 'not_proved', reason: proof.reason, detail: 'the process could not be examined' };
  if (proof.kind !== 'not_proved') return proof;
  const life = await plan.strategy.life?.(process, signal);
  return (life && (await goneSince(life, signal))) ?? proof;
}

async function goneSince(life: Life, signal: AbortSignal): Promise<HealthProof | undefined> {
  const reason = await life.ended(signal);
  return reason === undefined || signal.aborted ? undefined : { kind: 'unhealthy', reason };
}

function seen(life: Life | undefined, clock: Clock): (Life & { readonly bornAtMs: number }) | undefined {
  return life && { ...life, bornAtMs: clock.monotonicMs() - life.ageMs };
}

/**
 * Tries every configured check (or the strategy's own) at once and then each second until all pass in one round or
 * `health_check_timeout` is over; so do the checks that have found one of `names` failing. No single try outlives what is left of it.
 */
export async function proveHealthy(
  plan: RecoveryPlan,
  process: ManagedProcess,
  attempt: number,
  clock: Clock,
  signal: AbortSignal,
  names: readonly string[] = [process.processName],
): Promise<HealthProof> {
  const further = [...new Set(names)].flatMap((name) => plan.furtherChecks?.(name) ?? []);
  const { healthCheckTimeoutMs, stableTimeMs } = plan.settings;
  // The usual second of it is part of the limit.
  const limitMs = healthCheckTimeoutMs + (plan.checks.length === 0 ? Math.max(stableTimeMs - USUAL_STABLE_MS, 0) : 0);
  const end = clock.monotonicMs() + limitMs;
  let last: HealthProof | undefined;
  for (;;) {
    const roundStart = clock.monotonicMs();
    const leftMs = Math.max(end - roundStart, 1);
    const said = await tryOnce(plan, further, process, attempt, leftMs, signal);
    // Nothing could be found out in the time that was left: the result before that counts.
    const isCutOff = said.kind === 'unhealthy' && last?.kind === 'unhealthy' && clock.monotonicMs() >= end;
    const isShort = leftMs < BETWEEN_TRIES_MS && (said.kind === 'not_proved' || isCutOff);
    const proof: HealthProof = isShort ? (last ?? said) : said;
    last = proof;
    if (proof.kind === 'healthy' || proof.kind === 'assumed' || signal.aborted) return proof;
    // The last try is just before the end: a process that needs nearly all of its time is still seen to be well.
    const lastRound = end - Math.min(LAST_TRY_MS, limitMs / 4);
    if (roundStart >= lastRound || clock.monotonicMs() >= end)
      return proof.kind === 'not_proved' ? proof : { ...proof, reason: `${proof.reason} (for ${configuredSeconds(limitMs)})` };
    await clock.sleep(Math.min(roundStart + BETWEEN_TRIES_MS, lastRound) - clock.monotonicMs(), signal);
    if (signal.aborted) return proof;
  }
}

/** One round, all at once. */
async function tryOnce(
  plan: RecoveryPlan,
  further: readonly HealthCheck[],
  process: ManagedProcess,
  attempt: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HealthProof> {
  const tryAll = (checks: readonly HealthCheck[]): Promise<HealthProof[]> =>
    Promise.all(
      checks.map(async (check): Promise<HealthProof> => {
        const result = await check.check(process, attempt, timeoutMs, signal);
        return result.kind === 'unhealthy' ? { ...result, reason: `${check.description}: ${result.reason}` } : result;
      }),
    );
  const own = plan.checks.length > 0 ? tryAll(plan.checks) : ownCheck(plan, process, timeoutMs, signal);
  return together((await Promise.all([own, tryAll(further)])).flat());
}

async function ownCheck(
  { strategy }: RecoveryPlan,
  process: ManagedProcess,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<HealthProof[]> {
  return [await strategy.checkHealth(process, timeoutMs, signal)];
}

/** What the results of one round come to. One that is unhealthy counts more than one that is not known. */
function together(results: readonly HealthProof[]): HealthProof {
  const [first, ...others] = results;
  if (first !== undefined && others.length === 0) return first;
  const failures = results.flatMap((result) => (result.kind === 'unhealthy' ? [result] : []));
  if (failures.length > 0) {
    const isUnseen = failures.every(({ unseen }) => unseen);
    return { kind: 'unhealthy', reason: failures.map(({ reason }) => reason).join('; '), ...(isUnseen && { unseen: true }) };
  }
  const unproved = results.flatMap((result) => (result.kind === 'not_proved' ? [result] : []));
  if (unproved.length === 0) return { kind: 'healthy' };
  const joined = (texts: readonly string[]): string => [...new Set(texts)].join('; ');
  return {
    kind: 'not_proved',
    reason: joined(unproved.map(({ reason }) => reason)),
    detail: joined(unproved.map(({ detail }) => detail)),
  };
}
