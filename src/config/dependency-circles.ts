// Finds circles in the dependencies of processes.
/** The dependencies of each name; a name that is not among the keys has none. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The groups of names that depend on themselves through each other. Source: Tarjan's strongly connected components, without
 * recursion, because a chain may be as long as the file. Takes time linear in the graph.
 */
export function findCircularGroups(graph: DependencyGraph): string[][] {
  const knots: string[][] = [];
  /** The order in which names are first visited. */
  const order = new Map<string, number>();
  /** The earliest name of `open` that can be reached from each. */
  const earliest = new Map<string, number>();
  /** The names whose group is not known yet. */
  const open: string[] = [];
  const isOpen = new Set<string>();
  for (const root of graph.keys()) {
    const path: { readonly name: string; readonly next: Iterator<string> }[] = [];
    const enter = (name: string): void => {
      earliest.set(name, order.size);
      order.set(name, order.size);
      open.push(name);
      isOpen.add(name);
      path.push({ name, next: (graph.get(name) ?? []).values() });
    };
    const reach = (name: string, place: number): void => {
      earliest.set(name, Math.min(earliest.get(name) ?? place, place));
    };
    if (!order.has(root)) enter(root);
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const { value: next, done } = here.next.next();
      if (!done) {
        if (!order.has(next)) enter(next);
        else if (isOpen.has(next)) reach(here.name, order.get(next) ?? 0);
        continue;
      }
      path.pop();
      const place = earliest.get(here.name) ?? 0;
      const before = path.at(-1);
      if (before !== undefined) reach(before.name, place);
      if (place !== order.get(here.name)) continue;
      const group = open.splice(open.lastIndexOf(here.name));
      for (const name of group) isOpen.delete(name);
      const [only = ''] = group;
      if (group.length > 1 || graph.get(only)?.includes(only) === true) knots.push(group);
    }
  }
  return knots;
}

/** A shortest path from `name` through its group back to itself, without the last step: `[a, b]` for a -> b -> a. */
export function circleThrough(graph: DependencyGraph, group: ReadonlySet<string>, name: string): string[] {
  const from = new Map<string, string>();
  const queue = [name];
  for (const here of queue) {
    for (const next of graph.get(here) ?? []) {
      if (next === name) return pathTo(here, from);
      if (!group.has(next) || from.has(next)) continue;
      from.set(next, here);
      queue.push(next);
    }
  }
  return [name];
}

function pathTo(end: string, from: ReadonlyMap<string, string>): string[] {
  const path: string[] = [];
  for (let here: string | undefined = end; here !== undefined; here = from.get(here)) path.push(here);
  return path.reverse();
}
