import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

// The linter finds circles of files; these find circles of rooms, and arrows that go up.

const source = join(import.meta.dirname, '../../src');

const files = globSync(join(source, '**/*.ts')).map((file) => relative(source, file));

/** What a file of src/ imports from src/, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  const paths = [...text.matchAll(/(?:from |import\()'(\.[^'\n]+)'/g)].map(([, path = '']) => path);
  return paths.map((path) => join(dirname(file), path));
}

/** Folders of src/ that are divided into rooms. */
const DIVIDED = ['monitor', 'stores', 'state', 'strategies', 'health', 'detectors'];

/** Those whose rooms strangers enter by known doors only. */
const CLOSED = DIVIDED.filter((folder) => folder !== 'monitor');

const withRooms = new Set(files.map((file) => dirname(dirname(file))));

/**
 * A folder of src/, a room of system/, core/ or cli/, or a file that stands by itself. In what is divided further each folder without
 * folders is a room, and each file beside a room stands by itself.
 */
function roomOf(file: string): string {
  const [top = '', room = '', ...rest] = file.split('/');
  if (DIVIDED.includes(top)) return withRooms.has(dirname(file)) ? file : dirname(file);
  // A file of cli/ outside its rooms stands above them (cli.ts), or below (context.ts).
  if (top === 'cli') return `cli/${room}`;
  return ['system', 'core'].includes(top) && rest.length > 0 ? `${top}/${room}` : top;
}

/** Room → rooms that it imports from, types included. */
const arrows = new Map<string, Set<string>>();
for (const file of files) {
  const from = roomOf(file);
  const rooms = importsOf(file)
    .map(roomOf)
    .filter((room) => room !== from);
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
  ['stores', 'probes', 'system', 'config', 'logging'],
  ['core'],
];

test('arrows go down', () => {
  const floorOf = (room: string): number => FLOORS.findIndex((floor) => floor.includes(room.split('/')[0] ?? ''));
  for (const [room, targets] of arrows) {
    assert(floorOf(room) >= 0, `${room} stands on no floor`);
    for (const target of targets) assert(floorOf(target) >= floorOf(room), `${room} → ${target} goes up`);
  }
});

/** Ports: what the monitor knows of the rooms below it. */
const PORTS = [
  'stores/store.ts',
  'state/daemon-state.ts',
  'strategies/recovery-plan.ts',
  'strategies/strategy.ts',
  'health/health-check.ts',
  'detectors/detector.ts',
];

test('the monitor knows ports, and nothing behind them', () => {
  const known = files.filter((file) => file.startsWith('monitor/')).flatMap(importsOf);
  const behind = known.filter((file) => CLOSED.includes(file.split('/')[0] ?? '') && !PORTS.includes(file));
  assert.deepEqual(behind, []);
});

/** What of a room inside another one is imported from beyond that one, beside what is called index.ts. */
const DOORS = [
  'detectors/checks/checks.ts',
  'detectors/checks/parse-checks.ts',
  'detectors/checks/part-names.ts',
  'detectors/checks/standing.ts',
  'detectors/exits/boot-grace.ts',
  'detectors/exits/means.ts',
  'detectors/exits/options.ts',
  'stores/sqlite/store.ts',
  'strategies/command/changeable-program.ts',
  'strategies/command/missing-program.ts',
  'strategies/command/named-programs.ts',
  'strategies/process/identity/identity.ts',
  'strategies/process/identity/name.ts',
  'strategies/process/identity/owner.ts',
  'strategies/process/launch-words.ts',
  'strategies/process/launch/pinned.ts',
  'strategies/process/running/found-running.ts',
  'strategies/process/sought.ts',
  'strategies/process/supervision/restart-by-others.ts',
  'strategies/unit/mask.ts',
  'strategies/unit/missing-unit.ts',
  'strategies/unit/name-policy.ts',
  'strategies/unit/processes.ts',
  'strategies/unit/programs/beside.ts',
  'strategies/unit/programs/of-main.ts',
  'strategies/unit/programs/outside.ts',
];

test('a stranger enters a room inside another one by its index, or by a door that is known', () => {
  const used = new Set<string>();
  for (const file of files)
    for (const target of importsOf(file)) {
      const around = dirname(dirname(target));
      const isInside = around === '.' || file.startsWith(`${around}/`);
      if (isInside || !CLOSED.includes(target.split('/')[0] ?? '') || target.endsWith('/index.ts')) continue;
      used.add(target);
    }
  assert.deepEqual([...used].sort(), DOORS);
});

/** Exports that no other file of src/ imports, and why they stay. */
const FOR_TESTS: Readonly<Record<string, string>> = {
  'app/settings.ts parseSettings': 'the simulation has a text, and no file',
  'cli/cli.ts buildProgram': 'the documents are compared with the commands',
  'cli/status/state-help.ts stateAdvice': 'the documents are compared with it',
  'config/config-file.ts loadConfigText': 'a configuration without a file, whose permissions count',
  'detectors/checks/types/host/filesystems.ts realFilesystems': 'which mounts count, with a table of its own',
  'detectors/checks/types/host/oom.ts victimsIn': 'messages of several kernels',
  'detectors/checks/types/index.ts typeKeys': 'what each type asks for is compared with its keys',
  'detectors/checks/types/index.ts typeNames': 'the same',
  'monitor/recovery/health-proof.ts HealthProof': 'the result of proveHealthy',
  'monitor/recovery/health-proof.ts proveHealthy': 'the proof alone, of what a real systemd has restarted',
  'stores/mysql/connection/socket-peer.ts trustedUsers': "the rule, with accounts of its own instead of this machine's",
  'strategies/auto/strategy.ts AutoStrategy': 'its choice between two strategies that the test makes',
  'strategies/index.ts strategies': 'the table, from which tests on real parts take one strategy',
  'system/files/mounts.ts parseMounts': 'tables of other machines',
};

test('every export is imported by another file of src/, or is listed with its reason', () => {
  const imported = new Set<string>();
  const exported: string[] = [];
  for (const file of files) {
    const text = readFileSync(join(source, file), 'utf8');
    for (const [, names = '', path = ''] of text.matchAll(/(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/g))
      for (const [, name] of names.matchAll(/(\w+)(?: as \w+)?\s*(?:,|$)/g))
        imported.add(`${join(dirname(file), path)} ${name}`);
    // What is loaded later is used by its name somewhere in the file.
    for (const [, path = ''] of text.matchAll(/import\('(\.[^']+)'\)/g))
      for (const [name] of text.matchAll(/\w+/g)) imported.add(`${join(dirname(file), path)} ${name}`);
    const own = text.matchAll(/^export (?:abstract |async )?(?:class|const|function|interface|let|type) (\w+)/gm);
    for (const [, name] of own) exported.push(`${file} ${name}`);
    for (const [, names = ''] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm))
      for (const [, name] of names.matchAll(/(\w+)\s*(?:,|$)/g)) exported.push(`${file} ${name}`);
  }
  assert(exported.length > 1000);
  const unused = exported.filter((name) => !imported.has(name));
  assert.deepEqual(unused.sort(), Object.keys(FOR_TESTS));
});
