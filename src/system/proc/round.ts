import { Breath } from '../../core/breath.ts';
import { type AsideRead, UNREAD } from './aside.ts';
import type { ProcFiles } from './files.ts';
import { type ProcessStat, parseStat } from './parse.ts';

/** What is done with each process of a round. */
export interface RoundSteps {
  /** At once; or says that it has to be done aside. */
  readonly look: (pid: number) => 'aside' | undefined;
  /** In place of `look`, with those whose memory may keep us waiting: UNREAD where it did. Absent where nothing of it is read. */
  readonly lookAside?: (of: AsideRead) => Promise<unknown>;
}

/**
 * Goes through processes in slices of 10 ms, between which the loop turns: root's and our own first, then what is heavy of those and what is of all other users at
 * once, each user's one after the other. Who keeps us waiting for a quarter of a second keeps us from reading its user's others then,
 * and nobody else's. Rejects only where a step throws.
 */
export async function goRound(files: ProcFiles, pids: readonly number[], { look, lookAside }: RoundSteps): Promise<void> {
  const breath = new Breath();
  const foreign = new Map<number, number[]>();
  for (const pid of pids) {
    if (breath.isDue) await breath.take();
    const owner = lookAside === undefined ? undefined : foreignOwner(files, pid);
    const isAside = owner !== undefined || look(pid) === 'aside';
    if (!isAside) continue;
    const uid = owner ?? OWN_UID;
    if (foreign.has(uid)) foreign.get(uid)?.push(pid);
    else foreign.set(uid, [pid]);
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

/**
 * Whether its memory's lock may be kept for long whosever it is, by root in a container, say: the kernel takes some 40 ms for each GiB that
 * a call like mprotect(2) changes, and lets all threads that wait have their turn first.
 */
export function isHeavy({ vmsBytes, threads }: Pick<ProcessStat, 'vmsBytes' | 'threads'>): boolean {
  return vmsBytes * threads > 2 * 1024 ** 3;
}

/** As foreignOwner; of root's and our own processes those that are heavy too. */
export function waitedForOwner(files: ProcFiles, pid: number): number | undefined {
  const owner = foreignOwner(files, pid);
  if (owner !== undefined) return owner;
  const stat = parseStat(files.text(`${pid}/stat`) ?? '');
  return stat !== undefined && isHeavy(stat) ? OWN_UID : undefined;
}

/** The process's effective user, if that is another than root and ourselves, for whose memory's lock nobody must wait on the loop. */
export function foreignOwner(files: ProcFiles, pid: number): number | undefined {
  const owner = files.owner(pid);
  return owner === 0 || owner === OWN_UID ? undefined : owner;
}

const OWN_UID = process.geteuid?.() ?? 0;
/** For so long we wait for one of them. */
export const MOST_MS = 250;
