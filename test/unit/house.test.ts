import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

// The linter finds circles of files; these find circles of rooms, and arrows that go up.

const source = join(import.meta.dirname, '../../src');

/** A folder of src/, a room of system/ or cli/, or a file that stands by itself. */
function roomOf(file: string): string {
  const [top = '', room = '', ...rest] = relative(source, file).split('/');
  // A file of cli/ outside its rooms stands above them (cli.ts), or below (context.ts).
  if (top === 'cli') return `cli/${room}`;
  return top === 'system' && rest.length > 0 ? `system/${room}` : top;
}

/** Room → rooms that it imports from, types included. */
const arrows = new Map<string, Set<string>>();
for (const file of globSync(join(source, '**/*.ts'))) {
  const from = roomOf(file);
  const targets = [...readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^'\n]+)'/g)];
  const rooms = targets.map(([, path = '']) => roomOf(join(dirname(file), path))).filter((room) => room !== from);
  arrows.set(from, new Set([...(arrows.get(from) ?? []), ...rooms]));
}

test('no room imports from one that imports from it, by whatever way round', () => {
  const clear = new Set<string>();
  const walk = (room: string, path: readonly string[]): void => {
    assert(!path.includes(room), `a circle: ${[...path.slice(path.indexOf(room)), room].join(' → ')}`);
    if (clear.has(room)) return;
    for (const next of arrows.get(room) ?? []) walk(next, [...path, room]);
    clear.add(room);
  };
  for (const room of arrows.keys()) walk(room, []);
  assert(clear.size > 20);
});

/** From the top down. Within a floor there may be arrows. */
const FLOORS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['cli'],
  ['app'],
  ['monitor'],
  ['strategies', 'health', 'detectors', 'control', 'stream', 'state'],
  ['stores', 'system', 'config', 'logging'],
  ['core'],
];

test('arrows go down', () => {
  const floorOf = (room: string): number => FLOORS.findIndex((floor) => floor.includes(room.split('/')[0] ?? ''));
  for (const [room, targets] of arrows) {
    assert(floorOf(room) >= 0, `${room} stands on no floor`);
    for (const target of targets) assert(floorOf(target) >= floorOf(room), `${room} → ${target} goes up`);
  }
});
