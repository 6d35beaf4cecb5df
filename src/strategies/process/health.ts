// The process strategy's own health check, and whether a program that was found running lasts.
import type { Clock } from '../../core/clock.ts';
import { startDeadline } from '../../core/deadline.ts';
import type { HealthResult } from '../../core/outcomes.ts';
import { sameProcess } from '../../core/program/roots.ts';
import { formatDuration } from '../../core/text/duration.ts';
import type { ProcessTable } from '../../system/proc/table.ts';
import type { Life } from '../strategy.ts';
import { describePids } from './descriptions.ts';
import { type ProcessTree, programsOf } from './identity/identity.ts';
import { type Matches, treesOf } from './identity/match.ts';

/** What the process strategy's own health check needs. */
export interface HealthParts {
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** `stable_time` in milliseconds. */
  readonly stableMs: number;
  /** Returns, within the signal, a function that finds what runs under the name. */
  readonly finder: (signal: AbortSignal) => Promise<() => Promise<Matches>>;
}

/**
 * A program is healthy if one of its processes has been running for `stable_time` with the same pid and start time, and is not
 * suspended. Waits for that at most `timeoutMs`. Never rejects.
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

/** The oldest program of that name, with the descendants that it has by then: the first process of a daemon may end. */
export async function lifeOf(table: ProcessTable, find: () => Promise<Matches>): Promise<Life | undefined> {
  const [tree] = treesOf(await find());
  if (tree === undefined) return undefined;
  const [root = tree.root] = programsOf(tree);
  const family = [tree.root, ...tree.descendants];
  const isOfIt = (other: ProcessTree): boolean => family.some(sameProcess(other.root));
  return {
    ageMs: table.ageMs(root),
    upForMs: table.ageMs(root),
    ended: async () => (table.exists(root) || treesOf(await find()).some(isOfIt) ? undefined : `pid ${root.pid} has ended`),
  };
}

/**
 * The life of a program that is known to run under its name, but does not at this moment: it must appear, and last like any
 * other.
 */
export function expectedLife(parts: HealthParts): Life {
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
  return unhealthy(`pid ${oldest.pid} has been running for only ${formatDuration(roundedDown(ageMs))}`, stableMs - ageMs);
}

/** Rounded up, it would seem to have run for long enough. */
function roundedDown(ms: number): number {
  return Math.floor(ms / 100) * 100;
}

function unhealthy(reason: string, againMs = LOOK_MS): { readonly result: HealthResult; readonly againMs: number } {
  return { result: { kind: 'unhealthy', reason }, againMs };
}

const LOOK_MS = 100;
/** Its health checks have passed: it should be running. */
const COMING_MS = 1000;
