import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storedAlarm } from '../../../src/core/alarm.ts';
import type { HealthResult } from '../../../src/core/outcomes.ts';
import { commandCheck } from '../../../src/health/command.ts';
import { proveAgain } from '../../../src/monitor/recovery/health-proof.ts';
import type { RecoveryPlan } from '../../../src/strategies/recovery-plan.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { MonitorWorld, storeError } from '../../helpers/monitor-world.ts';
import { FakeCommands, managed, never } from '../../helpers/strategy-parts.ts';

// Each was found by the simulation (test/simulate): what was healed, or cleared, was restarted again.

/** Two alarms of one target, of which the second joins the recovery while the row of the first is read again. */
function joining(meanwhile: (world: MonitorWorld) => void = () => {}): MonitorWorld {
  const world = new MonitorWorld();
  const reading = Promise.withResolvers<void>();
  world.alarm(1, 'web', { target: 'nginx' });
  world.alarm(2, 'www', { target: 'nginx', resolving: () => reading.promise });
  const { readProcess } = world.store;
  world.store.readProcess = async (processId) => {
    meanwhile(world);
    reading.resolve();
    await world.clock.sleep(1000);
    return readProcess.call(world.store, processId);
  };
  return world;
}

test('who joins a recovery while its rows are read again is cleared with it', async () => {
  const world = joining();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.deepEqual(
    [...world.rows.values()].map(({ alarma }) => alarma),
    [false, false],
  );
});

test('who joins then is read again too: for what was cleared meanwhile nothing is restarted', async () => {
  const world = joining(({ rows }) => {
    for (const row of rows.values()) row.alarma = false;
  });
  await world.poll();
  assert.deepEqual(world.restarts, []);
});

test('who joins it is cleared by the notes that were read last', async () => {
  const world = new MonitorWorld();
  const looking = Promise.withResolvers<void>();
  world.alarm(1, 'web', { target: 'nginx', restartMs: 5000 });
  world.alarm(2, 'www', { target: 'nginx', resolving: () => looking.promise }, 'down');
  void world.monitor.tick();
  await world.clock.advance(100);
  const row = world.rows.get('2');
  assert(row);
  row.notes = 'down, seen by another too';
  await world.monitor.tick();
  looking.resolve();
  await world.clock.advance(20_000);
  assert.deepEqual([world.restarts, row.alarma], [['web'], false]);
});

/** One that waits for its turn, for 5 s. */
async function worldWithWaiting(): Promise<MonitorWorld> {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.alarm(1, 'first', { restartMs: 5000 });
  world.alarm(2, 'web', {}, 'down');
  void world.monitor.tick();
  await world.clock.advance(100);
  return world;
}

test('a row that cannot be read again is taken to be as the last poll saw it: cleared', async () => {
  const world = await worldWithWaiting();
  const row = world.rows.get('2');
  assert(row);
  row.alarma = false;
  await world.monitor.tick();
  world.storeFault.readProcess = storeError('unreachable');
  await world.clock.advance(20_000);
  assert.deepEqual(world.restarts, ['first']);
});

test('and with the notes that the last poll saw: that alarm is cleared too', async () => {
  const world = await worldWithWaiting();
  const row = world.rows.get('2');
  assert(row);
  row.notes = 'down, seen by another too';
  await world.monitor.tick();
  world.storeFault.readProcess = storeError('unreachable');
  await world.clock.advance(20_000);
  assert.deepEqual([world.restarts, row.alarma], [['first', 'web'], false]);
});

test('an alarm that waits is not restarted for once an order has healed it, though it could not be cleared', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'db', { restartMs: 5000 });
  world.alarm(2, 'web', { settings: { dependsOn: ['db'] } });
  world.storeFault.clearAlarm = storeError('busy');
  void world.monitor.tick();
  await world.clock.advance(100);
  const row = world.rows.get('2');
  assert(row);
  assert.equal(await world.order('web', [{ ...row }]), 'recovered');
  await world.clock.advance(20_000);
  assert.deepEqual(world.restarts, ['db', 'web']);
  world.storeFault = {};
  await world.poll();
  assert.equal(row.alarma, false);
  assert.deepEqual(world.restarts, ['db', 'web']);
});

