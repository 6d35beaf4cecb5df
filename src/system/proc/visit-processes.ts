// Visits processes in slices, and never waits on the event loop for another user's process.
import { LoopPause } from '../../core/loop-pause.ts';
import type { ProcFiles } from './files.ts';
import { type PoolRead, UNREAD } from './pool-files.ts';

/** What is done with each process of a visit. */
interface VisitSteps<T> {
  /** The first step, which reads nothing of the process's memory; undefined if it is also the last. */
  readonly begin: (pid: number) => T | undefined;
  /** The second step, synchronous. */
  readonly look: (begun: T) => void;
  /** Replaces `look` for processes whose memory may make us wait; returns UNREAD if it did. Absent if no memory is read. */
  readonly lookInPool?: (begun: T, of: PoolRead) => Promise<unknown>;
}

/**
 * Visits processes in slices of 10 ms, between which the event loop runs: those of root and ourselves first, then those of all
 * other users concurrently, each user's one after the other. If a process makes us wait for a quarter of a second, the rest of
 * its user's processes are not read then; other users are not affected. Rejects only if a step throws.
 */
export async function visitProcesses<T>(files: ProcFiles, pids: readonly number[], steps: VisitSteps<T>): Promise<void> {
  const { begin, look, lookInPool } = steps;
  const pause = new LoopPause();
  const foreign = new Map<number, [pid: number, begun: T][]>();
  for (const pid of pids) {
    if (pause.isDue) await pause.take();
    const begun = begin(pid);
    if (begun === undefined) continue;
    const owner = lookInPool === undefined ? undefined : foreignOwner(files, pid);
    if (owner === undefined) look(begun);
    else if (foreign.has(owner)) foreign.get(owner)?.push([pid, begun]);
    else foreign.set(owner, [[pid, begun]]);
  }
  const lookAtUsers = async ([uid, ofUser]: readonly [number, readonly [pid: number, begun: T][]]): Promise<void> => {
    let ms = MAX_WAIT_MS;
    for (const [pid, begun] of ofUser) {
      if (pause.isDue) await pause.take();
      if ((await lookInPool?.(begun, { pid, uid, ms })) === UNREAD) ms = 0;
    }
  };
  await Promise.all([...foreign].map(lookAtUsers));
}

/**
 * The process's effective user, if it is neither root nor ourselves; we must not wait on the event loop for the lock of such a
 * user's memory.
 */
export function foreignOwner(files: ProcFiles, pid: number): number | undefined {
  const owner = files.owner(pid);
  return owner === 0 || owner === OWN_UID ? undefined : owner;
}

const OWN_UID = process.geteuid?.();
/** How long we wait for one process. */
export const MAX_WAIT_MS = 250;
