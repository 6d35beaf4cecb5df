import type { ConfigDocument } from './config-document.ts';
import { looseName } from './did-you-mean.ts';

/**
 * Reports circles in `depends_on` as errors, each naming its processes, and a name that differs from a section's only in letter
 * case or `-` for `_` as a warning. A name without a section is fine: it may be any row of the database, and has the
 * dependencies of `[process.default]`.
 */
export function checkDependencies(document: ConfigDocument): void {
  const configured = document.processNames();
  const graph = new Map(configured.map((name) => [name, dependenciesOf(document, name)]));
  for (const dependency of [...graph.values()].flat()) {
    if (!graph.has(dependency)) graph.set(dependency, dependenciesOf(document, dependency));
  }
  for (const circle of findCircles(graph)) {
    const [first = ''] = circle;
    document.processSection(first).problem('depends_on', `goes in a circle: ${[...circle, first].join(' -> ')}`);
  }
  const spellings = new Map(configured.map((name) => [looseName(name), name]));
  for (const name of configured) {
    for (const dependency of graph.get(name) ?? []) {
      const meant = spellings.get(looseName(dependency));
      if (meant === undefined || document.hasSection(`process.${dependency}`)) continue;
      document.processSection(name).warning('depends_on', `${dependency} has no section (did you mean ${meant}?)`);
    }
  }
}

/** A process is not meant to wait for itself because `[process.default]` names it. */
function dependenciesOf(document: ConfigDocument, name: string): string[] {
  const names = [...new Set(document.processSection(name).list('depends_on'))];
  return document.stands(`process.${name}`, 'depends_on') ? names : names.filter((dependency) => dependency !== name);
}

/** At least one circle of every knot of circles. Without recursion: a chain may be as long as the file. */
function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  for (const root of graph.keys()) {
    /** How we came here from `root`, and what is still to be followed from each. */
    const chain: { readonly name: string; readonly next: Iterator<string> }[] = [];
    /** Their places in the chain. */
    const places = new Map<string, number>();
    const enter = (name: string): void => {
      places.set(name, chain.length);
      chain.push({ name, next: (graph.get(name) ?? []).values() });
    };
    if (!done.has(root)) enter(root);
    for (let here = chain.at(-1); here !== undefined; here = chain.at(-1)) {
      const { value: name, done: ended } = here.next.next();
      const place = ended ? undefined : places.get(name);
      if (ended) {
        done.add(here.name);
        places.delete(here.name);
        chain.pop();
      } else if (place !== undefined) {
        circles.push(chain.slice(place).map((link) => link.name));
      } else if (!done.has(name)) {
        enter(name);
      }
    }
  }
  return circles;
}
