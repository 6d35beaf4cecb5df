import assert from 'node:assert/strict';
import { chownSync } from 'node:fs';
import { test } from 'node:test';
import type { ProcessOptions } from '../../../../../src/strategies/process/options.ts';
import { attemptFor, managed } from '../../../../helpers/process-strategy-world.ts';
import { isAlive } from '../../../../helpers/process-zoo.ts';
import { asNobody, inPath, kill, pidsOf, refusedAliveAndDead } from '../../../../helpers/program-in-path.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

// What was seen running and cannot be started again as it ran: nobody gets by its name, once it is dead, what it had not as what it was.

const asRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root' };

test('confined root is not freed by its death', asRoot, async (t) => {
  const ways = [['--no-new-privs'], ['--bounding-set=-all'], [...asNobody, '--no-new-privs']];
  for (const way of ways) {
    const it = inPath(t);
    await it.world.zoo.start('/usr/bin/setpriv', [...way, it.path, '300']);
    await refusedAliveAndDead(it, /it is confined: it(?:s| may)/);
  }
});

test('also not the note that one of our commands has started it', asRoot, async (t) => {
  const it = inPath(t);
  const env = { ZOO: it.world.zoo.dir, MONITOR_ATTEMPT: '1' };
  // Not a child of ours: that would be a command under way.
  const script = `setsid --fork setpriv ${asNobody.join(' ')} ${it.path} 300`;
  await it.world.zoo.start('/bin/bash', ['-c', script], { env: { ...env, PATH: '/usr/bin:/bin' } });
  await waitFor('its parent has ended', () => {
    const [pid = 0] = pidsOf(it.world, it.path);
    const parent = it.world.table.read(pid, ['ppid'])?.ppid;
    return parent !== undefined && it.world.table.read(parent, ['executable'])?.executable?.includes('bash') !== true;
  });
  const [pid = 0] = pidsOf(it.world, it.path);
  const strategy = it.world.strategy({ configured: true });
  await strategy.observe(managed(it.name));
  await kill(pid);
  const outcome = await strategy.restart(attemptFor(it.name));
  assert.match(JSON.stringify(outcome), /not usable: one of the commands in config.ini started it; set start_command/);
  assert.deepEqual(pidsOf(it.world, it.path), []);
});

test(
  'a command of ours that is under way is not a life of the program, but under another user it is reported',
  asRoot,
  async (t) => {
    for (const way of [[], asNobody]) {
      const { world, name, path } = inPath(t);
      const env = { ZOO: world.zoo.dir, MONITOR_ATTEMPT: '1', MONITOR_SYSTEM_NAME: name };
      await world.zoo.start('/usr/bin/setpriv', [...way, path, '300'], { env });
      const [pid = 0] = await waitFor('it', () => (pidsOf(world, path).length > 0 ? pidsOf(world, path) : undefined));
      const strategy = world.strategy({ configured: true, user: way.length > 0 ? undefined : 'root' });
      await strategy.observe(managed(name));
      await kill(pid);
      const { starts } = await strategy.preview(managed(name), never);
      assert.deepEqual(starts, way.length > 0 ? [] : [`${path}, without arguments`]);
    }
  },
);

test('a user’s program with a title over its arguments is not started as root', asRoot, async (t) => {
  const it = inPath(t, '/bin/cat');
  const line = `exec setpriv ${asNobody.join(' ')} bash -c 'exec -a "${it.name}: ok" ${it.path}' < <(sleep 300)`;
  await it.world.zoo.start('/bin/bash', ['-c', line]);
  await refusedAliveAndDead(it, /it wrote a title over its command line/);
});

test('a good start makes it usable again', asRoot, async (t) => {
  const it = inPath(t);
  const { world, name, path } = it;
  const strategy = world.strategy({ configured: true });
  const caged = () => world.zoo.start('/usr/bin/setpriv', ['--no-new-privs', path, '300']);
  const first = await caged();
  await waitFor('it', () => pidsOf(world, path).includes(first));
  await strategy.observe(managed(name));
  assert.match(world.parts.launches.note(name).unusable ?? '', /confined/);
  await kill(first);
  const second = await world.zoo.start(path, ['3301']);
  await waitFor('it', () => pidsOf(world, path).includes(second));
  await strategy.observe(managed(name));
  assert.deepEqual(world.parts.launches.note(name), {});
  assert.equal(await strategy.concern(managed(name)), undefined);
  await kill(second);
  assert.deepEqual((await strategy.preview(managed(name), never)).refusals, []);
});

