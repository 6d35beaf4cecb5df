import { Breath } from '../../core/breath.ts';
import { type AsideRead, UNREAD } from './aside.ts';
import type { ProcFiles } from './files.ts';

/** What is done with each process of a round. */
export interface RoundSteps {
  /** At once. */
  readonly look: (pid: number) => void;
  /** In place of `look`, with those whose memory may keep us waiting: UNREAD where it did. Absent where nothing of it is read. */
  readonly lookAside?: (of: AsideRead) => Promise<unknown>;
}

/**
 * Goes through processes in slices of 10 ms, between which the loop turns: root's and our own first, then those of all other users at
 * once, each user's one after the other. Who keeps us waiting for a quarter of a second keeps us from reading its user's others then,
 * and nobody else's. Rejects only where a step throws.
 */
export async function goRound(files: ProcFiles, pids: readonly number[], { look, lookAside }: RoundSteps): Promise<void> {
  const breath = new Breath();
  const foreign = new Map<number, number[]>();
  for (const pid of pids) {
    if (breath.isDue) await breath.take();
    const owner = lookAside === undefined ? undefined : foreignOwner(files, pid);
    if (owner === undefined) look(pid);
    else if (foreign.has(owner)) foreign.get(owner)?.push(pid);
    else foreign.set(owner, [pid]);
  }
  const lookAtUsers = async ([uid, pidsOfUser]: readonly [number, readonly number[]]): Promise<void> => {
    let ms = MOST_MS;
    for (const pid of pidsOfUser) {
      if (breath.isDue) await breath.take();
      if ((await lookAside?.({ pid, uid, ms })) === UNREAD) ms = 0;
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
