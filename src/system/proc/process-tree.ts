import type { ProcessInfo } from './table.ts';

/** What a family tree is made of. */
type Kin = ProcessInfo<'ppid' | 'startTime'>;

/** Who has that pid: a table of all, or one look each. */
type Find<K extends Kin> = Pick<ReadonlyMap<number, K>, 'get'>;

/** The pids above `pid`, itself included. */
export function ancestorsOf(pid: number, all: Find<Kin>): Set<number> {
  const found = new Set<number>([pid]);
  for (let at = parentOf(all.get(pid), all); at !== undefined && !found.has(at.pid); at = parentOf(at, all)) found.add(at.pid);
  return found;
}

/** Every process by its parent's pid. */
export function childrenOf<K extends Kin>(all: ReadonlyMap<number, K>): Map<number, K[]> {
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

/** A table is no snapshot of one moment: a parent that is younger than its child is another process under the old number. */
function parentOf<K extends Kin>(process: Kin | undefined, all: Find<K>): K | undefined {
  const parent = process === undefined ? undefined : all.get(process.ppid);
  return parent !== undefined && process !== undefined && parent.startTime <= process.startTime ? parent : undefined;
}
