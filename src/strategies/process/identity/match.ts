// Finds what runs of a program.
import { sameProcess } from '../../../core/program/roots.ts';
import type { ProcessLook, SeenProcess } from '../../../system/proc/look.ts';
import { ancestorsOf } from '../../../system/proc/process-tree.ts';
import type { ProcessTable } from '../../../system/proc/table.ts';
import { ownerTest } from './candidates.ts';
import type { Identity, ProcessTree, Witness } from './identity.ts';
import type { Foreign } from './owner.ts';
import { memberTest, restOf } from './rest.ts';
import { stillKnown, witnesses } from './witnesses.ts';

/** What runs of a program, oldest first; or why it must not be touched, in one line. */
export type Matches =
  | {
      readonly kind: 'found';
      readonly trees: readonly ProcessTree[];
      /** What a later witness knows besides. It is reported and never stopped; while it runs nothing is restarted. */
      readonly further: readonly ProcessTree[];
      /** What ended roots left behind under other names: it belongs to the program, and does not prove that it runs. */
      readonly rest: readonly SeenProcess[];
      /**
       * Processes that have the name and belong to another user, and why: no action and no report on the program includes them.
       */
      readonly foreign: ReadonlyMap<SeenProcess, Foreign>;
      /** What was not believed, one line each. */
      readonly remarks: readonly string[];
    }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Finds the program by the first witness that knows a living process (witnesses.ts), or that knew it (stillKnown). Never finds
 * this process, kernel threads, zombies, processes of another pid namespace, or a command that we run for another process. What
 * later witnesses know besides belongs to the program too if the total is at most `maxMatches`; else it is `further`.
 */
export async function findTrees(table: ProcessTable, identity: Identity, look: ProcessLook): Promise<Matches> {
  const { all, children } = look;
  const { ownPid, knownRoots } = identity;
  // An empty table does not mean that nothing runs: there may be no descriptor left to read with.
  if (!all.has(ownPid)) return { kind: 'refused', reason: 'the process table cannot be read' };
  const own = ancestorsOf(ownPid, all);
  const isOwned = ownerTest(table, identity);
  const isMember = memberTest(table, all, isOwned);
  // What we started is also known by its run, wherever it has moved.
  const isOfItsRoot = (root: SeenProcess, seen: SeenProcess): boolean => {
    const known = knownRoots.find(sameProcess(root));
    if (isMember(known ?? root, seen)) return true;
    return known?.runId !== undefined && isOwned(seen) && table.hasVariable(seen.pid, 'MONITOR_RUN_ID', known.runId);
  };
  const foreign = new Map<SeenProcess, Foreign>();
  const remarks: string[] = [];
  const unreadToo: SeenProcess[] = [];
  let program: readonly ProcessTree[] = [];
  let later: readonly ProcessTree[] = [];
  for (const witness of witnesses) {
    const known = await witness.find(table, identity, look);
    const found = [...new Set([...known.found, ...stillKnown(table, identity, look, witness.name, known)])];
    const above = found.find(({ pid }) => own.has(pid));
    if (above !== undefined)
      return { kind: 'refused', reason: `process ${above.pid} of that name is an ancestor of this monitor` };
    for (const [seen, why] of known.foreign) foreign.set(seen, why);
    remarks.push(...known.remarks);
    unreadToo.push(...(known.unread ?? []));
    const trees = treesOfFound(found, witness.name);
    if (program.length === 0) program = trees;
    else [program, later] = joinLater(program, later, trees, isOfItsRoot);
  }
  const unread = program.length === 0 ? [...look.unread, ...unreadToo].find(isOwned) : undefined;
  if (unread !== undefined)
    return { kind: 'refused', reason: `the command line of process ${unread.pid} cannot be read now: its memory is locked` };
  const isAllOfIt = program.length + later.length <= identity.maxMatches;
  const counted = isAllOfIt ? [...program, ...later] : program;
  const further = isAllOfIt ? [] : later;
  const rest = restOf(identity, look, [...counted, ...further], own, isMember);
  const ofIt = new Set([...counted, ...further].flatMap(familyOf).concat(rest.left));
  return {
    kind: 'found',
    trees: counted.map((tree) => withRest(tree, rest.byLeader)).sort(byAge),
    further: [...further].sort(byAge),
    rest: rest.left,
    foreign: new Map([...foreign].filter(([seen]) => !ofIt.has(seen))),
    remarks,
  };

  /** What belongs to one ended root, or to one of our units, is one tree. */
  function treesOfFound(found: readonly SeenProcess[], by: Witness): ProcessTree[] {
    const named = new Map(found.map((seen) => [seen.pid, seen]));
    const trees = new Map<string, ProcessTree>();
    for (const seen of found) {
      if (topmost(seen, named, all) !== seen) continue;
      const left = knownRoots.find((root) => isMember(root, seen) && !named.has(root.pid));
      const unit = by === 'start' ? identity.unitOf(seen.pid) : undefined;
      const tree: ProcessTree = { root: seen, descendants: descendantsOf(seen, children), orphaned: left !== undefined, by };
      const key = unit ?? (left === undefined ? `pid ${seen.pid}` : `left by ${left.pid}`);
      const same = trees.get(key);
      trees.set(key, same === undefined ? tree : joined(same, tree));
    }
    return [...trees.values()];
  }
}

/** The trees that were found; none if the program must not be touched. */
export function treesOf(found: Matches): readonly ProcessTree[] {
  return found.kind === 'found' ? found.trees : [];
}

function familyOf({ root, descendants }: ProcessTree): SeenProcess[] {
  return [root, ...descendants];
}

/** A tree that contains a known one, or that is contained in one or in its process group, is the same program. */
function joinLater(
  program: readonly ProcessTree[],
  later: readonly ProcessTree[],
  trees: readonly ProcessTree[],
  isOfIts: (root: SeenProcess, seen: SeenProcess) => boolean,
): [program: readonly ProcessTree[], later: readonly ProcessTree[]] {
  let [known, besides] = [[...program], [...later]];
  for (const tree of trees) {
    const holdsIt = (other: ProcessTree): boolean => familyOf(other).includes(tree.root) || isOfIts(other.root, tree.root);
    const holder = [...known, ...besides].find(holdsIt);
    if (holder?.by === 'start' && holder.root !== tree.root)
      known = known.map((one) => (one === holder ? { ...one, known: [...(one.known ?? []), tree.root] } : one));
    if (holder !== undefined) continue;
    const isInside = ({ root }: ProcessTree): boolean => tree.descendants.includes(root);
    const holdsProgram = known.some(isInside);
    [known, besides] = [known.filter((other) => !isInside(other)), besides.filter((other) => !isInside(other))];
    (holdsProgram ? known : besides).push(tree);
  }
  return [known, besides];
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
  const [root, other] = a.root.startTime <= b.root.startTime ? [a.root, b.root] : [b.root, a.root];
  const descendants = [...a.descendants, other, ...b.descendants];
  return { ...a, root, descendants, orphaned: a.orphaned || b.orphaned };
}

function withRest(tree: ProcessTree, rest: ReadonlyMap<number, readonly SeenProcess[]>): ProcessTree {
  const more = rest.get(tree.root.pid);
  return more === undefined ? tree : { ...tree, descendants: [...tree.descendants, ...more] };
}

function byAge(a: ProcessTree, b: ProcessTree): number {
  return a.root.startTime - b.root.startTime;
}
