// The states of a circuit breaker, and how each event changes them.
import type { BreakerSnapshot } from '../../core/breaker-snapshot.ts';
import type { MonitorSettings } from '../../core/config.ts';

/** When a breaker opens and for how long (`[monitor]`). */
type BreakerRules = Pick<
  MonitorSettings,
  'maxRestartFailures' | 'circuitResetTimeMs' | 'flapRecoveries' | 'flapWindowMs' | 'maxExits' | 'exitWindowMs'
>;

/** The answer of a breaker to a recovery that is to start. */
type Admission =
  | { readonly kind: 'admitted'; readonly next: BreakerSnapshot; readonly halfOpened: boolean }
  | { readonly kind: 'refused'; readonly remainingMs: number };

/** A closed breaker without failures. */
export const closedBreaker: BreakerSnapshot = { state: 'closed', failures: 0, reopenAtMs: 0, successesMs: [], exitsMs: [] };

/** True if nothing is counted against the process. */
export function isAtRest({ state, failures }: BreakerSnapshot): boolean {
  return state === 'closed' && failures === 0;
}

/*
 * closed ──failures reach the limit, too many successes or exits─► open ──cooldown over, one recovery admitted──► half_open
 *   ▲                                                          ▲                                               │
 *   └──────────────────────── success ─────────────────────────┼──────────────── failure or interruption ──────┘
 *
 * Pure: every function takes a snapshot and the monotonic time in milliseconds and returns the next snapshot.
 */

/** Decides whether a recovery may start. An open breaker whose cooldown is over becomes half_open and admits it. */
export function admit(breaker: BreakerSnapshot, nowMs: number): Admission {
  switch (breaker.state) {
    case 'closed':
      return { kind: 'admitted', next: breaker, halfOpened: false };
    case 'half_open':
      // The daemon died during its one trial: the next recovery takes its place.
      return { kind: 'admitted', next: breaker, halfOpened: false };
    case 'open':
      if (nowMs < breaker.reopenAtMs) return { kind: 'refused', remainingMs: breaker.reopenAtMs - nowMs };
      return { kind: 'admitted', next: { ...breaker, state: 'half_open' }, halfOpened: true };
    default:
      return breaker.state satisfies never;
  }
}

/** Counts a recovery that succeeded. It clears the failures. If successes come too often, the breaker opens nevertheless. */
export function recordSuccess(breaker: BreakerSnapshot, nowMs: number, rules: BreakerRules): BreakerSnapshot {
  const recent = [...breaker.successesMs, nowMs].filter((at) => nowMs - at < rules.flapWindowMs);
  const counted = { ...breaker, failures: 0, successesMs: rules.flapRecoveries > 0 ? recent : [] };
  // Exits opened it while the recovery was under way.
  if (breaker.state === 'open') return counted;
  if (rules.flapRecoveries > 0 && recent.length >= rules.flapRecoveries) {
    return { ...counted, state: 'open', reopenAtMs: nowMs + rules.circuitResetTimeMs, successesMs: [] };
  }
  return { ...counted, state: 'closed', reopenAtMs: 0 };
}

/**
 * Counts a recovery that failed. The trial of a half-open breaker opens it again, the last allowed failure a closed one. An open one stays
 * open for the whole time from now on: exits opened it while the recovery was under way, or the daemon stopped during the trial.
 */
export function recordFailure(breaker: BreakerSnapshot, nowMs: number, rules: BreakerRules): BreakerSnapshot {
  const failures = breaker.failures + 1;
  if (breaker.state === 'closed' && failures < rules.maxRestartFailures) return { ...breaker, failures };
  return { ...breaker, state: 'open', failures, reopenAtMs: nowMs + rules.circuitResetTimeMs };
}

/** Counts an unexpected exit. If they come too often, the breaker opens. Exits do not count while it is open. */
export function recordExit(breaker: BreakerSnapshot, nowMs: number, rules: BreakerRules): BreakerSnapshot {
  if (breaker.state === 'open' || rules.maxExits === 0) return breaker;
  const exitsMs = [...breaker.exitsMs, nowMs].filter((at) => nowMs - at < rules.exitWindowMs);
  if (exitsMs.length < rules.maxExits) return { ...breaker, exitsMs };
  return { ...breaker, state: 'open', reopenAtMs: nowMs + rules.circuitResetTimeMs, exitsMs: [] };
}

/** Notes a recovery that ended without an outcome (somebody cleared its alarm, the daemon stops): a half-open breaker may try again. */
export function recordInterruption(breaker: BreakerSnapshot): BreakerSnapshot {
  return breaker.state === 'half_open' ? { ...breaker, state: 'open' } : breaker;
}
