import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../../src/core/outcomes.ts';
import type { RestartAttempt, RestartOutcome } from '../../../src/strategies/strategy.ts';
import { MonitorWorld, storeError } from '../../helpers/monitor-world.ts';

test('an alarm is restarted, proved healthy and cleared, and the story can be read', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {}, 'disk full');
  await world.poll();
  assert.deepEqual(world.restarts, ['web']);
  assert.equal(world.rows.get('1')?.alarma, false);
  assert.match(
    world.log('info'),
    /Found process in alarm: web \(ID: 1\) - disk full\n.*RESTART LOG: Restarting web using strategy custom \(attempt 1\/2\)\n.*Restart command executed for web.*\n.*Health check passed for web after 0 ms\n.*Successfully restarted and verified process: web\n.*DB UPDATE LOG: Alarm cleared for web \(ID: 1\) in 100 ms$/,
  );
  assert.deepEqual(world.state.journal.list(), []);
});

test('a process that never gets healthy has all its attempts, then its breaker opens; later one recovery is tried', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'sick', { health: () => ({ kind: 'unhealthy', reason: 'port closed' }) });
  for (let i = 0; i < 3; i++) await world.poll();
  assert.equal(world.restarts.length, 6);
  assert.equal(world.seen('breaker_opened').length, 1);
  await world.poll();
  await world.poll();
  assert.equal(world.restarts.length, 6, 'skipped while open');
  assert.equal(
    world.lines.filter(({ level, message }) => level === 'warning' && message.startsWith('Circuit breaker open for')).length,
    1,
  );
  await world.clock.advance(1_800_000);
  await world.poll();
  assert.equal(world.restarts.length, 8);
  assert.equal(world.seen('breaker_half_opened').length, 1);
  assert.equal(world.seen('breaker_opened').length, 2);
  world.processes.set('sick', {});
  await world.clock.advance(1_800_000);
  await world.poll();
  assert.equal(world.seen('breaker_closed').length, 1);
  assert.equal(world.rows.get('1')?.alarma, false);
});

test('the last lines of what failed come with the events, even if only the health check failed', async () => {
  const world = new MonitorWorld();
  const output = ['one', 'two', 'three', 'four'];
  world.alarm(1, 'web', { restart: () => ({ kind: 'failed', reason: 'exit code 3', output }) });
  world.alarm(2, 'unit', {
    health: () => ({ kind: 'unhealthy', reason: 'unit.service is failed (exit-code)' }),
    explain: { reason: 'ExecStart=/bin/app ended with exit code 7', output },
  });
  await world.poll();
  assert.match(
    world.log('error'),
    /Failed to restart unit: health check failed: .*: ExecStart=\/bin\/app ended with exit code 7: two \| three \| four/,
  );
  for (const type of ['attempt_failed', 'recovery_failed'] as const)
    assert.deepEqual(
      world.seen(type).map((event) => 'output' in event && event.output),
      type === 'attempt_failed' ? [output, output, output, output] : [output, output],
    );
});

test('an alarm cleared or acknowledged while it waits is not attempted, and no failure is counted', async () => {
  for (const change of [{ alarma: false }, { sound: true }]) {
    const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
    world.alarm(1, 'first');
    world.alarm(2, 'second');
    world.processes.set('first', {
      restart: () => {
        Object.assign(world.rows.get('2') as object, change);
        return { kind: 'restarted', detail: '' };
      },
    });
    await world.poll();
    assert.deepEqual(world.restarts, ['first']);
    assert.equal(world.breakers.snapshot('second').failures, 0);
    assert.match(world.log(), /second is no longer in alarm: somebody/);
  }
});

test('a clearing that fails is tried again without another restart while the process is healthy', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web');
  world.storeFault.clearAlarm = storeError('unreachable');
  await world.poll();
  await world.poll();
  assert.equal(world.restarts.length, 1);
  assert.equal(world.rows.get('1')?.alarma, true);
  world.storeFault = {};
  await world.poll();
  assert.equal(world.restarts.length, 1);
  assert.equal(world.rows.get('1')?.alarma, false);
  assert.deepEqual(world.state.handled.list(), []);
});

test('with clear_alarm = false, or UPDATE denied, a healed alarm is remembered until its row leaves alarm', async () => {
  for (const denied of [false, true]) {
    const world = new MonitorWorld({ clearAlarm: denied });
    world.alarm(1, 'web');
    if (denied) world.storeFault.clearAlarm = storeError('denied');
    await world.poll();
    await world.poll();
    await world.poll();
    assert.equal(world.restarts.length, 1);
    const row = world.rows.get('1');
    assert(row);
    row.alarma = false;
    await world.poll();
    row.alarma = true;
    await world.poll();
    assert.equal(world.restarts.length, 2);
  }
});

