import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeProcess, MonitorWorld } from '../../helpers/monitor-world.ts';

/** `web` in alarm, `www` another name of the same target, and a hold on `www` for a minute. */
function worldWithHold(state?: MonitorWorld['state'], how: FakeProcess = {}): MonitorWorld {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1, maxRestartFailures: 1 }, state);
  world.processes.set('www', { target: 'nginx' });
  if (state === undefined) world.holds.set('www', 60_000, 'upgrade');
  world.alarm(1, 'web', { target: 'nginx', ...how });
  return world;
}

test('a hold keeps its target from being restarted under any other name, and says through which, until it ends', async () => {
  const world = worldWithHold();
  world.alarm(2, 'other');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['other']);
  assert.equal(world.rows.get(1)?.alarma, true);
  assert.equal(world.queue.skipReason(1), 'on hold through www: upgrade');
  assert.equal(world.log('warning').match(/RESTART LOG: web not restarted: on hold through www: upgrade$/gm)?.length, 1);
  await world.clock.advance(60_001);
  await world.poll();
  assert.deepEqual(world.restarts, ['other', 'web']);
  assert.match(world.log('info'), /Hold expired for www/);
});

test('a hold on all is told as such, and so is one on the own name', async () => {
  const world = worldWithHold();
  world.holds.set('*', undefined, '');
  await world.poll();
  assert.equal(world.queue.skipReason(1), 'on hold');
  world.holds.set('web', undefined, 'mine');
  await world.poll();
  assert.equal(world.queue.skipReason(1), 'on hold: mine');
});

test('neither an order nor mode = observe looks past a hold on another name of the target', async () => {
  for (const mode of ['act', 'observe'] as const) {
    const world = worldWithHold();
    world.settings = { ...world.settings, mode };
    await world.poll();
    assert.equal(world.queue.skipReason(1), 'on hold through www: upgrade');
    assert.equal(await world.order('web'), 'skipped');
    assert.deepEqual(world.restarts, []);
  }
});

test('a hold outlives the daemon, and what a reload makes of either name counts from then on', async () => {
  const world = worldWithHold(worldWithHold().state);
  await world.poll();
  assert.deepEqual(world.restarts, []);
  world.processes.set('www', { target: 'apache' });
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  world.alarm(1, 'web', { target: 'apache' });
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
});

test('a hold set on another name of its target stops a recovery that waits for its turn', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.processes.set('www', { target: 'nginx' });
  world.alarm(1, 'first', { restartMs: 5000 });
  world.alarm(2, 'web', { target: 'nginx' });
  void world.monitor.tick();
  await world.clock.advance(100);
  world.holds.set('www', undefined, '');
  await world.poll();
  assert.deepEqual(world.restarts, ['first']);
  assert.match(world.log('warning'), /web not restarted: on hold through www$/m);
  assert.equal(world.breakers.snapshot('nginx').failures, 0);
  assert.deepEqual(world.state.journal.list(), []);
});

test('a held name that resolves to nothing holds nothing else', async () => {
  const world = worldWithHold();
  world.processes.set('www', { refused: 'no such name' });
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
});

test('many alarms at once look for the target of a held name once', async () => {
  const world = new MonitorWorld();
  let looks = 0;
  world.processes.set('www', {
    resolving: async () => {
      looks++;
      await world.clock.sleep(10);
    },
  });
  world.holds.set('www', undefined, '');
  for (let id = 1; id <= 50; id++) world.alarm(id, `p${id}`, { restartMs: 0 });
  void world.monitor.tick();
  await world.clock.advance(5);
  assert.equal(looks, 1);
  await world.clock.advance(60_000);
  assert.equal(world.restarts.length, 50);
});
