import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../../src/core/outcomes.ts';
import { entryOf } from '../../helpers/journal-entry.ts';
import { MonitorWorld, storeError } from '../../helpers/monitor-world.ts';

// What becomes of a process whose health check cannot find the host it has to look at.

const healthy: CheckResult = { kind: 'healthy' };
const unhealthy: CheckResult = { kind: 'unhealthy', reason: 'ECONNREFUSED' };
const notProved: CheckResult = { kind: 'not_proved', reason: 'web.example.test could not be resolved', detail: 'silence' };
const REASON = 'not proved: web.example.test could not be resolved';

/** A world with one alarm, whose health is whatever `health.now` says. */
function unprovedWorld(): { world: MonitorWorld; health: { now: CheckResult } } {
  const world = new MonitorWorld();
  const health = { now: notProved };
  world.alarm(1, 'web', { health: () => health.now, settings: { maxAttempts: 3 } });
  return { world, health };
}

test('what cannot be proved is restarted once, stays in alarm, and counts neither for nor against it', async () => {
  const { world } = unprovedWorld();
  for (let i = 0; i < 5; i++) await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.deepEqual(world.breakers.list(), new Map(), 'the breaker knows of nothing');
  assert.equal(world.skipReason('row 1'), REASON);
  assert.equal(world.state.unproved.get('row 1')?.reason, 'web.example.test could not be resolved');
  assert.deepEqual(world.state.journal.list(), []);
  assert.match(world.log('warning'), /Health check not proved for web: web\.example\.test could not be resolved \(silence\)/);
  const told = world.lines.filter(({ level, message }) => level !== 'debug' && message.includes('not proved: '));
  assert.equal(told.length, 1, 'told once');
  assert.deepEqual(
    world.seen('recovery_skipped').map(({ reason }) => reason),
    [REASON],
  );
  assert.deepEqual([world.seen('recovery_failed'), world.seen('attempt_failed')], [[], []]);
});

test('a proof that comes later ends the alarm without a restart, and is that recovery’s', async () => {
  const { world, health } = unprovedWorld();
  await world.poll();
  health.now = healthy;
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('1')?.alarma, false);
  assert.deepEqual(
    world.seen('recovery_succeeded').map(({ target, attempts }) => [target, attempts]),
    [['web', 1]],
  );
  assert.equal(world.breakers.snapshot('web').failures, 0);
  assert.deepEqual(world.state.unproved.list(), []);
});

test('once it is certainly unhealthy, a recovery like any other begins', async () => {
  const { world, health } = unprovedWorld();
  await world.poll();
  health.now = unhealthy;
  await world.poll();
  assert.equal(world.restarts.length, 4, 'one, and then three attempts');
  assert.equal(world.breakers.snapshot('web').failures, 1);
  assert.deepEqual(world.state.unproved.list(), []);
});

test('a check that is certain of a fault decides over one that cannot be made; one that passes does not', async () => {
  const { world } = unprovedWorld();
  world.processes.set('web', { health: () => notProved, otherHealth: () => unhealthy });
  await world.poll();
  assert.equal(world.restarts.length, 2);
  assert.match(world.log('error'), /Failed to restart web: health check failed: other check: ECONNREFUSED/);
  const other = unprovedWorld().world;
  other.processes.set('web', { health: () => notProved, otherHealth: () => healthy });
  await other.poll();
  assert.equal(other.rows.get('1')?.alarma, true);
  assert.equal(other.skipReason('row 1'), REASON);
});

test('in the last moment nobody can be found: what was certain before counts; a proof counts whenever it comes', async () => {
  /** The alarm's fate where its health is `last` a quarter of a second before the end of its 5 s, and `before` until then. */
  const fate = async (before: CheckResult, last: CheckResult): Promise<MonitorWorld> => {
    const { world } = unprovedWorld();
    let restartedMs = Number.POSITIVE_INFINITY;
    world.processes.set('web', {
      settings: { maxAttempts: 1 },
      restart: () => {
        restartedMs = world.clock.monotonicMs();
        return { kind: 'restarted', detail: '' };
      },
      health: () => (world.clock.monotonicMs() - restartedMs < 4500 ? before : last),
    });
    await world.poll();
    return world;
  };
  const failed = await fate(unhealthy, notProved);
  assert.match(failed.log('error'), /Failed to restart web: health check failed: fake check: ECONNREFUSED \(for 5 s\)/);
  assert.equal((await fate(notProved, healthy)).rows.get('1')?.alarma, false);
  assert.equal((await fate(notProved, unhealthy)).breakers.snapshot('web').failures, 1);
});

test('what ran after the restart and does not any more is not well, whatever host cannot be found', async () => {
  const { world } = unprovedWorld();
  const life = { ageMs: 0, ended: async () => 'pid 4711 has ended' };
  world.processes.set('web', { health: () => notProved, life: () => life, settings: { maxAttempts: 2 } });
  await world.poll();
  assert.equal(world.restarts.length, 2);
  assert.match(world.log('error'), /Failed to restart web: health check failed: pid 4711 has ended/);
});

