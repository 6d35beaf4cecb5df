import type { RootProcess } from '../core/program-roots.ts';
import type { ProcessLook, SeenProcess } from '../system/proc/look.ts';
import { hasEnded } from '../system/proc/parse.ts';
import type { Identity, ProcessTree } from './identity.ts';

/** What belongs to a program beside its trees. */
export interface ProgramRest {
  /** By the pid of the tree's root that leads its process group or session. */
  readonly byLeader: ReadonlyMap<number, readonly SeenProcess[]>;
  /** Of roots that are gone. */
  readonly left: readonly SeenProcess[];
}

/**
 * Finds the rest of the process groups and sessions that the roots lead or led, whatever it is called and whoever adopted it, with its
 * descendants. Nobody else can join them: setpgid(2) needs the same session.
 */
export function restOf(
  { knownRoots, ownPid }: Identity,
  { all, children }: ProcessLook,
  trees: readonly ProcessTree[],
  own: ReadonlySet<number>,
): ProgramRest {
  const taken = new Set(trees.flatMap(({ root, descendants }) => [root, ...descendants]));
  const gone = knownRoots.filter(({ pid, startTime }) => {
    const now = all.get(pid);
    return now === undefined || now.startTime !== startTime || hasEnded(now);
  });
  const living = trees.map(({ root }) => root).filter(({ pid, pgid, sid }) => pid === pgid || pid === sid);
  const byLeader = new Map<number, SeenProcess[]>();
  const left: SeenProcess[] = [];
  if (gone.length === 0 && living.length === 0) return { byLeader, left };
  const isFree = (seen: SeenProcess): boolean =>
    !taken.has(seen) && seen.pid !== ownPid && !own.has(seen.pid) && !seen.kernelThread && !hasEnded(seen);
  const leaders = new Map(living.map((root) => [root.pid, root]));
  for (const seen of all.values()) {
    if (!isFree(seen)) continue;
    const leader = leaders.get(seen.pgid) ?? leaders.get(seen.sid);
    const into =
      leader === undefined
        ? gone.some((root) => isMemberOf(root, seen, all))
          ? left
          : undefined
        : listOf(byLeader, leader.pid);
    if (into === undefined) continue;
    const family = new Set([seen]);
    for (const parent of family) for (const child of children.get(parent.pid) ?? []) if (isFree(child)) family.add(child);
    for (const member of family) taken.add(member);
    into.push(...family);
  }
  return { byLeader, left };
}

/** Whether a process is in the process group or session that `root` led, and that is still that root's and not one of a new process of its number. */
export function isMemberOf(
  root: RootProcess,
  { pgid, sid, startTime }: SeenProcess,
  all: ReadonlyMap<number, SeenProcess>,
): boolean {
  if (root.isEmpty === true || (pgid !== root.pid && sid !== root.pid) || startTime < root.startTime) return false;
  const now = all.get(root.pid);
  // As long as a group has members no new process gets its number.
  return now === undefined || now.startTime === root.startTime;
}

function listOf(lists: Map<number, SeenProcess[]>, key: number): SeenProcess[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
