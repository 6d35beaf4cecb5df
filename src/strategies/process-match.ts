import type { ManagedProcess } from '../core/alarm.ts';
import { Breath } from '../core/breath.ts';
import { ancestorsOf } from '../system/proc/kin.ts';
import { ProcessLook, type SeenProcess } from '../system/proc/look.ts';
import { hasEnded } from '../system/proc/parse.ts';
import type { ProcessIdentity, ProcessTable } from '../system/proc/table.ts';
import { programMatcher } from './program-name.ts';
import { isOwnedBy, type Owners, runsRootsFile } from './program-owner.ts';

/** A program that runs: its topmost process of that name, and all that descends from it. */
export interface ProcessTree {
  readonly root: SeenProcess;
  /** Whole, of whatever name, parents before children; without the root. */
  readonly descendants: readonly SeenProcess[];
  /** The root is only a leftover of a root that is gone: it does not tell how the program is started. */
  readonly orphaned: boolean;
}

/** What runs under a name, oldest first; or that it must not be touched, in one line. */
export type Matches =
  | {
      readonly kind: 'found';
      readonly trees: readonly ProcessTree[];
      /** Who bears the name and is another user's: nothing that is done or told of the program knows of them. */
      readonly strangers: readonly SeenProcess[];
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Finds the trees whose topmost process is the program: never by a part of a name, never this process, kernel threads, zombies,
 * another pid namespace's processes, or a command that we run for another process. `knownRoots` are roots of earlier looks:
 * what a dead one of them left behind in its process group or session counts as one tree. Whoever else is it must be one of the
 * `owners`'; where only a process's own word makes it the program of a full path, also who executes that file by another name (a
 * symbolic link) is believed. `look`: where one that will do was taken already.
 */
export async function findTrees(
  table: ProcessTable,
  process: ManagedProcess,
  knownRoots: readonly ProcessIdentity[],
  ownPid: number,
  owners: Owners & { readonly kind: 'known' },
  look?: ProcessLook,
): Promise<Matches> {
  const seenNow = look ?? (await ProcessLook.take(table));
  const { all, children } = seenNow;
  // Nothing to be seen is not nothing that runs: no descriptor may be left to read by.
  if (!all.has(ownPid)) return { kind: 'refused', reason: 'the process table cannot be read' };
  const own = ancestorsOf(ownPid, all);
  const { systemName } = process;
  const isOwned = (seen: SeenProcess): boolean => owners.others === 'all' || isOwnedBy(table, seen, owners.uids);
  const runsRoots = (seen: SeenProcess): boolean => owners.others === 'roots_files' && runsRootsFile(table, seen, systemName);
  const isBelieved = (seen: SeenProcess): boolean => isOwned(seen) || table.executes(seen.pid, systemName) || runsRoots(seen);
  const isProgram = programMatcher(systemName, isBelieved);
  const isOurs = commandsForOthers(table, process, ownPid, all);
  const depth = table.read(ownPid, ['namespaceDepth'])?.namespaceDepth ?? 0;
  const isLeftOver = ({ pgid, sid }: SeenProcess): boolean => knownRoots.some(({ pid }) => pgid === pid || sid === pid);
  const everybody: SeenProcess[] = [];
  const owned: SeenProcess[] = [];
  const breath = new Breath();
  for (const seen of seenNow.calledBy(systemName)) {
    if (breath.isDue) await breath.take();
    if (seen.pid === ownPid || seen.kernelThread || hasEnded(seen) || !isProgram(seen)) continue;
    if (table.read(seen.pid, ['namespaceDepth'])?.namespaceDepth !== depth || isOurs(seen)) continue;
    if (own.has(seen.pid))
      return { kind: 'refused', reason: `process ${seen.pid} of that name is an ancestor of this monitor` };
    everybody.push(seen);
    if (isOwned(seen) || isLeftOver(seen)) owned.push(seen);
  }
  const counted = owned.length > 0 ? owned : await filterWithBreath(everybody, runsRoots, breath);
  const named = new Map(counted.map((seen) => [seen.pid, seen]));
  const trees = new Map<number, ProcessTree>();
  for (const seen of named.values()) {
    const root = topmost(seen, named, all);
    if (root !== seen) continue;
    const left = knownRoots.find(({ pid }) => (seen.pgid === pid || seen.sid === pid) && !named.has(pid));
    const tree = { root, descendants: descendantsOf(root, children), orphaned: left !== undefined };
    const same = left === undefined ? undefined : trees.get(left.pid);
    trees.set(left?.pid ?? root.pid, same === undefined ? tree : joined(same, tree));
  }
  const inTrees = new Set([...trees.values()].flatMap(({ root, descendants }) => [root, ...descendants]));
  return {
    kind: 'found',
    trees: [...trees.values()].sort((a, b) => a.root.startTime - b.root.startTime),
    strangers: everybody.filter((seen) => !inTrees.has(seen)),
  };
}

/** What was found; nothing where it must not be touched. */
export function treesOf(found: Matches): readonly ProcessTree[] {
  return found.kind === 'found' ? found.trees : [];
}

/** Strangers may be thousands, and each is looked at closely. */
async function filterWithBreath<T>(all: readonly T[], keeps: (one: T) => boolean, breath: Breath): Promise<T[]> {
  const kept: T[] = [];
  for (const one of all) {
    if (breath.isDue) await breath.take();
    if (keeps(one)) kept.push(one);
  }
  return kept;
}

function topmost(
  process: SeenProcess,
  named: ReadonlyMap<number, SeenProcess>,
  all: ReadonlyMap<number, SeenProcess>,
): SeenProcess {
  let top = process;
  for (const pid of ancestorsOf(process.pid, all)) top = named.get(pid) ?? top;
  return top;
}

function descendantsOf(root: SeenProcess, children: ReadonlyMap<number, readonly SeenProcess[]>): SeenProcess[] {
  const found = new Set<SeenProcess>([root]);
  for (const parent of found) for (const child of children.get(parent.pid) ?? []) found.add(child);
  found.delete(root);
  return [...found];
}

function joined(a: ProcessTree, b: ProcessTree): ProcessTree {
  return { root: a.root, descendants: [...a.descendants, b.root, ...b.descendants], orphaned: true };
}

/**
 * Commands that we run directly are our descendants until they end (a health check `nginx -t` of another process is no nginx);
 * what they leave behind is not. Only for those few the environment is read.
 */
function commandsForOthers(
  table: ProcessTable,
  process: ManagedProcess,
  ownPid: number,
  all: ReadonlyMap<number, SeenProcess>,
): (seen: SeenProcess) => boolean {
  return (seen) => {
    if (!ancestorsOf(seen.pid, all).has(ownPid)) return false;
    const isOwn = table.hasVariable(seen.pid, 'MONITOR_SYSTEM_NAME', process.systemName);
    return !isOwn && table.hasVariable(seen.pid, 'MONITOR_ATTEMPT');
  };
}