test('the next life of the daemon looks too, and restarts nothing', async () => {
  const { world, health } = unprovedWorld();
  await world.poll();
  const next = new MonitorWorld({}, world.state);
  next.alarm(1, 'web', { health: () => health.now });
  await next.poll();
  await next.poll();
  assert.deepEqual(next.restarts, []);
  assert.equal(next.skipReason('row 1'), REASON);
  assert.equal(next.log('warning').match(/web not restarted: not proved: /g)?.length, 1);
  health.now = healthy;
  await next.poll();
  assert.deepEqual(next.restarts, []);
  assert.equal(next.rows.get('1')?.alarma, false);
});

test('an attempt that a crash interrupted and that cannot be proved is not repeated for that', async () => {
  const { world } = unprovedWorld();
  world.state.journal.begin({
    ...entryOf('web'),
    alarms: [{ source: 'store', key: 'row 1', processName: 'web', notes: null, notesDigest: null }],
  });
  const next = new MonitorWorld({}, world.state);
  const health: { now: CheckResult } = { now: notProved };
  next.alarm(1, 'web', { health: () => health.now });
  await next.poll();
  await next.poll();
  assert.deepEqual(next.restarts, []);
  assert.equal(next.skipReason('row 1'), REASON);
  assert.equal(next.state.journal.list().length, 1, 'another life would judge it again');

  health.now = healthy;
  await next.poll();
  assert.deepEqual(next.restarts, []);
  assert.equal(next.rows.get('1')?.alarma, false);
  assert.deepEqual(next.state.journal.list(), []);
});

test('whatever a detector writes into its notes meanwhile; but an alarm that was over is a new one', async () => {
  const { world } = unprovedWorld();
  await world.poll();
  Object.assign(world.rows.get('1') as object, { notes: 'no answer at 12:01' });
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  Object.assign(world.rows.get('1') as object, { alarma: false });
  await world.poll();
  assert.deepEqual(world.state.unproved.list(), []);
  Object.assign(world.rows.get('1') as object, { alarma: true });
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});

test('the end of the process, noticed by the daemon, is certain: it is restarted', async () => {
  const { world } = unprovedWorld();
  await world.poll();
  await world.alarms.raise('web', 'exit code 3', 'exit');
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
});

test('an order restarts it all the same, and its reply says what is not known', async () => {
  const { world, health } = unprovedWorld();
  await world.poll();
  assert.equal(await world.order('web', []), 'not_proved');
  assert.deepEqual(world.restarts, ['web', 'web']);
  health.now = healthy;
  await world.poll();
  assert.equal(world.rows.get('1')?.alarma, false);
});

test('who depends on it is not restarted, and learns why', async () => {
  const { world } = unprovedWorld();
  world.alarm(2, 'front', { settings: { dependsOn: ['web'] } });
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.match(world.skipReason('row 2') ?? '', /^it depends on web, which .*not proved: web\.example\.test could not/);
});

test('rows that share the target share this too; the later success is counted once', async () => {
  const { world, health } = unprovedWorld();
  world.processes.set('web', { health: () => health.now, target: 'nginx' });
  world.alarm(2, 'www', { health: () => health.now, target: 'nginx' });
  await world.poll();
  await world.poll();
  assert.equal(world.restarts.length, 1);
  health.now = healthy;
  await world.poll();
  assert.deepEqual(
    [...world.rows.values()].map(({ alarma }) => alarma),
    [false, false],
  );
  assert.equal(world.seen('recovery_succeeded').length, 1);
  assert.equal(world.restarts.length, 1);
});

test('a half-open breaker is not closed by it, and not opened again; the later proof closes it', async () => {
  const { world, health } = unprovedWorld();
  health.now = unhealthy;
  for (let i = 0; i < 3; i++) await world.poll();
  assert.equal(world.breakers.snapshot('web').state, 'open');
  await world.clock.advance(1_800_000);
  health.now = notProved;
  await world.poll();
  assert.equal(world.seen('breaker_half_opened').length, 1);
  assert.equal(world.seen('breaker_opened').length, 1);
  assert.equal(world.breakers.snapshot('web').state, 'half_open', 'its trial goes on');
  health.now = healthy;
  await world.poll();
  assert.equal(world.breakers.snapshot('web').state, 'closed');
  assert.equal(world.rows.get('1')?.alarma, false);
});

test('what was healed, and can no longer be proved, is neither cleared nor restarted', async () => {
  const { world, health } = unprovedWorld();
  health.now = healthy;
  world.storeFault = { clearAlarm: storeError('unreachable') };
  await world.poll();
  world.storeFault = {};
  health.now = notProved;
  await world.poll();
  assert.equal(world.rows.get('1')?.alarma, true);
  health.now = healthy;
  await world.poll();
  assert.equal(world.rows.get('1')?.alarma, false);
  assert.deepEqual(world.restarts, ['web']);
});

test('an end of the daemon in the middle of a check decides nothing', async () => {
  const { world } = unprovedWorld();
  await world.poll();
  world.processes.set('web', {
    health: () => {
      world.abort.abort();
      return notProved;
    },
  });
  await world.poll();
  assert.equal(world.state.unproved.list().length, 1);
  assert.deepEqual(world.restarts, ['web']);
});