test('that an alarm of our own may have reached a row does not make another of what was healed there', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {}, 'down');
  world.storeFault = { clearAlarm: storeError('busy'), raiseAlarm: storeError('failed') };
  await world.poll();
  void world.alarms.raise('web', 'exited', 'exit');
  await world.clock.advance(20_000);
  assert.deepEqual(world.restarts, ['web', 'web']);
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web'], 'the alarm of the row had been healed');
  const row = world.rows.get('1');
  assert(row);
  row.notes = 'exited';
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web'], 'and so had ours, had it arrived');
});

test('what nobody could look at is not proved to be ill', async () => {
  const settings = { healthCheckTimeoutMs: 0, stableTimeMs: 0 };
  const again = (plan: object) =>
    proveAgain({ settings, ...plan } as unknown as RecoveryPlan, managed('web'), 1, new FakeClock(), never);
  const unseen: HealthResult = { kind: 'unhealthy', reason: 'systemd does not answer', unseen: true };
  const ill: HealthResult = { kind: 'unhealthy', reason: 'it is down' };
  const byStrategy = (health: HealthResult) => again({ checks: [], strategy: { checkHealth: async () => health } });
  assert.equal((await byStrategy(unseen)).kind, 'not_proved');
  assert.equal((await byStrategy(ill)).kind, 'unhealthy');
  const byChecks = (...healths: readonly HealthResult[]) =>
    again({ checks: healths.map((health) => ({ description: 'a check', check: async () => health })), strategy: {} });
  assert.equal((await byChecks(unseen, { kind: 'healthy' })).kind, 'not_proved');
  assert.equal((await byChecks(unseen, ill)).kind, 'unhealthy');

  const commands = new FakeCommands();
  commands.result = { kind: 'not_started', reason: 'systemd does not answer' };
  const check = commandCheck.create({ line: 'true' }, { commands, names: {} as never });
  const said = await check.check(managed('web'), 1, 1000, never);
  assert.deepEqual([said.kind, said.kind === 'unhealthy' && said.unseen], ['unhealthy', true]);
});

test('what an order restarts while its health is checked again is not restarted once more for what was seen meanwhile', async () => {
  const world = new MonitorWorld({ clearAlarm: false });
  let isWell = true;
  world.alarm(1, 'web', {
    restartMs: 4500,
    begins: () => {
      isWell = false;
    },
    restart: () => {
      isWell = true;
      return { kind: 'restarted', detail: 'fake restart' };
    },
    // The last try begins before the restart has ended, and answers after it.
    otherHealth: async () => {
      if (isWell) return { kind: 'healthy' };
      await world.clock.sleep(300);
      return { kind: 'unhealthy', reason: 'down' };
    },
    settings: { healthCheckTimeoutMs: 4000 },
  });
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  const row = world.rows.get('1');
  assert(row);
  // A regular poll is due right after the order.
  await world.clock.advance(300_000);
  let ordered = '';
  void world.queue.order('web', [storedAlarm({ ...row })]).then(({ kind }) => {
    ordered = kind;
  });
  await world.clock.advance(600);
  void world.monitor.tick();
  await world.clock.until(() => ordered !== '');
  assert.equal(ordered, 'recovered');
  await world.clock.advance(20_000);
  assert.deepEqual(world.restarts, ['web', 'web']);
  // What a later check sees counts.
  isWell = false;
  await world.clock.advance(300_000);
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web', 'web']);
});

test('notes that were read again before a restart count, though the last poll has not seen them', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {
    resolving: async () => {
      const row = world.rows.get('1');
      if (row !== undefined && world.restarts.length === 0) row.notes = 'down, seen by another too';
    },
    restart: async (attempt) => {
      world.storeFault = { readProcess: storeError('unreachable'), clearAlarm: storeError('unreachable') };
      assert.equal(await attempt.isUnwanted?.(), false);
      return { kind: 'restarted', detail: 'fake restart' };
    },
  });
  await world.poll();
  world.storeFault = {};
  await world.poll();
  assert.deepEqual([world.restarts, world.rows.get('1')?.alarma], [['web'], false]);
});

