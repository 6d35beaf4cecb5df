import type { RootProcess } from '../../../core/program/roots.ts';
import type { ProcessLook, SeenProcess } from '../../../system/proc/look.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import type { Identity, ProcessTree } from './identity.ts';

/** What belongs to a program beside its trees. */
interface ProgramRest {
  /** By the pid of the tree's root that leads its process group or session. */
  readonly byLeader: ReadonlyMap<number, readonly SeenProcess[]>;
  /** Of roots that are gone. */
  readonly left: readonly SeenProcess[];
}

/**
 * Finds the rest of the process groups and sessions that the roots lead or led (memberTest), whatever it is called and whoever adopted
 * it, with its descendants.
 */
export function restOf(
  { knownRoots, ownPid }: Identity,
  { all, children }: ProcessLook,
  trees: readonly ProcessTree[],
  own: ReadonlySet<number>,
  isMember: IsMember,
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
  const listFor = (seen: SeenProcess): SeenProcess[] | undefined => {
    const leader = leaders.get(seen.sid) ?? leaders.get(seen.pgid);
    if (leader !== undefined && isMember(leader, seen)) return listOf(byLeader, leader.pid);
    return gone.some((root) => isMember(root, seen)) ? left : undefined;
  };
  for (const seen of all.values()) {
    const list = isFree(seen) ? listFor(seen) : undefined;
    if (list === undefined) continue;
    const family = new Set([seen]);
    for (const parent of family) for (const child of children.get(parent.pid) ?? []) if (isFree(child)) family.add(child);
    for (const member of family) taken.add(member);
    list.push(...family);
  }
  return { byLeader, left };
}

/** Whether a process belongs to a root. */
type IsMember = (root: RootProcess, seen: SeenProcess) => boolean;

/**
 * Tells who is in the session that a root led, or that was all its own; or in its process group, and an owner's: whose session it is,
 * he can have others join the group (setpgid(2)). Not in those of a new process of its number; of a root that is gone only who is where
 * that was: the numbers of a group and a session that have ended are another's next, who may have ended as well.
 */
export function memberTest(
  table: ProcessTable,
  all: ReadonlyMap<number, SeenProcess>,
  isOwned: (seen: SeenProcess) => boolean,
): IsMember {
  return (root, seen) => isMemberOf(root, seen, all, isOwned) && (isThere(root, all) || isInItsCgroup(table, root, seen));
}

/** As long as its number is its own, also while nobody has fetched its end. */
function isThere({ pid, startTime }: RootProcess, all: ReadonlyMap<number, SeenProcess>): boolean {
  return all.get(pid)?.startTime === startTime;
}

function isInItsCgroup(table: ProcessTable, { cgroup }: RootProcess, { pid }: SeenProcess): boolean {
  if (cgroup === undefined || cgroup === '/') return true;
  const now = table.read(pid, ['cgroup'])?.cgroup;
  return now === cgroup || now?.startsWith(`${cgroup}/`) === true;
}

function isMemberOf(
  root: RootProcess,
  seen: SeenProcess,
  all: ReadonlyMap<number, SeenProcess>,
  isOwned: (seen: SeenProcess) => boolean,
): boolean {
  const { pgid, sid, startTime } = seen;
  if (root.isEmpty === true || startTime < root.startTime) return false;
  // While its leader's number is nobody's the session is still the same.
  const leader = all.get(sid);
  if (root.session === sid && (leader === undefined || hasEnded(leader))) return true;
  if (pgid !== root.pid && sid !== root.pid) return false;
  const now = all.get(root.pid);
  // As long as a group has members no new process gets its number.
  if (now !== undefined && now.startTime !== root.startTime) return false;
  return sid === root.pid || isOwned(seen);
}

function listOf(lists: Map<number, SeenProcess[]>, key: number): SeenProcess[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/**
 * The session of a program that a parent which has ended has put into the background: daemon(7) leaves it without a leader. Not one in
 * which somebody else lives, as what the same shell has put there: who joins it later is a child of those that are in it.
 */
export async function sessionOfOwn(
  table: ProcessTable,
  { root: { pid, pgid, sid } }: ProcessTree,
): Promise<number | undefined> {
  if (sid === pid || sid !== pgid || sid <= 1 || table.isRunning(sid)) return undefined;
  const all = new Map((await table.survey(SESSION)).map((seen) => [seen.pid, seen]));
  const isOthers = (seen: SessionMember): boolean =>
    seen.sid === sid && seen.pid !== pid && !hasEnded(seen) && !ancestorsOf(seen.pid, all).has(pid);
  return [...all.values()].some(isOthers) ? undefined : sid;
}

const SESSION = ['sid', 'ppid', 'startTime', 'state', 'threads'] as const;
type SessionMember = ProcessInfo<(typeof SESSION)[number]>;
