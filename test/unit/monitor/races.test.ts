import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedAlarm } from '../../../src/core/alarm.ts';
import { type FakeProcess, MonitorWorld, storeError } from '../../helpers/monitor-world.ts';

test('who joins in the last moment of a recovery is cleared with it or recovers on its own, and is never lost', async () => {
  for (let hops = 0; hops < 30; hops++) {
    const world = new MonitorWorld();
    const lastClearing = Promise.withResolvers<void>();
    world.alarm(1, 'web', { target: 'nginx' });
    world.alarm(2, 'www', {
      target: 'nginx',
      resolving: async () => {
        await lastClearing.promise;
        for (let i = 0; i < hops; i++) await Promise.resolve();
      },
    });
    world.clearing = async () => lastClearing.resolve();
    await world.poll();
    assert.equal(world.rows.get('2')?.alarma, false, `lost after ${hops} hops`);
    const shared = world.seen('recovery_shared').map(({ process, leaderName }) => [process.processName, leaderName]);
    assert.deepEqual(shared, world.restarts.length === 1 ? [['www', 'web']] : [], `not told after ${hops} hops`);
  }
});

test('an alarm raised after the proof of health is not ended by it', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { target: 'nginx' });
  world.clearing = async (processId) => {
    if (processId === '1') await world.clock.sleep(10_000);
  };
  void world.monitor.tick();
  await world.clock.advance(1000);
  world.alarm(2, 'www', { target: 'nginx' });
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'www']);
  assert.equal(world.rows.get('2')?.alarma, false);
});

test('an order that joins a recovery does not clear its row twice, and is carried out even if the alarm is gone', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { restartMs: 5000 });
  void world.monitor.tick();
  await world.clock.advance(100);
  const row = world.rows.get('1');
  assert(row);
  assert.equal(await world.order('web', [{ ...row }]), 'recovered');
  assert.equal(world.restarts.length, 1);
  assert.equal(world.seen('alarm_cleared').length, 1);
  assert.doesNotMatch(world.log(), /changed by somebody else/);

  const gone = new MonitorWorld({ maxConcurrentRestarts: 1 });
  gone.alarm(1, 'first', { restartMs: 5000 });
  gone.alarm(2, 'web');
  void gone.monitor.tick();
  await gone.clock.advance(100);
  const waiting = gone.rows.get('2');
  assert(waiting);
  waiting.alarma = false;
  assert.equal(await gone.order('web', [{ ...waiting }]), 'recovered');
  assert.deepEqual(gone.restarts, ['first', 'web']);
});

test('an order ends the alarms of all rows of that name', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.alarm(2, 'web');
  await world.order(
    'web',
    [...world.rows.values()].map((row) => ({ ...row })),
  );
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
});

test('a hold, and mode = observe, stop the recoveries that still wait for their turn', async () => {
  for (const brake of ['hold', 'observe']) {
    const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
    world.alarm(1, 'first', { restartMs: 5000 });
    world.alarm(2, 'second');
    world.alarm(3, 'third', { settings: { dependsOn: ['second'] } });
    void world.monitor.tick();
    await world.clock.advance(100);
    if (brake === 'hold') world.holds.set(null, undefined, 'upgrade');
    else world.settings = { ...world.settings, mode: 'observe' };
    await world.poll();
    assert.deepEqual(world.restarts, ['first'], brake);
    assert.match(
      world.log('info'),
      brake === 'hold' ? /second not restarted: on hold: upgrade/ : /second not restarted: mode = obs/,
    );
    assert.deepEqual(world.state.journal.list(), []);
    assert.equal(world.breakers.snapshot('second').failures, 0);
  }
});

test('in mode = observe a process that depends on another would be restarted too', async () => {
  const world = new MonitorWorld({ mode: 'observe' });
  world.alarm(1, 'app', { settings: { dependsOn: ['db'] } });
  world.alarm(2, 'db');
  await world.poll();
  assert.match(world.log('info'), /app not restarted: mode = observe: would have restarted it/);
});

test('a dependency that failed while the poll was under way still counts', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'db', { settings: { maxAttempts: 1 }, restart: () => ({ kind: 'failed', reason: 'no' }) });
  void world.monitor.tick();
  await world.clock.advance(50);
  const answer = Promise.withResolvers<void>();
  const { readAlarms } = world.store;
  world.store.readAlarms = async () => {
    const rows = await readAlarms.call(world.store);
    await answer.promise;
    return rows;
  };
  world.alarm(2, 'app', { settings: { dependsOn: ['db'] } });
  const poll = world.monitor.tick();
  await world.clock.advance(1000);
  answer.resolve();
  await poll;
  await world.clock.advance(1000);
  assert(!world.restarts.includes('app'));
  assert.match(world.log(), /app not restarted: it depends on db/);
});

test('an alarm raised again between two polls is a new one: found, reported and timed again', async () => {
  const world = new MonitorWorld();
  for (let i = 0; i < 2; i++) {
    world.alarm(1, 'web', {}, 'down');
    await world.poll();
    await world.clock.advance(300_000);
  }
  assert.equal(world.seen('alarm_found').length, 2);
  assert.deepEqual(
    world.seen('alarm_cleared').map(({ sinceFoundMs }) => sinceFoundMs),
    [100, 100],
  );
});

