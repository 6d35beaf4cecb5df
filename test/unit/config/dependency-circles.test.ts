import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circleThrough, findCircularGroups } from '../../../src/config/dependency-circles.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';

test('every name that waits for itself is in just one knot, by whatever way it does', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 300; round += 1) {
    const names = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, i) => `n${i}`);
    const any = (): string => names[Math.floor(random() * names.length)] ?? '';
    const graph = new Map(names.map((name) => [name, Array.from({ length: Math.floor(random() * 3) }, any)]));
    const reached = (from: string): Set<string> => {
      const seen = new Set<string>();
      const queue = [...(graph.get(from) ?? [])];
      for (const name of queue) {
        if (seen.has(name)) continue;
        seen.add(name);
        queue.push(...(graph.get(name) ?? []));
      }
      return seen;
    };
    const knots = findCircularGroups(graph);
    const inKnots = knots.flat();
    assert.deepEqual(inKnots.toSorted(), names.filter((name) => reached(name).has(name)).toSorted());
    for (const knot of knots) {
      for (const name of knot) {
        const way = circleThrough(graph, new Set(knot), name);
        assert.equal(way[0], name);
        for (const [at, one] of way.entries()) assert.ok(graph.get(one)?.includes(way[at + 1] ?? name), way.join());
      }
    }
  }
});

test('a ring as long as the file is one knot', () => {
  const ring = new Map(Array.from({ length: 50_000 }, (_, i) => [`p${i}`, [`p${(i + 1) % 50_000}`]] as const));
  const knots = findCircularGroups(ring);
  assert.deepEqual([knots.length, knots[0]?.length], [1, 50_000]);
  assert.equal(circleThrough(ring, new Set(knots[0]), 'p7').length, 50_000);
});