test('root’s record is not used for what runs as a user, by a title, in its place', asRoot, async (t) => {
  const it = inPath(t);
  const { world, name, path } = it;
  const options = { configured: true, user: 'nobody' };
  const strategy = world.strategy(options);
  const first = await world.zoo.start(path);
  await waitFor('it', () => pidsOf(world, path).includes(first));
  await strategy.observe(managed(name));
  assert.equal(world.parts.launches.get(name)?.uid, 0);
  await kill(first);
  await world.zoo.start('/usr/bin/setpriv', [...asNobody, '--no-new-privs', path, '300']);
  await refusedAliveAndDead(it, /it is confined: it may not gain/, options);
});

test('what start_command started is not started from PATH when that is set no more', async (t) => {
  const { world, name, path } = inPath(t);
  assert.equal((await world.strategy({ startCommand: `exec ${path} 300` }).restart(attemptFor(name))).kind, 'restarted');
  const [pid = 0] = await waitFor('it', () => (pidsOf(world, path).length > 0 ? pidsOf(world, path) : undefined));
  await kill(pid);
  const strategy = world.strategy({ configured: true });
  assert.match(
    JSON.stringify(await strategy.restart(attemptFor(name))),
    /not usable: it was started by a start_command that is no longer set/,
  );
  assert.deepEqual(pidsOf(world, path), []);
});

test('what PATH started is started so again, whatever it has made of itself', async (t) => {
  const { world, name, path } = inPath(t);
  const strategy = world.strategy({ configured: true });
  world.zoo.script(name, `#!/bin/bash\nexec -a "${name}: ready" cat < <(sleep 300)\n`);
  const runs = () => world.table.list(['argv']).flatMap(({ argv, pid }) => (argv?.[0] === `${name}: ready` ? [pid] : []));
  for (let i = 0; i < 2; i++) {
    const outcome = await strategy.restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    await waitFor('its title', () => runs().length === 1);
    await strategy.observe(managed(name));
  }
  assert.deepEqual((await strategy.preview(managed(name), never)).starts, [`${path}, without arguments`]);
  await kill(runs()[0] ?? 0);
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
});

test('require_pin, and files that are not root’s alone, count for PATH too', asRoot, async (t) => {
  const { world, name, path } = inPath(t);
  const refusals = async (options: Partial<ProcessOptions> = {}): Promise<string> =>
    (await world.strategy({ configured: true, ...options }).preview(managed(name), never)).refusals.join();
  assert.equal(await refusals(), '');
  Object.assign(world.parts, { requirePin: true });
  assert.match(await refusals(), /would be started as root: require_pin requires a pin; .* or set start_command$/);
  assert.match((await world.strategy({ configured: true }).concern(managed(name))) ?? '', /require_pin/);
  assert.equal(await refusals({ user: 'nobody' }), '');
  assert.equal(await refusals({ startCommand: `exec ${path} 300` }), '');
  Object.assign(world.parts, { requirePin: false });
  chownSync(path, 65534, 65534);
  assert.match(await refusals(), new RegExp(`would be started as root: ${path} belongs to user 65534; `));
});

test('a copy that cannot be started again is not stopped, and not forgotten', asRoot, async (t) => {
  const { world, name, path } = inPath(t);
  const strategy = world.strategy({ maxMatches: 2, configured: true });
  const pids = [
    await world.zoo.start(path, ['3301']),
    await world.zoo.start('/usr/bin/setpriv', ['--no-new-privs', path, '3302']),
  ];
  await waitFor('both', () => pids.every((pid) => pidsOf(world, path).includes(pid)));
  await strategy.observe(managed(name), world.parts.look);
  assert.match(JSON.stringify(await strategy.restart(attemptFor(name))), /not usable: it is confined/);
  assert.deepEqual(pids.map(isAlive), [true, true]);
  for (const pid of pids) await kill(pid);
  assert.match(JSON.stringify(await strategy.restart(attemptFor(name))), /not usable: it is confined/);
});

test('also not through another section’s unit that would run its program', asRoot, async (t) => {
  const it = inPath(t);
  const unitOf = async () => ({ unit: 'un.service', key: 'un', isRuled: false });
  const state = { activeState: 'inactive', subState: 'dead', result: 'success', mainPid: 0, type: 'simple', controlGroup: '' };
  const status = { id: 'un.service', loadState: 'loaded', ...state, hasJob: false, endedByStop: false };
  Object.assign(it.world.parts, { twins: { unitOf, namesOf: () => [] } });
  Object.assign(it.world.parts.services, { available: true, show: async () => ({ kind: 'status', status }) });
  await it.world.zoo.start('/usr/bin/setpriv', ['--no-new-privs', it.path, '300']);
  await refusedAliveAndDead(it, /it is confined: it may not gain/);
});
