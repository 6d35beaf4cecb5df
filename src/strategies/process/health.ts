import type { Clock } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import type { HealthResult } from '../../core/outcomes.ts';
import { sameProcess } from '../../core/program-roots.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import { startDeadline } from '../deadline.ts';
import type { Life } from '../strategy.ts';
import { describePids } from './descriptions.ts';
import { type ProcessTree, programsOf } from './identity/identity.ts';
import { type Matches, treesOf } from './identity/match.ts';

/** What proving takes. */
export interface HealthParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** `stable_time` in milliseconds. */
  readonly stableMs: number;
  /** Gives, within the signal, how to look at what runs under the name. */
  readonly finder: (signal: AbortSignal) => Promise<() => Promise<Matches>>;
}

/**
 * Well is a program of which one process has been running for `stable_time` under one pid and start time, and is not suspended.
 * Waits for that at most `timeoutMs`. Never rejects.
 */
export async function proveRunning(parts: HealthParts, timeoutMs: number, signal: AbortSignal): Promise<HealthResult> {
  const deadline = startDeadline(parts.clock, timeoutMs, signal);
  try {
    const find = await parts.finder(deadline.signal);
    for (;;) {
      const { result, againMs } = look(parts, await find());
      const leftMs = deadline.remainingMs();
      if (result.kind === 'healthy' || leftMs <= 0 || signal.aborted) return result;
      await parts.clock.sleep(Math.min(againMs, leftMs), signal);
    }
  } finally {
    deadline.end();
  }
}

/** The oldest program of that name, with what had already descended from it: a daemon's first process may end. */
export async function livesOn(table: ProcessTable, find: () => Promise<Matches>): Promise<Life | undefined> {
  const [tree] = treesOf(await find());
  if (tree === undefined) return undefined;
  const [root = tree.root] = programsOf(tree);
  const family = [tree.root, ...tree.descendants];
  const isOfIt = (other: ProcessTree): boolean => family.some(sameProcess(other.root));
  return {
    ageMs: table.ageMs(root),
    ended: async () => (table.exists(root) || treesOf(await find()).some(isOfIt) ? undefined : `pid ${root.pid} has ended`),
  };
}

/** The life of a program that does run under its name, but not at this moment: it must come, and last like any other. */
export function stillToCome(parts: HealthParts): Life {
  return {
    ageMs: parts.stableMs,
    ended: async (signal) => {
      const proof = await proveRunning(parts, parts.stableMs + COMING_MS, signal);
      return proof.kind === 'unhealthy' ? proof.reason : undefined;
    },
  };
}

function look({ table, stableMs }: HealthParts, found: Matches): { readonly result: HealthResult; readonly againMs: number } {
  if (found.kind === 'refused') {
    const result = {
      kind: 'unhealthy',
      reason: found.reason,
      ...(table.isUnreadable() ? { unseen: true as const } : {}),
    } as const;
    return { result, againMs: LOOK_MS };
  }
  const oldest = found.trees.flatMap(programsOf).find(({ state }) => state !== 'T');
  if (oldest === undefined) {
    return unhealthy(found.trees.length > 0 ? `${describePids(found.trees)} suspended` : 'no process of that name is running');
  }
  const ageMs = table.ageMs(oldest);
  if (ageMs >= stableMs) return { result: { kind: 'healthy' }, againMs: 0 };
  return unhealthy(`pid ${oldest.pid} has been running for ${formatDuration(roundedDown(ageMs))} only`, stableMs - ageMs);
}

/** Else it would seem to have run for long enough. */
function roundedDown(ms: number): number {
  return Math.floor(ms / 100) * 100;
}

function unhealthy(reason: string, againMs = LOOK_MS): { readonly result: HealthResult; readonly againMs: number } {
  return { result: { kind: 'unhealthy', reason }, againMs };
}

const LOOK_MS = 100;
/** Its health checks have passed: it should be there. */
const COMING_MS = 1000;
