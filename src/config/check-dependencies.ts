// Checks `depends_on` of all sections.
import type { ConfigDocument } from './config-document.ts';
import { circleThrough, type DependencyGraph, findCircularGroups } from './dependency-circles.ts';
import { looseName } from './did-you-mean.ts';

/**
 * Reports circles in `depends_on` as errors of all their processes. Warns about a name that differs from a section's name only
 * in letter case or in `-` and `_`. A name without a section is valid: it may be any row of the database, and has the
 * dependencies of `[process.default]`.
 */
export function checkDependencies(document: ConfigDocument): void {
  const configured = document.names('process');
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
      document.member('process', name).warning('depends_on', `${dependency} has no section (did you mean ${meant}?)`);
    }
  }
}

function refuseCircles(document: ConfigDocument, graph: DependencyGraph): void {
  let shown = 0;
  for (const group of findCircularGroups(graph)) {
    const members = new Set(group);
    for (const name of group) {
      // Nobody reads the two hundredth path, and finding paths is what takes time here.
      const path = shown++ < MOST_PATHS ? [...circleThrough(graph, members, name), name] : undefined;
      const description = path === undefined ? `among ${group.length} processes` : shownPath(path);
      document.refuseProcess(name, 'depends_on', `is a circle: ${description} (expected that no process depends on itself)`);
    }
  }
}

const MOST_PATHS = 200;

/** The path as text; the middle of a long one is left out. */
function shownPath(path: readonly string[]): string {
  const left = path.length - MOST_STEPS;
  return (left <= 0 ? path : [...path.slice(0, MOST_STEPS - 1), `(${left} more)`, ...path.slice(-1)]).join(' -> ');
}

const MOST_STEPS = 10;

/** A process is not meant to depend on itself because `[process.default]` names it. */
function dependenciesOf(document: ConfigDocument, name: string): string[] {
  const names = [...new Set(document.member('process', name).list('depends_on'))];
  return document.stands(`process.${name}`, 'depends_on') ? names : names.filter((dependency) => dependency !== name);
}
