import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MonitorWorld, storeError } from '../../helpers/monitor-world.ts';

const SICK = { settings: { maxAttempts: 1 }, restart: () => ({ kind: 'failed', reason: 'no' }) as const };

/** A world whose loop runs and whose process `sick` has failed once. */
async function failedOnce(): Promise<MonitorWorld> {
  const world = new MonitorWorld({ maxRestartFailures: 100 });
  world.alarm(1, 'sick', SICK);
  void world.monitor.run(world.stopping.signal);
  await world.clock.until(() => world.seen('recovery_failed').length === 1);
  return world;
}

async function wake(world: MonitorWorld): Promise<void> {
  const polls = (): number => world.seen('poll_completed').length;
  const before = polls();
  world.monitor.wake();
  await world.clock.advance(10);
  assert(polls() > before, 'it was polled');
}

test('a poll for something else’s sake tries no failed alarm again and counts no failure', async () => {
  const world = await failedOnce();
  for (let i = 0; i < 5; i++) await wake(world);
  // What is new is healed by such a poll.
  world.alarm(2, 'well');
  world.monitor.wake();
  await world.clock.until(() => world.rows.get('2')?.alarma === false, 60_000);
  assert.deepEqual(world.restarts, ['sick', 'well']);
  assert.equal(world.breakers.snapshot('sick').failures, 1);
  // Its own time comes all the same.
  await world.clock.until(() => world.seen('recovery_failed').length === 2, 301_000);
  assert.equal(world.breakers.snapshot('sick').failures, 2);
  world.stopping.abort();
});

test('what has changed is tried at once, and what depends on a failed one waits for it', async () => {
  const world = await failedOnce();
  world.alarm(2, 'dependent', { settings: { dependsOn: ['sick'] } });
  await wake(world);
  assert.match(world.log('warning'), /dependent not restarted: it depends on sick, which is not well/);
  assert.deepEqual(world.restarts, ['sick']);
  world.processes.set('sick', {});
  world.book.retry('other');
  await wake(world);
  assert.deepEqual(world.restarts, ['sick']);
  world.book.retry('sick');
  world.monitor.wake();
  await world.clock.until(() => world.rows.get('1')?.alarma === false, 60_000);
  world.stopping.abort();
});

test('an alarm that ended and comes again is another one', async () => {
  const world = await failedOnce();
  const row = world.rows.get('1');
  assert(row);
  row.alarma = false;
  await wake(world);
  row.alarma = true;
  await wake(world);
  await world.clock.until(() => world.seen('recovery_failed').length === 2, 60_000);
  world.stopping.abort();
});

test('kept alarms that failed are tried no sooner either while the store is away, and not later', async () => {
  const world = new MonitorWorld({ maxRestartFailures: 100 });
  world.processes.set('sick', SICK);
  world.storeFault = { readAlarms: storeError('unreachable'), findProcesses: storeError('unreachable') };
  void world.monitor.run(world.stopping.signal);
  await world.clock.advance(10);
  await world.alarms.raise('sick', 'it exited', 'exit');
  await world.clock.until(() => world.seen('recovery_failed').length === 1, 60_000);
  const failedMs = world.clock.monotonicMs();
  for (let i = 0; i < 5; i++) {
    world.monitor.wake();
    await world.clock.advance(100);
  }
  assert.equal(world.restarts.length, 1);
  await world.clock.until(() => world.restarts.length === 2, 400_000);
  assert(world.clock.monotonicMs() - failedMs <= 360_000, 'wakes put nothing off');
  world.stopping.abort();
});
