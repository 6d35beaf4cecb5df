/** What each name depends on; a name that is not among the keys depends on nothing. */
export type DependencyGraph = ReadonlyMap<string, readonly string[]>;

/**
 * The names that depend on themselves by whatever way, those that do so through each other together. Source: Tarjan's strongly connected
 * components, without recursion, for a chain may be as long as the file; takes time linear in the graph.
 */
export function findKnots(graph: DependencyGraph): string[][] {
  const knots: string[][] = [];
  /** When each was first come to. */
  const order = new Map<string, number>();
  /** The earliest that can be come to from it among those of `open`. */
  const earliest = new Map<string, number>();
  /** Those whose knot is not known yet. */
  const open: string[] = [];
  const isOpen = new Set<string>();
  for (const root of graph.keys()) {
    const way: { readonly name: string; readonly next: Iterator<string> }[] = [];
    const enter = (name: string): void => {
      earliest.set(name, order.size);
      order.set(name, order.size);
      open.push(name);
      isOpen.add(name);
      way.push({ name, next: (graph.get(name) ?? []).values() });
    };
    const reach = (name: string, place: number): void => {
      earliest.set(name, Math.min(earliest.get(name) ?? place, place));
    };
    if (!order.has(root)) enter(root);
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const { value: next, done } = here.next.next();
      if (!done) {
        if (!order.has(next)) enter(next);
        else if (isOpen.has(next)) reach(here.name, order.get(next) ?? 0);
        continue;
      }
      way.pop();
      const place = earliest.get(here.name) ?? 0;
      const before = way.at(-1);
      if (before !== undefined) reach(before.name, place);
      if (place !== order.get(here.name)) continue;
      const knot = open.splice(open.lastIndexOf(here.name));
      for (const name of knot) isOpen.delete(name);
      const [only = ''] = knot;
      if (knot.length > 1 || graph.get(only)?.includes(only) === true) knots.push(knot);
    }
  }
  return knots;
}

/** One of the shortest ways from `name` through its knot back to itself, without the last step: `[a, b]` for a -> b -> a. */
export function circleThrough(graph: DependencyGraph, knot: ReadonlySet<string>, name: string): string[] {
  const from = new Map<string, string>();
  const queue = [name];
  for (const here of queue) {
    for (const next of graph.get(here) ?? []) {
      if (next === name) return wayTo(here, from);
      if (!knot.has(next) || from.has(next)) continue;
      from.set(next, here);
      queue.push(next);
    }
  }
  return [name];
}

function wayTo(end: string, from: ReadonlyMap<string, string>): string[] {
  const way: string[] = [];
  for (let here: string | undefined = end; here !== undefined; here = from.get(here)) way.push(here);
  return way.reverse();
}
