import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptFor, managed } from '../../../../helpers/process-strategy-world.ts';
import {
  asNobody,
  inPath,
  kill,
  type ProgramInPath,
  pidsOf,
  refused,
  refusedAliveAndDead,
  startedBySetpriv,
} from '../../../../helpers/program-in-path.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

// Who has put a program into a cage since it was recorded wants it there: no earlier record lets it out.

const asRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root' };
const CAGE = ['--no-new-privs'];
const CAGED = /it is confined: it may not gain/;

/** It ran as it should, was recorded, and has ended. */
async function recorded(it: ProgramInPath, way: readonly string[] = [], ...args: readonly string[]): Promise<void> {
  const pid = await startedBySetpriv(it, way, ...args);
  await it.world.strategy({ configured: true }).observe(managed(it.name));
  assert.ok(it.world.parts.launches.get(it.name));
  await kill(pid);
}

test('an earlier record of the same program and user frees nothing from its confinement, alive or dead', asRoot, async (t) => {
  for (const user of [[], asNobody]) {
    const it = inPath(t);
    const options = user.length > 0 ? { user: 'nobody' } : {};
    await recorded(it, user, '3301');
    await startedBySetpriv(it, [...user, ...CAGE], '3301');
    await refusedAliveAndDead(it, CAGED, options);
    // A good start is what counts from then on.
    await recorded(it, user, '3301');
    assert.equal((await it.world.strategy({ configured: true, ...options }).restart(attemptFor(it.name))).kind, 'restarted');
    assert.equal(it.world.launched.length, 1);
  }
});

test('for a title over its arguments the earlier record still counts', asRoot, async (t) => {
  const it = inPath(t, '/bin/cat');
  const { world, name, path } = it;
  const strategy = world.strategy({ configured: true });
  const start = async (program: string): Promise<void> => {
    await world.zoo.start('/bin/bash', ['-c', `exec ${program} < <(sleep 300)`]);
    await waitFor('it', () => pidsOf(world, path).length === 1);
    await strategy.observe(managed(name));
  };
  await start(`${path} -`);
  const record = world.parts.launches.get(name);
  assert.deepEqual(record?.argv, [path, '-']);
  await kill(pidsOf(world, path)[0] ?? 0);
  await start(`-a "${name}: ok" ${path}`);
  assert.deepEqual(world.parts.launches.note(name), {});
  for (const kind of ['alive', 'dead']) {
    assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted', kind);
    for (const pid of pidsOf(world, path)) await kill(pid);
  }
  assert.deepEqual(world.launched, [record, record]);
});

test('what outlived the caged one does not make it usable', asRoot, async (t) => {
  const it = inPath(t, '/bin/bash');
  const { world, name, path } = it;
  await recorded(it, [], '-c', 'sleep 300; :');
  const script = `${path} -c "sleep 300; :" & wait`;
  const pid = await startedBySetpriv(it, CAGE, '-c', script);
  await waitFor('both', () => pidsOf(world, path).length === 2);
  const strategy = world.strategy({ configured: true });
  await strategy.observe(managed(name));
  await kill(pid);
  await strategy.observe(managed(name));
  await refused(it, CAGED);
});

test('a further copy that is confined is not started by an earlier record', asRoot, async (t) => {
  const it = inPath(t);
  const { world, name } = it;
  const options = { configured: true, maxMatches: 2 };
  const strategy = world.strategy(options);
  const first = await startedBySetpriv(it, [], '3301');
  const second = await startedBySetpriv(it, [], '3302');
  await strategy.observe(managed(name), world.parts.look);
  assert.equal(world.parts.launches.further(name).length, 1);
  await kill(second);
  const caged = await startedBySetpriv(it, CAGE, '3302');
  await refused(it, CAGED, options);
  await strategy.observe(managed(name), world.parts.look);
  for (const pid of [first, caged]) await kill(pid);
  await refused(it, CAGED, options);
});

test('also not one that start_command has confined, when start_command is no longer set', asRoot, async (t) => {
  const it = inPath(t);
  const { world, name, path } = it;
  await recorded(it, [], '3301');
  const command = (way: string) => world.strategy({ configured: true, startCommand: `exec ${way} ${path} 3301` });
  const pid = async () =>
    (await waitFor('it', () => (pidsOf(world, path).length > 0 ? pidsOf(world, path) : undefined)))[0] ?? 0;
  for (const way of [`setpriv ${CAGE.join(' ')}`, '']) {
    assert.equal((await command(way).restart(attemptFor(name))).kind, 'restarted');
    await pid();
    await command(way).observe(managed(name));
    await kill(await pid());
    if (way !== '') await refused(it, CAGED);
  }
  assert.deepEqual((await world.strategy({ configured: true }).preview(managed(name), AbortSignal.timeout(9000))).refusals, []);
});
