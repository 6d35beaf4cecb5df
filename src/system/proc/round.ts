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
    const owner = lookAside === undefined ? undefined : files.owner(pid);
    if (owner === undefined || owner === 0 || owner === OWN_UID) look(pid);
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

const OWN_UID = process.geteuid?.();
const MOST_MS = 250;
