// What belongs to a program besides its trees: the rest of its process groups and sessions.
import type { RootProcess } from '../../../core/program/roots.ts';
import type { ProcessLook, SeenProcess } from '../../../system/proc/look.ts';
import { hasEnded } from '../../../system/proc/parse.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessInfo, ProcessTable } from '../../../system/proc/table.ts';
import type { Identity, ProcessTree } from './identity.ts';

/** What belongs to a program besides its trees. */
interface ProgramRest {
  /** By the pid of the tree's root that leads its process group or session. */
  readonly byLeader: ReadonlyMap<number, readonly SeenProcess[]>;
  /** Left behind by roots that have ended. */
  readonly left: readonly SeenProcess[];
}

/**
 * Finds the rest of the process groups and sessions that the roots lead or led (memberTest), with its descendants, whatever
 * their names and parents.
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
 * Determines whether a process is in the session that a root led or had for itself, or in the root's process group and owned by
 * one of the owners: the user of a session can make other processes join the group (setpgid(2)). Processes in the group or
 * session of a new process with the same pid do not count. If the root has ended, only those count that are in its cgroup: the
 * numbers of an ended group and session may belong to another process next, and that one may have ended as well.
 */
export function memberTest(
  table: ProcessTable,
  all: ReadonlyMap<number, SeenProcess>,
  isOwned: (seen: SeenProcess) => boolean,
): IsMember {
  return (root, seen) => isMemberOf(root, seen, all, isOwned) && (isThere(root, all) || isInItsCgroup(table, root, seen));
}

/** True while the pid is the root's own, also while its exit status was not collected yet. */
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
  // While no process has its leader's pid, the session is still the same.
  const leader = all.get(sid);
  if (root.session === sid && (leader === undefined || hasEnded(leader))) return true;
  if (pgid !== root.pid && sid !== root.pid) return false;
  const now = all.get(root.pid);
  // While a group has members, no new process gets its number.
  if (now !== undefined && now.startTime !== root.startTime) return false;
  return sid === root.pid || isOwned(seen);
}

function listOf(lists: Map<number, SeenProcess[]>, key: number): SeenProcess[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/**
 * The session of a program that was put into the background by a parent that has ended: daemon(7) leaves it without a leader.
 * Undefined if other processes live in that session, such as others that the same shell put there: a process that joins it
 * later is a child of those that are in it.
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