test('what is healed and left to others is checked at each regular poll: other notes alone restart nothing, illness does', async () => {
  for (const denied of [false, true]) {
    const world = new MonitorWorld({ clearAlarm: denied });
    let health: CheckResult = { kind: 'healthy' };
    world.alarm(1, 'web', { health: () => health });
    if (denied) world.storeFault.clearAlarm = storeError('denied');
    await world.poll();
    for (const notes of ['down', 'down still', 'down still']) {
      Object.assign(world.rows.get('1') ?? {}, { notes });
      await world.poll();
    }
    assert.deepEqual(world.restarts, ['web']);
    health = { kind: 'unhealthy', reason: 'port closed' };
    await world.poll();
    health = { kind: 'healthy' };
    assert.deepEqual(world.restarts, ['web', 'web', 'web'], 'two attempts of a second recovery');
    const told = denied ? 'Not allowed to clear alarms' : 'stays in the database';
    assert.ok(world.lines.filter(({ message }) => message.includes(told)).length < (denied ? 2 : 4));

    if (!denied) continue;
    world.storeFault = {};
    await world.poll();
    assert.equal(world.rows.get('1')?.alarma, false, 'as soon as it is allowed');
    assert.deepEqual(world.state.handled.list(), []);
  }
});

test('an alarm that the daemon raises itself is a new one, also if it may not have cleared the one before', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { configured: true });
  world.storeFault.clearAlarm = storeError('denied');
  await world.poll();
  await world.alarms.raise('web', 'exit code 3', 'exit');
  world.storeFault = {};
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
  assert.equal(world.rows.get('1')?.alarma, false);
});

test('notes that a detector writes while the process is down belong to the failure that the recovery ends', async () => {
  const world = new MonitorWorld();
  let seconds = 0;
  let health: CheckResult = { kind: 'healthy' };
  const rewrite = (): void => void Object.assign(world.rows.get('1') ?? {}, { notes: `no answer for ${seconds++} s` });
  world.alarm(1, 'web', {
    begins: rewrite,
    health: () => {
      if (seconds === 1) rewrite();
      return health;
    },
  });
  await world.poll();
  assert.deepEqual([world.restarts, seconds], [['web'], 2]);
  assert.equal(world.rows.get('1')?.alarma, false);

  // Not if the process is ill again by then, nor if they come after the proof.
  world.alarm(1, 'web', { begins: rewrite, health: () => health }, 'again');
  const events = world.events.length;
  world.clearing = async () => rewrite();
  await world.poll();
  assert.equal(world.rows.get('1')?.alarma, true);
  world.clearing = async () => {};
  health = { kind: 'unhealthy', reason: 'gone' };
  await world.poll();
  assert.deepEqual(
    world.events.slice(events).flatMap(({ type }) => (/^recovery_(succ|fail)/.test(type) ? [type] : [])),
    ['recovery_succeeded', 'recovery_failed'],
  );
  assert.equal(world.rows.get('1')?.alarma, true);
});

test('a strategy learns since when an alarm has its present notes', async () => {
  const world = new MonitorWorld();
  let sinceMs: number | undefined;
  const restart = ({ alarmSinceMs }: RestartAttempt): RestartOutcome => {
    sinceMs = alarmSinceMs;
    return { kind: 'restarted', detail: 'done' };
  };
  world.alarm(1, 'web', { restart });
  world.holds.set('web', undefined, 'test');
  await world.poll();
  await world.clock.advance(60_000);
  Object.assign(world.rows.get('1') ?? {}, { notes: 'ill again' });
  await world.poll();
  const notedAtMs = world.clock.monotonicMs();
  await world.clock.advance(60_000);
  world.holds.release(undefined);
  await world.poll();
  assert.deepEqual([world.restarts, sinceMs], [['web'], notedAtMs]);
});

test('another reason is reported, each once; back is counted from the last poll that was answered', async () => {
  const world = new MonitorWorld();
  await world.poll();
  await world.clock.advance(60_000);
  for (const fault of ['unreachable', 'denied', 'unreachable', 'denied'] as const) {
    world.storeFault.readAlarms = storeError(fault);
    await world.poll();
    await world.clock.advance(10_000);
  }
  assert.deepEqual(
    world.lines.filter(({ level }) => level === 'error').map(({ message }) => message),
    [
      'Alarm store does not answer: fake unreachable; alarms are unknown until it is back',
      'Alarm store still cannot be used: fake denied',
    ],
  );
  const { availability } = world.monitor;
  assert.equal(availability.state === 'unknown' && availability.reason, 'fake denied');
  // What status says is counted from the same moment.
  assert.deepEqual(
    availability.state === 'unknown' && availability.since,
    availability.state === 'unknown' && availability.lastPollAt,
  );
  world.storeFault = {};
  await world.poll();
  assert.match(world.log('info'), /Alarm store is back after 100 s/);
  assert.equal(world.seen('store_lost').length, 1);
});