test('an earlier alarm of a row that could not be cleared does not take the place of a later one', () => {
  const { memory } = new MonitorWorld().book;
  const [earlier, later] = ['down', 'down again'].map((notes) => ({ processId: '1', notes, notesDigest: null }));
  assert.ok(earlier && later);
  const isHandled = (): boolean => memory.of(storedAlarm({ ...later, processName: 'web', alarma: true, sound: false })).handled;
  assert.equal(memory.rememberHandled('web', later, 20, 1), true);
  assert.equal(memory.rememberHandled('web', earlier, 10, 1), false);
  memory.forgetHandled(earlier, 10);
  assert.equal(isHandled(), true);
  memory.forgetHandled(later, 20);
  assert.equal(isHandled(), false);
});

test('notes that the last poll saw, and that an order has healed, are not restarted for', async () => {
  const world = new MonitorWorld();
  const gate = Promise.withResolvers<void>();
  const waits = [gate.promise];
  world.alarm(1, 'web', { resolving: async () => waits.shift() }, 'down');
  void world.monitor.tick();
  await world.clock.advance(100);
  const row = world.rows.get('1');
  assert(row);
  row.notes = 'down, seen by another too';
  await world.monitor.tick();
  world.storeFault.clearAlarm = storeError('busy');
  assert.equal(await world.order('web', [{ ...row }]), 'recovered');
  world.storeFault.readProcess = storeError('busy');
  gate.resolve();
  await world.clock.advance(20_000);
  assert.deepEqual(world.restarts, ['web']);
});

test('what is raised again while the health of what others have to clear is checked is another alarm', async () => {
  const world = new MonitorWorld({ clearAlarm: false });
  let healthMs = 0;
  const otherHealth = async () => {
    await world.clock.sleep(healthMs);
    return { kind: 'healthy' } as const;
  };
  world.alarm(1, 'web', { otherHealth }, 'first');
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  healthMs = 2000;
  await world.monitor.tick();
  await world.clock.advance(100);
  world.rows.delete('1');
  await world.monitor.tick();
  world.alarm(1, 'web', { otherHealth }, 'second');
  await world.monitor.tick();
  healthMs = 0;
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});

test('an alarm that a poll shows to be over while its clearing is under way, and is then denied, is not remembered', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {}, 'first');
  world.storeFault.clearAlarm = storeError('denied');
  await world.poll();
  const row = world.rows.get('1');
  assert(row);
  const { clearAlarm } = world.store;
  world.store.clearAlarm = async (...how) => {
    await world.clock.sleep(1000);
    return clearAlarm.apply(world.store, how);
  };
  // The health of what is left to others is checked again, and its clearing is tried again.
  void world.monitor.tick();
  await world.clock.advance(500);
  row.alarma = false;
  await world.monitor.tick();
  await world.clock.advance(5_000);
  assert.deepEqual(world.restarts, ['web']);
  world.alarm(1, 'web', undefined, 'second');
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});

test('an alarm that an order heals before any poll shows it, and whose clearing fails after one does, is remembered', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {}, 'first');
  await world.poll();
  await world.clock.advance(1000);
  world.alarm(1, 'web', undefined, 'second');
  const row = world.rows.get('1');
  assert(row);
  const { clearAlarm } = world.store;
  world.store.clearAlarm = async () => {
    await world.clock.sleep(1000);
    throw storeError('busy');
  };
  const order = world.queue.order('web', [storedAlarm(row)]);
  await world.clock.advance(500);
  await world.monitor.tick();
  await world.clock.advance(5000);
  assert.equal((await order).kind, 'recovered');
  assert.deepEqual(world.restarts, ['web', 'web']);
  world.store.clearAlarm = clearAlarm;
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
  assert.equal(row.alarma, false);
});
