import type { ConfigDocument } from './config-document.ts';
import { circleThrough, type DependencyGraph, findKnots } from './dependency-circles.ts';
import { looseName } from './did-you-mean.ts';

/**
 * Reports circles in `depends_on` as errors of all their processes, and a name that differs from a section's only in letter case or `-`
 * for `_` as a warning. A name without a section is fine: it may be any row of the database, and has the dependencies of
 * `[process.default]`.
 */
export function checkDependencies(document: ConfigDocument): void {
  const configured = document.processNames();
  const graph = new Map(configured.map((name) => [name, dependenciesOf(document, name)]));
  for (const dependency of [...graph.values()].flat()) {
    if (!graph.has(dependency)) graph.set(dependency, dependenciesOf(document, dependency));
  }
  refuseCircles(document, graph);
  const spellings = new Map(configured.map((name) => [looseName(name), name]));
  for (const name of configured) {
    for (const dependency of graph.get(name) ?? []) {
      const meant = spellings.get(looseName(dependency));
      if (meant === undefined || document.hasSection(`process.${dependency}`)) continue;
      document.processSection(name).warning('depends_on', `${dependency} has no section (did you mean ${meant}?)`);
    }
  }
}

function refuseCircles(document: ConfigDocument, graph: DependencyGraph): void {
  let shown = 0;
  for (const knot of findKnots(graph)) {
    const members = new Set(knot);
    for (const name of knot) {
      // Nobody reads the two hundredth way, and finding ways is what takes time here.
      const way = shown++ < MOST_WAYS ? [...circleThrough(graph, members, name), name] : undefined;
      const told = way === undefined ? `among ${knot.length} processes` : shownWay(way);
      document.refuseProcess(name, 'depends_on', `goes in a circle: ${told} (expected that none waits for itself)`);
    }
  }
}

const MOST_WAYS = 200;

/** Both ends of what is long. */
function shownWay(way: readonly string[]): string {
  const left = way.length - MOST_STEPS;
  return (left <= 0 ? way : [...way.slice(0, MOST_STEPS - 1), `(${left} more)`, ...way.slice(-1)]).join(' -> ');
}

const MOST_STEPS = 10;

/** A process is not meant to wait for itself because `[process.default]` names it. */
function dependenciesOf(document: ConfigDocument, name: string): string[] {
  const names = [...new Set(document.processSection(name).list('depends_on'))];
  return document.stands(`process.${name}`, 'depends_on') ? names : names.filter((dependency) => dependency !== name);
}