test('what was cleared since the last poll is no longer counted as in alarm', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.alarm(2, 'sick', { health: () => ({ kind: 'unhealthy', reason: 'no' }) });
  await world.poll();
  const { availability } = world.monitor;
  assert.deepEqual(availability.state === 'ok' && availability.alarms.map(({ processId }) => processId), ['2']);
});

test('an answer of a store that a reload has replaced is not an alarm and not a fault', async () => {
  for (const answers of [true, false]) {
    const world = new MonitorWorld();
    world.alarm(1, 'web');
    const past = world.store;
    const { readAlarms } = past;
    const closed = Promise.withResolvers<void>();
    past.readAlarms = async () => {
      await closed.promise;
      if (!answers) throw storeError('unreachable');
      return readAlarms.call(past);
    };
    const poll = world.monitor.tick();
    world.store = { ...past, readAlarms: async () => ({ rows: [], leftOut: 0, doubtful: [], remarks: [] }) };
    closed.resolve();
    await poll;
    await world.clock.advance(1000);
    assert.deepEqual(world.restarts, []);
    assert.equal(world.log('warning'), '');
  }
});

test('a poll that answers after the order to stop begins nothing', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  const poll = world.monitor.tick();
  world.stopping.abort();
  await poll;
  await world.clock.advance(1000);
  assert.equal(world.seen('recovery_started').length, 0);
});

test('what a poll read before a clearing found it changed is not recovered again by a store too slow to ask', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  const row = world.rows.get('1');
  assert.ok(row);
  let isClearing = false;
  world.store.readProcess = () => new Promise(() => {});
  world.store.clearAlarm = async () => {
    isClearing = true;
    await world.clock.sleep(5000);
    // Sent by an earlier life of the daemon.
    row.alarma = false;
    await world.clock.sleep(5000);
    return 'changed';
  };
  void world.queue.order('web', [storedAlarm({ ...row })]);
  await world.clock.until(() => isClearing);
  void world.monitor.tick();
  await world.clock.until(() => world.queue.recovering === 0);
  assert.equal(world.seen('alarm_found').length, 1);
  assert.match(world.log('info'), /Row of web was changed/);
  assert.deepEqual(world.restarts, ['web']);
});

test('a row that now belongs to another process is not cleared, and nothing is restarted for it', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.alarm(1, 'first', { restartMs: 5000 });
  world.alarm(2, 'web');
  void world.monitor.tick();
  await world.clock.advance(100);
  const row = world.rows.get('2');
  assert(row);
  row.processName = 'other';
  await world.clock.advance(10_000);
  assert.deepEqual(world.restarts, ['first']);
  assert.equal(row.alarma, true);
});

test('an alarm that an order healed is not restarted for a poll that was asked before it was cleared, even if its row cannot be read', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.storeFault.readProcess = storeError('timeout');
  world.clearing = async () => world.monitor.tick();
  const rows = [...world.rows.values()].map((row) => ({ ...row }));
  assert.equal(await world.order('web', rows), 'recovered');
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('1')?.alarma, false);
});

test('a handled alarm is remembered with its process: another one in that row is healed', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.storeFault.clearAlarm = storeError('unreachable');
  await world.poll();
  world.storeFault = {};
  world.alarm(1, 'other');
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'other']);
});

test('a handled alarm is remembered with the whole of its notes: one that differs past their beginning is healed', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {}, 'long', 'one');
  world.storeFault.clearAlarm = storeError('unreachable');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  world.alarm(1, 'web', {}, 'long', 'other');
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});

test('a row that is cleared although the store gave no answer is not said to be changed by somebody else', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.storeFault.clearAlarm = storeError('timeout');
  await world.poll();
  world.storeFault = {};
  // The first UPDATE waited for a lock.
  world.clearing = async () => Object.assign(world.rows.get('1') ?? {}, { alarma: false });
  await world.poll();
  assert.match(world.log(), /Row of web was changed by the clearing that failed, or by somebody else meanwhile/);
});

test('a store that takes no clearing for long is complained of once an alarm', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.storeFault.clearAlarm = storeError('read_only');
  for (let i = 0; i < 5; i++) await world.poll();
  assert.equal(
    world.lines.filter(({ level, message }) => level === 'warning' && message.includes('could not be cleared')).length,
    1,
  );
});

test('for each name of a shared target the log says why it was skipped, and says it again after an attempt', async () => {
  const world = new MonitorWorld({ maxRestartFailures: 1, circuitResetTimeMs: 1000 });
  const how: FakeProcess = {
    target: 'nginx',
    settings: { maxAttempts: 1 },
    restart: () => ({ kind: 'failed', reason: 'no' }),
  };
  world.alarm(1, 'web', how);
  world.alarm(2, 'www', how);
  await world.poll();
  await world.poll();
  assert.equal(world.skipReason('row 1'), 'circuit breaker open');
  assert.equal(world.skipReason('row 2'), 'circuit breaker open');
  await world.clock.advance(1000);
  await world.poll();
  await world.poll();
  assert.equal(world.seen('recovery_skipped').filter(({ process }) => process.processId === '1').length, 2);
});
