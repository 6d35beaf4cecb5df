import { LoopPause } from '../../core/loop-pause.ts';
import { type AsideRead, UNREAD } from './aside.ts';
import type { ProcFiles } from './files.ts';

/** What is done with each process of a round. */
interface RoundSteps<T> {
  /** The first, which reads nothing of its memory; undefined where it is the last too. */
  readonly begin: (pid: number) => T | undefined;
  /** At once. */
  readonly look: (begun: T) => void;
  /** In place of `look`, with those whose memory may keep us waiting: UNREAD where it did. Absent where nothing of it is read. */
  readonly lookAside?: (begun: T, of: AsideRead) => Promise<unknown>;
}

/**
 * Goes through processes in slices of 10 ms, between which the loop turns: root's and our own first, then those of all other users at
 * once, each user's one after the other. Who keeps us waiting for a quarter of a second keeps us from reading its user's others then,
 * and nobody else's. Rejects only where a step throws.
 */
export async function goRound<T>(files: ProcFiles, pids: readonly number[], steps: RoundSteps<T>): Promise<void> {
  const { begin, look, lookAside } = steps;
  const pause = new LoopPause();
  const foreign = new Map<number, [pid: number, begun: T][]>();
  for (const pid of pids) {
    if (pause.isDue) await pause.take();
    const begun = begin(pid);
    if (begun === undefined) continue;
    const owner = lookAside === undefined ? undefined : foreignOwner(files, pid);
    if (owner === undefined) look(begun);
    else if (foreign.has(owner)) foreign.get(owner)?.push([pid, begun]);
    else foreign.set(owner, [[pid, begun]]);
  }
  const lookAtUsers = async ([uid, ofUser]: readonly [number, readonly [pid: number, begun: T][]]): Promise<void> => {
    let ms = MOST_MS;
    for (const [pid, begun] of ofUser) {
      if (pause.isDue) await pause.take();
      if ((await lookAside?.(begun, { pid, uid, ms })) === UNREAD) ms = 0;
    }
  };
  await Promise.all([...foreign].map(lookAtUsers));
}

/** The process's effective user, if that is another than root and ourselves, for whose memory's lock nobody must wait on the loop. */
export function foreignOwner(files: ProcFiles, pid: number): number | undefined {
  const owner = files.owner(pid);
  return owner === 0 || owner === OWN_UID ? undefined : owner;
}

const OWN_UID = process.geteuid?.();
/** For so long we wait for one of them. */
export const MOST_MS = 250;
