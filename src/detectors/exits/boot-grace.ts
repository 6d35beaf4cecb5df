// `boot_grace`: waits until a process has to run, and determines whether it is missing then.
import type { Clock } from '../../core/clock.ts';
import { isDown, isUp } from '../../system/systemd/unit/state.ts';
import type { FoundProcesses } from './death/judgement.ts';

/** What the wait needs. */
interface GraceInquiry {
  readonly clock: Clock;
  /** True while a recovery of it is under way, or a death of it is judged: the wait continues until that is over. */
  readonly isBusy: () => boolean;
  /** What runs of it now; undefined if it cannot be determined. */
  readonly find: () => Promise<FoundProcesses | undefined>;
  /** Aborts when it runs, or when its death has raised its alarm. */
  readonly signal: AbortSignal;
}

/**
 * Waits `graceMs`, then looks until the answer is clear: true if it is known not to run, false if the signal aborts first.
 * Never rejects.
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

/**
 * True if it runs, or is a unit that is as far up as it gets: `active (exited)` that never had a process, or started on demand.
 */
export function isWell({ processes, status, isHollow, waitsForTrigger }: FoundProcesses): boolean {
  if (processes.length > 0 || waitsForTrigger) return true;
  return status !== undefined && !status.hasJob && isUp(status) && !isHollow;
}

/** True if it does not run and is not about to. While systemd starts or stops it, the answer is false. */
function isMissing({ processes, status, isHollow, waitsForTrigger }: FoundProcesses): boolean {
  if (processes.length > 0 || waitsForTrigger) return false;
  if (isHollow) return true;
  return status === undefined || (!status.hasJob && isDown(status));
}

const LOOK_MS = 2000;
