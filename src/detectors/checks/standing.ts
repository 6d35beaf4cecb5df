// The state of a check: what its readings in a row come to.
import { counted } from '../../core/text/counted.ts';
import type { Finding } from './check.ts';

/** How many readings in a row change the state. */
interface Thresholds {
  readonly failures: number;
  readonly successes: number;
}

/** What is known about the target of a check after its readings so far. */
export interface Standing {
  /** `unknown`: it was not looked at yet, or could not be looked at, or the readings since then do not suffice. */
  readonly state: 'ok' | 'failing' | 'unknown';
  /** The last state that was known; null if none was. */
  readonly verdict: 'ok' | 'failing' | null;
  /** Why it is failing or unknown, in one line; empty if it is ok. */
  readonly reason: string;
  /** True if it is failing, and the last reading was only a warning. */
  readonly isWarning: boolean;
  /** Readings in a row: ok, failing, and failing as more than a warning since the alarm was raised last. */
  readonly oks: number;
  readonly failures: number;
  readonly grave: number;
}

/** Why nothing is known of a check at its begin. */
export const NOT_LOOKED = 'not looked yet';

/** The standing of a check that was not looked at yet; `verdict`: what an earlier run of the daemon knew. */
export function notLookedYet(verdict: Standing['verdict'] = null): Standing {
  return { state: 'unknown', verdict, reason: NOT_LOOKED, isWarning: false, oks: 0, failures: 0, grave: 0 };
}

/**
 * The standing after one more reading, and whether the alarm has to be raised now: when the check becomes failing, and again after each
 * `failures` further readings. An event counts as so many. One success makes a check ok that was never failing. A reading of `unknown` ends every row.
 */
export function after(
  standing: Standing,
  reading: Finding,
  { failures: mostFailures, successes }: Thresholds,
): { readonly standing: Standing; readonly raises: boolean } {
  switch (reading.kind) {
    case 'unknown':
      return {
        standing: { ...standing, state: 'unknown', reason: reading.reason, oks: 0, failures: 0, grave: 0 },
        raises: false,
      };
    case 'ok': {
      const oks = standing.oks + 1;
      const isOk = standing.verdict !== 'failing' || oks >= successes;
      const row = { oks: isOk ? 0 : oks, failures: 0, grave: 0 };
      const settled = isOk ? ({ state: 'ok', verdict: 'ok', reason: '', isWarning: false } as const) : {};
      return { standing: { ...standing, ...settled, ...row }, raises: false };
    }
    case 'failing': {
      const failures = standing.failures + 1;
      const grave = reading.isWarning ? 0 : standing.grave + 1;
      const most = reading.isEvent ? 1 : mostFailures;
      const raises = grave >= most;
      const row = { oks: 0, failures, grave: raises ? 0 : grave };
      if (standing.verdict !== 'failing' && failures < most)
        return { standing: { ...standing, ...row, ...pending(standing, reading.reason, failures) }, raises };
      const isWarning = reading.isWarning ?? false;
      return {
        standing: { ...row, state: 'failing', verdict: 'failing', reason: reading.reason, isWarning },
        raises,
      };
    }
    default:
      return reading satisfies never;
  }
}

/** True if the last reading contradicts the state, so that the next look comes soon. */
export function isInDoubt({ state, oks, failures }: Standing): boolean {
  return oks > 0 || (failures > 0 && state !== 'failing');
}

/** Why the state stays unknown although the last reading was not. */
function pending({ state }: Standing, found: string, failures: number): { readonly reason?: string } {
  return state === 'unknown' ? { reason: `not known yet: failed ${counted(failures, 'time', 'times')}: ${found}` } : {};
}
