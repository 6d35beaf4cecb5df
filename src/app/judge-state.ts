// The STATE of a process, derived from the facts that are known of it.
import type { ProcessState } from '../control/process-state.ts';

/** The facts from which the state of a process is derived. Reasons are one line for people. */
interface StateFacts {
  /** A recovery of it is under way; it may be waiting. */
  readonly recovering: boolean;
  /** Why it is never restarted, by alarm or by order; undefined: nothing forbids it. */
  readonly refusal: string | undefined;
  /** `half_open`: it permits one recovery. */
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Why its breaker opened. */
  readonly breakerReason: string | undefined;
  /** The hold that prevents a restart, in a sentence. */
  readonly hold: string | undefined;
  /** What its recovery waits for: other processes, or a supervisor that restarts it. */
  readonly awaited: readonly string[];
  readonly inAlarm: boolean | null;
  /** Why that is not known. */
  readonly alarmUnknown: string | undefined;
  /** `mode = observe`. */
  readonly observeOnly: boolean;
  /** What has happened to its alarm so far: why it was skipped, or not cleared. */
  readonly alarmReason: string | undefined;
  /** How the last recovery failed; undefined: it did not fail, or the process has been healthy since. */
  readonly failure: string | undefined;
  readonly watch: WatchFact;
  /** Without a daemon nothing is watched, whatever is known about it. */
  readonly daemonRuns: boolean;
}

/** Whether a process runs, as far as known, with a reason for people. */
export type WatchFact =
  | { readonly kind: 'unwatched' | 'runs' }
  /** It does not run (`stopped` on purpose, or `down`), or it is not known whether it runs. */
  | { readonly kind: 'stopped' | 'down' | 'unknown'; readonly reason: string };

/** Derives the state of a process and its reason, in the order of precedence of control/process-state.ts. */
export function judgeState(facts: StateFacts): { readonly state: ProcessState; readonly reason: string | null } {
  const { awaited, watch } = facts;
  if (facts.recovering && awaited.length === 0) return judged('recovering', halfOpen(facts));
  if (facts.refusal !== undefined) return judged('refused', facts.refusal);
  if (facts.breaker === 'open') return judged('open', facts.breakerReason, facts.hold, waits(awaited), facts.alarmReason);
  if (facts.hold !== undefined) return judged('held', facts.hold, waits(awaited));
  if (awaited.length > 0) return judged('waiting', waits(awaited), halfOpen(facts));
  if (facts.inAlarm === true) return judged(facts.observeOnly ? 'observed' : 'alarm', facts.alarmReason, halfOpen(facts));
  const reasonOfWatch = 'reason' in watch ? watch.reason : undefined;
  if (facts.failure !== undefined)
    return judged('failed', facts.failure, watch.kind === 'down' ? watch.reason : undefined, facts.alarmUnknown);
  if (watch.kind === 'down') return judged('down', reasonOfWatch, facts.alarmUnknown);
  if (facts.inAlarm === null) return judged('unknown', facts.alarmUnknown, facts.alarmReason, reasonOfWatch);
  if (watch.kind === 'unknown') return judged('unknown', reasonOfWatch);
  if (watch.kind !== 'runs') return judged('quiet', reasonOfWatch);
  return facts.daemonRuns ? judged('ok') : judged('quiet', 'runs, and no daemon watches it');
}

function judged(
  state: ProcessState,
  ...reasons: readonly (string | undefined)[]
): { readonly state: ProcessState; readonly reason: string | null } {
  const known = [...new Set(reasons.filter((reason) => reason !== undefined && reason !== ''))];
  return { state, reason: known.length === 0 ? null : known.join('; ') };
}

function waits(awaited: readonly string[]): string | undefined {
  return awaited.length === 0 ? undefined : `waits for ${awaited.join(', ')}`;
}

function halfOpen({ breaker }: StateFacts): string | undefined {
  return breaker === 'half_open' ? 'its circuit breaker is half open: one recovery is tried' : undefined;
}
