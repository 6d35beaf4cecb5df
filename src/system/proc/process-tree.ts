// Parents and children of processes.
import type { ProcessInfo } from './table.ts';

/** A process in a tree. */
type TreeProcess = ProcessInfo<'ppid' | 'startTime'>;

/** Returns the process with a pid: from a table of all, or by one look each. */
type Find<K extends TreeProcess> = Pick<ReadonlyMap<number, K>, 'get'>;

/** The pids of the ancestors of `pid`, including itself. */
export function ancestorsOf(pid: number, all: Find<TreeProcess>): Set<number> {
  const found = new Set<number>([pid]);
  for (let at = parentOf(all.get(pid), all); at !== undefined && !found.has(at.pid); at = parentOf(at, all)) found.add(at.pid);
  return found;
}

/** All processes by their parent's pid. */
export function childrenOf<K extends TreeProcess>(all: ReadonlyMap<number, K>): Map<number, K[]> {
  const children = new Map<number, K[]>();
  for (const process of all.values()) {
    const parent = parentOf(process, all);
    if (parent === undefined) continue;
    const siblings = children.get(parent.pid);
    if (siblings === undefined) children.set(parent.pid, [process]);
    else siblings.push(process);
  }
  return children;
}

/**
 * The parent of a process. A table is not a snapshot of one moment: a parent that is younger than its child is another process
 * with the old number.
 */
function parentOf<K extends TreeProcess>(process: TreeProcess | undefined, all: Find<K>): K | undefined {
  const parent = process === undefined ? undefined : all.get(process.ppid);
  return parent !== undefined && process !== undefined && parent.startTime <= process.startTime ? parent : undefined;
}
