import type { Clock } from '../../core/clock.ts';
import { isDown, isUp } from '../../system/systemd/unit/state.ts';
import type { FoundProcesses } from './death/judgement.ts';

/** What is asked when a grace is over. */
interface GraceInquiry {
  readonly clock: Clock;
  /** True while a recovery of it is under way, or a death of it is judged: what comes of that is waited for. */
  readonly isBusy: () => boolean;
  /** What runs of it now; undefined where it cannot be told. */
  readonly find: () => Promise<FoundProcesses | undefined>;
  /** Aborts when it runs, or when its death has raised its alarm. */
  readonly signal: AbortSignal;
}

/**
 * Waits `graceMs`, then looks until it is clear: true if it is known not to run by then, false if the signal aborts first. Never
 * rejects.
 */
export async function isMissingAfter(graceMs: number, { clock, isBusy, find, signal }: GraceInquiry): Promise<boolean> {
  await clock.sleep(graceMs, signal);
  while (!signal.aborted) {
    const found = isBusy() ? undefined : await find();
    if (signal.aborted) return false;
    if (found !== undefined && !isBusy() && isMissing(found)) return true;
    await clock.sleep(LOOK_MS, signal);
  }
  return false;
}

/** True if it runs, or is a unit that is as up as it gets: `active (exited)` without ever a process, or started when it is needed. */
export function isWell({ processes, status, isHollow, waitsForTrigger }: FoundProcesses): boolean {
  if (processes.length > 0 || waitsForTrigger) return true;
  return status !== undefined && !status.hasJob && isUp(status) && !isHollow;
}

/** Neither runs nor is about to: what systemd is just starting or stopping is waited for. */
function isMissing({ processes, status, isHollow, waitsForTrigger }: FoundProcesses): boolean {
  if (processes.length > 0 || waitsForTrigger) return false;
  if (isHollow) return true;
  return status === undefined || (!status.hasJob && isDown(status));
}

const LOOK_MS = 2000;