test('another server that answers is reported, the first one is not', async () => {
  const world = new MonitorWorld();
  await world.poll();
  assert.doesNotMatch(world.log(), /is asked now/);
  world.store = { ...world.store, description: 'mysql db2/x' };
  await world.poll();
  await world.poll();
  assert.equal(world.log('warning').match(/Alarm store: mysql db2\/x is asked now, not fake store any more/g)?.length, 1);
});

test('an alarm beyond those that are taken at once is not taken for cleared', async () => {
  const world = new MonitorWorld({ clearAlarm: false });
  for (const id of [1, 2, 3]) world.alarm(id, `p${id}`, {}, 'once');
  await world.poll();
  assert.deepEqual(world.restarts, ['p1', 'p2', 'p3']);
  world.most = 1;
  await world.poll();
  const { availability } = world.monitor;
  assert.equal(availability.state === 'ok' && availability.leftOut, 2);
  world.most = 3;
  await world.poll();
  assert.deepEqual(world.restarts, ['p1', 'p2', 'p3'], 'they were healed, and are known to be');
  assert.equal(world.seen('alarm_found').length, 3);
});

test('what is odd about the store is reported once as long as it is', async () => {
  const world = new MonitorWorld();
  world.remarks = ['process_id "1": several rows'];
  await world.poll();
  await world.poll();
  world.remarks = [];
  await world.poll();
  world.remarks = ['process_id "1": several rows'];
  await world.poll();
  assert.equal(world.lines.filter(({ message }) => message === 'Alarm store: process_id "1": several rows').length, 2);
});

test('if the health check can never pass, nothing is restarted', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'my backend', { checkRefusal: 'the name cannot stand for %s' });
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.match(world.log('error'), /Failed to restart my backend: fake check: the name cannot stand for %s/);
});

test('a breaker that opens at the first failure, or at the first success, does not speak of several', async () => {
  const sick = new MonitorWorld({ maxRestartFailures: 1 });
  sick.alarm(1, 'sick', { health: () => ({ kind: 'unhealthy', reason: 'no' }) });
  await sick.poll();
  assert.match(sick.log('warning'), /Circuit breaker opened for sick: a failed recovery; no restarts for 1800 s/);
  await sick.clock.advance(1_800_000);
  await sick.poll();
  assert.match(sick.log('warning'), /Circuit breaker opened for sick: 2 failed recoveries;/);
  const dying = new MonitorWorld({ flapRecoveries: 1 });
  dying.alarm(1, 'web');
  await dying.poll();
  assert.match(dying.log('warning'), /Circuit breaker opened for web: recovered 1 time within 3600 s/);
});

test('a failure that no further attempt can change is the last attempt, and one failed recovery', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {
    settings: { maxAttempts: 5 },
    restart: ({ attempt }) => ({ kind: 'failed', reason: 'nothing to start', final: attempt === 2 }),
  });
  const startedMs = world.clock.monotonicMs();
  await world.poll();
  assert.equal(world.restarts.length, 2);
  assert.equal(world.clock.monotonicMs() - startedMs, 2200, 'one restart_delay, between the two');
  assert.equal(world.seen('attempt_failed').length, 2);
  assert.equal(world.breakers.snapshot('web').failures, 1);
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.match(world.log('error'), /Failed to restart web: nothing to start/);
});

test('what dies within stable_time fails the attempt, though its health check has passed', async () => {
  const world = new MonitorWorld();
  let lives = 0;
  world.alarm(1, 'web', {
    life: () => {
      lives++;
      return { ageMs: 300, ended: async () => (lives === 1 ? 'pid 7 has ended' : undefined) };
    },
  });
  await world.poll();
  assert.deepEqual(world.restarts, ['web', 'web']);
  const [failure] = world.seen('attempt_failed');
  assert.equal(failure?.reason, 'health check failed: it did not last for stable_time (1 s): pid 7 has ended');
  assert.equal(world.rows.get('1')?.alarma, false);
  assert.match(world.log(), /Health check passed for web after 700 ms/);
});

test('stable_time is waited for only if there is something to look at, and what it has run counts', async () => {
  for (const [ageMs, stableTimeMs, waited] of [
    [undefined, 60_000, 0],
    [5000, 1000, 0],
    [0, 0, 0],
    [250, 2000, 1750],
  ] as const) {
    const world = new MonitorWorld();
    let looked = false;
    world.alarm(1, 'web', {
      settings: { stableTimeMs },
      life: () =>
        ageMs === undefined
          ? undefined
          : {
              ageMs,
              ended: async () => {
                looked = true;
                return undefined;
              },
            },
    });
    await world.poll();
    assert.equal(world.seen('health_check_passed')[0]?.durationMs, waited);
    assert.equal(looked, ageMs !== undefined && stableTimeMs > 0);
  }
});
