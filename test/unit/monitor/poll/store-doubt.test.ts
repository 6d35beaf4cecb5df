import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MonitorWorld, storeError } from '../../../helpers/monitor-world.ts';

/** A world whose loop has polled once, with a well process `web`. */
async function polledOnce(): Promise<MonitorWorld> {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  Object.assign(world.rows.get('1') ?? {}, { alarma: false });
  void world.monitor.run(world.stopping.signal);
  await world.clock.until(() => world.seen('poll_completed').length === 1);
  return world;
}

const state = (world: MonitorWorld): string => world.monitor.availability.state;

/** What is known as soon as that call has failed; nobody was told that the store is lost then. */
async function knownAfter(world: MonitorWorld, call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch {
    assert.equal(world.seen('store_lost').length, 0, 'only a poll proves it');
    return state(world);
  }
  return assert.fail('it failed');
}

test('whatever else finds the store away leaves nothing known at once, and a poll follows that proves it', async () => {
  const calls = {
    findProcesses: (world: MonitorWorld) => world.heard.findProcesses('web'),
    readProcess: (world: MonitorWorld) => world.heard.readProcess('1'),
    raiseAlarm: (world: MonitorWorld) => world.heard.raiseAlarm('1', 'x'),
  };
  for (const [name, call] of Object.entries(calls)) {
    const world = await polledOnce();
    const away = storeError('unreachable');
    world.storeFault = { [name]: away, readAlarms: away };
    assert.equal(await knownAfter(world, call(world)), 'unknown', name);
    await world.clock.advance(0);
    assert.equal(world.seen('store_lost').length, 1, name);
    assert.match(world.log('error'), /^\[error\] Alarm store does not answer: fake unreachable; alarms are unknown/);
    world.storeFault = {};
    await world.clock.until(() => state(world) === 'ok');
    assert.equal(world.seen('store_restored').length, 1);
    world.stopping.abort();
  }
});

test('a doubt that the poll dispels is not reported', async () => {
  const world = await polledOnce();
  world.storeFault = { findProcesses: storeError('unreachable') };
  assert.equal(await knownAfter(world, world.heard.findProcesses('web')), 'unknown');
  await world.clock.advance(0);
  assert.equal(state(world), 'ok');
  assert.equal(world.seen('poll_completed').length, 2);
  assert.deepEqual([world.seen('store_lost'), world.seen('store_restored'), world.log('info')], [[], [], '']);
  world.stopping.abort();
});

test('a write that is refused says nothing of whether alarms can be read', async () => {
  for (const fault of ['denied', 'read_only', 'busy'] as const) {
    const world = await polledOnce();
    world.storeFault = { raiseAlarm: storeError(fault) };
    await assert.rejects(world.heard.raiseAlarm('1', 'x'));
    assert.equal(state(world), 'ok', fault);
    world.stopping.abort();
  }
});

test('a call that takes five seconds leaves doubt before its caller gives it up', async () => {
  const world = await polledOnce();
  const { promise, resolve } = Promise.withResolvers<[]>();
  world.store.findProcesses = () => promise;
  const found = world.heard.findProcesses('web');
  await world.clock.advance(4999);
  assert.equal(state(world), 'ok');
  world.storeFault = { readAlarms: storeError('timeout') };
  await world.clock.advance(1);
  assert.equal(state(world), 'unknown');
  resolve([]);
  assert.deepEqual(await found, []);
  world.stopping.abort();
});

test('if polls are answered and other calls are not, polls come less and less often', async () => {
  const world = await polledOnce();
  world.storeFault = { clearAlarm: storeError('unreachable') };
  Object.assign(world.rows.get('1') ?? {}, { alarma: true });
  world.monitor.wake();
  await world.clock.advance(120_000);
  const polls = world.seen('poll_completed').length;
  assert.ok(polls < 60, `${polls} polls in two minutes`);
  assert.deepEqual(world.restarts, ['web']);
  world.storeFault = {};
  await world.clock.until(() => world.rows.get('1')?.alarma === false, 60_000);
  world.stopping.abort();
});
