import type { Clock } from '../core/clock.ts';
import type { HealthResult } from '../core/outcomes.ts';
import type { ProcessTable } from '../system/process-table.ts';
import { startDeadline } from './deadline.ts';
import type { Matches } from './process-match.ts';
import { describePids } from './process-preview.ts';

/** What proving takes. */
export interface HealthParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** Gives, within the signal, how to look at what runs under the name. */
  readonly finder: (signal: AbortSignal) => Promise<() => Matches>;
}

/**
 * Well is a program of which one process has been running for a second under one pid and start time, and is not suspended.
 * Waits for that at most `timeoutMs`. Never rejects.
 */
export async function proveRunning(parts: HealthParts, timeoutMs: number, signal: AbortSignal): Promise<HealthResult> {
  const deadline = startDeadline(parts.clock, timeoutMs, signal);
  try {
    const find = await parts.finder(deadline.signal);
    for (;;) {
      const { result, againMs } = look(parts.table, find());
      const leftMs = deadline.remainingMs();
      if (result.kind === 'healthy' || leftMs <= 0 || signal.aborted) return result;
      await parts.clock.sleep(Math.min(againMs, leftMs), signal);
    }
  } finally {
    deadline.end();
  }
}

function look(table: ProcessTable, found: Matches): { readonly result: HealthResult; readonly againMs: number } {
  if (found.kind === 'refused') return unhealthy(found.reason);
  const oldest = found.trees.find(({ root }) => root.state !== 'T')?.root;
  if (oldest === undefined) {
    return unhealthy(found.trees.length > 0 ? `${describePids(found.trees)} suspended` : 'no process of that name is running');
  }
  const ageMs = table.ageMs(oldest);
  if (ageMs >= STABLE_MS) return { result: { kind: 'healthy' }, againMs: 0 };
  return unhealthy(`pid ${oldest.pid} has been running for ${Math.max(ageMs, 0) / 1000} s only`, STABLE_MS - ageMs);
}

function unhealthy(reason: string, againMs = LOOK_MS): { readonly result: HealthResult; readonly againMs: number } {
  return { result: { kind: 'unhealthy', reason }, againMs };
}

const STABLE_MS = 1000;
const LOOK_MS = 100;
