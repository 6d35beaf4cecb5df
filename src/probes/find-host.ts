import type { CheckResult } from '../core/outcomes.ts';
import type { HostAddress } from '../system/names/address.ts';
import type { NameResolver } from '../system/names/resolver.ts';

/**
 * The addresses of the host that a check connects to. If the host cannot be resolved, the result is `not_proved`: it says
 * nothing about the process. Takes at most three quarters of the try's time: a host that is resolved too late to answer would
 * be called unhealthy.
 */
export async function findHost(
  names: NameResolver,
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly kind: 'found'; readonly addresses: readonly HostAddress[] } | CheckResult> {
  const answer = await names.resolve(host, timeoutMs * SHARE, signal);
  if (signal.aborted) return { kind: 'unhealthy', reason: 'aborted' };
  return answer.kind === 'resolved'
    ? { kind: 'found', addresses: answer.addresses }
    : { kind: 'not_proved', reason: `${host} could not be resolved`, detail: answer.reason };
}

const SHARE = 0.75;
