import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartSlots } from '../../../src/monitor/recovery/slots.ts';
import { MonitorWorld, storeError } from '../../helpers/monitor-world.ts';

test('higher priority goes first, then the longest in alarm, and repeated attempts after all first ones', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.alarm(1, 'sick', {
    health: () => ({ kind: 'unhealthy', reason: 'no' }),
    settings: { healthCheckTimeoutMs: 1, restartDelayMs: 0 },
  });
  world.alarm(2, 'low', { settings: { priority: -1 } });
  world.alarm(3, 'plain');
  world.alarm(4, 'high', { settings: { priority: 5 } });
  await world.poll();
  assert.equal(world.restarts[0], 'sick', 'it was the first to ask for a free slot');
  assert.deepEqual(world.restarts.slice(1), ['high', 'plain', 'low', 'sick']);
});

test('an order goes first; of equals, a process with a section goes before names that only the database has', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  for (let id = 1; id <= 20; id++) world.alarm(id, `invented${id}`, { configured: false });
  await world.clock.advance(1);
  void world.monitor.tick();
  await world.clock.until(() => world.restarts.length === 1);
  world.alarm(30, 'web', { configured: true });
  void world.monitor.tick();
  await world.clock.until(() => world.seen('alarm_found').some(({ process }) => process.processName === 'web'));
  void world.queue.order('ordered', []);
  await world.clock.until(() => world.restarts.length === 22);
  assert.deepEqual(world.restarts.slice(1, 4).sort(), ['invented2', 'ordered', 'web'].sort());
  assert.ok(world.restarts.indexOf('ordered') <= 2, world.restarts.join());
});

test('attempts that need to wait for nothing leave the event loop its turns', async () => {
  const slots = new RestartSlots(() => 1);
  const rank = { ordered: false, repeated: false, priority: 0, configured: true, sinceMs: 0 };
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const attempts = Array.from({ length: 50 }, async () => (await slots.acquire(rank, new AbortController().signal))?.());
  await Promise.all(attempts);
  isOver = true;
  assert.ok(turns >= 50, `${turns} turns`);
});

test('processes that never get healthy do not keep the others waiting', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 2 });
  for (let id = 1; id <= 50; id++) world.alarm(id, `sick${id}`, { health: () => ({ kind: 'unhealthy', reason: 'no' }) });
  for (let id = 51; id <= 60; id++) world.alarm(id, `well${id}`);
  await world.poll();
  const lastWell = Math.max(...world.restarts.flatMap((name, i) => (name.startsWith('well') ? [i] : [])));
  assert(lastWell < 60, `the last healthy one was restarted as number ${lastWell}`);
  const waits = world.seen('alarm_cleared').map(({ sinceFoundMs }) => sinceFoundMs);
  assert(Math.max(...waits) <= 3100, `${Math.max(...waits)} ms for 60 restarts of 100 ms, two at a time`);
});

test('a process waits for the one it depends on, and is not restarted if that one fails', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'app', { settings: { dependsOn: ['db'] } });
  world.alarm(2, 'db', { restartMs: 5000 });
  await world.poll();
  assert.deepEqual(world.restarts, ['db', 'app']);

  const failing = new MonitorWorld();
  failing.alarm(1, 'app', { settings: { dependsOn: ['db'] } });
  failing.alarm(2, 'db', { restart: () => ({ kind: 'failed', reason: 'no' }) });
  await failing.poll();
  assert(!failing.restarts.includes('app'));
  assert.match(failing.log('warning'), /app not restarted: it depends on db, which is not well: no/);
});

test('one slow process delays no other, and a poll leaves an alarm alone that is being handled', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'slow', { restartMs: 3_000_000 });
  world.alarm(2, 'quick');
  void world.monitor.run(world.stopping.signal);
  await world.clock.until(() => world.rows.get('2')?.alarma === false, 10_000);
  await world.clock.advance(1_000_000);
  assert.deepEqual(world.restarts, ['slow', 'quick']);
  world.stopping.abort();
  world.abort.abort();
});

test('pre_restart_command that fails fails the recovery; it runs once a recovery, with the name as data', async () => {
  const world = new MonitorWorld();
  world.commandResult = () => ({ kind: 'exited', exitCode: 7, output: 'not today\n' });
  world.alarm(1, 'web', { settings: { preRestartCommand: 'check %s' } });
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.equal(world.commandsRun.length, 1);
  assert.equal(world.commandsRun[0]?.line, 'check web');
  assert.equal(world.commandsRun[0]?.environment.MONITOR_PROCESS_NAME, 'web');
  assert.match(world.log('error'), /Failed to restart web: pre_restart_command: exit code 7: not today/);

  const hostile = new MonitorWorld();
  hostile.alarm(1, 'x; rm -rf /', { settings: { preRestartCommand: 'check %s' } });
  await hostile.poll();
  assert.equal(hostile.commandsRun.length, 0);
  assert.match(hostile.log('error'), /set system_name/);
});

test('the pause between attempts grows with use_backoff, up to max_delay', async () => {
  const world = new MonitorWorld();
  const at: number[] = [];
  world.alarm(1, 'web', {
    restartMs: 0,
    settings: { maxAttempts: 5, restartDelayMs: 1000, useBackoff: true, backoffMultiplier: 3, maxDelayMs: 5000 },
    restart: () => {
      at.push(world.clock.monotonicMs());
      return { kind: 'failed', reason: 'no' };
    },
  });
  await world.poll();
  assert.deepEqual(
    at.slice(1).map((ms, i) => ms - (at[i] ?? 0)),
    [1000, 3000, 5000, 5000],
  );
});

test('mode = observe decides and reports, and does nothing', async () => {
  const world = new MonitorWorld({ mode: 'observe' });
  world.alarm(1, 'web');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.equal(
    world.lines.filter(({ level, message }) => level === 'info' && message.includes('would have restarted')).length,
    1,
  );
});

test('only_configured leaves processes alone that have no section', async () => {
  const world = new MonitorWorld({ onlyConfigured: true });
  world.alarm(1, 'theirs');
  world.alarm(2, 'ours', { configured: true });
  await world.poll();
  assert.deepEqual(world.restarts, ['ours']);
});

test('rows without a name are reported once and never restarted', async () => {
  const world = new MonitorWorld();
  world.alarm(1, null);
  world.alarm(2, '  ');
  await world.poll();
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.equal(world.lines.filter(({ message }) => message.includes('without a name')).length, 2);
});

test('a row that cannot be read again does not keep its process from being restarted', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'mariadb');
  world.storeFault.readProcess = storeError('unreachable');
  await world.poll();
  assert.deepEqual(world.restarts, ['mariadb']);
});

test('while servers answer that they do not know the state of a row, nothing is restarted for it', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'mariadb');
  world.alarm(2, 'web', { target: 'nginx' });
  world.alarm(3, 'www', { target: 'nginx' });
  world.storeFault.readProcess = storeError('not_causal');
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.match(world.log('warning'), /mariadb not restarted: whether it is still in alarm is not known: fake not_causal/);
  assert.equal(world.breakers.snapshot('mariadb').failures, 0);
  assert.deepEqual(world.state.journal.list(), []);
  world.storeFault = {};
  await world.poll();
  assert.deepEqual(world.restarts.toSorted(), ['mariadb', 'web']);
});

test('if a row hangs, the daemon waits for as long as it takes to ask another host, if there is one', async () => {
  for (const failoverMs of [undefined, 10_000]) {
    const world = new MonitorWorld();
    world.alarm(1, 'web');
    const { readProcess } = world.store;
    world.store = {
      ...world.store,
      failoverMs,
      readProcess: async (processId) => {
        await world.clock.sleep(10_500);
        return readProcess(processId);
      },
    };
    void world.monitor.tick();
    await world.clock.advance(2000);
    const row = [...world.rows.values()][0];
    assert(row);
    row.alarma = false;
    await world.clock.advance(30_000);
    assert.deepEqual(world.restarts, failoverMs === undefined ? ['web'] : []);
  }
});

test('an attempt that was under way when the daemon died is examined first: healthy is cleared without a restart', async () => {
  for (const healthy of [true, false]) {
    const earlier = new MonitorWorld();
    earlier.alarm(1, 'web', { restartMs: 1_000_000 }, 'down');
    void earlier.monitor.tick();
    await earlier.clock.advance(500);
    assert.equal(earlier.state.journal.list().length, 1);

    const world = new MonitorWorld({}, earlier.state);
    let well = healthy;
    world.alarm(
      1,
      'web',
      {
        health: () => (well ? { kind: 'healthy' } : { kind: 'unhealthy', reason: 'no' }),
        restart: () => {
          well = true;
          return { kind: 'restarted', detail: '' };
        },
      },
      'down',
    );
    await world.poll();
    assert.equal(world.restarts.length, healthy ? 0 : 1);
    assert.equal(world.rows.get('1')?.alarma, false);
    assert.deepEqual(world.state.journal.list(), []);
  }
});

test('a new alarm on a process whose attempt was under way is a new alarm', async () => {
  for (const [notes, digest] of [
    ['hanging', null],
    ['down', 'and more'],
  ] as const) {
    const earlier = new MonitorWorld();
    earlier.alarm(1, 'web', { restartMs: 1_000_000 }, 'down');
    void earlier.monitor.tick();
    await earlier.clock.advance(500);
    const world = new MonitorWorld({}, earlier.state);
    world.alarm(1, 'web', {}, notes, digest);
    await world.poll();
    assert.deepEqual(world.restarts, ['web']);
  }
});

test('an attempt that had ended when the daemon stopped leaves nothing for its next life to judge', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', {
    restart: () => ({ kind: 'failed', reason: 'no' }),
    settings: { maxAttempts: 2, restartDelayMs: 8000 },
  });
  void world.monitor.tick();
  await world.clock.until(() => world.seen('attempt_failed').length === 1);
  assert.equal(world.state.journal.list().length, 1, 'a crash now would be judged');
  world.stopping.abort();
  await world.clock.until(() => world.queue.recovering === 0);
  assert.deepEqual(world.restarts, ['web']);
  assert.deepEqual(world.state.journal.list(), []);
  assert.equal(world.breakers.snapshot('web').failures, 0);
});

test('when the daemon stops, nothing new begins and what is interrupted stays in the journal', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.alarm(1, 'a', { restartMs: 50_000 });
  world.alarm(2, 'b');
  void world.monitor.run(world.stopping.signal);
  await world.clock.advance(100);
  world.stopping.abort();
  await world.clock.advance(100);
  world.abort.abort();
  let idle = false;
  void world.queue.idle().then(() => {
    idle = true;
  });
  await world.clock.until(() => idle);
  assert.deepEqual(world.restarts, ['a']);
  assert.equal(world.state.journal.list().length, 1);
  assert.equal(world.breakers.snapshot('a').failures, 0);
});

test('an order is carried out with no row in alarm, past an open breaker, but not past a hold', async () => {
  const world = new MonitorWorld({ maxRestartFailures: 1 });
  let well = false;
  world.alarm(1, 'web', { health: () => (well ? { kind: 'healthy' } : { kind: 'unhealthy', reason: 'no' }) });
  await world.poll();
  assert.equal(world.breakers.snapshot('web').state, 'open');
  well = true;
  const row = world.rows.get('1');
  assert(row);
  row.alarma = false;
  assert.equal(await world.order('web', [row]), 'recovered');
  assert.equal(world.breakers.snapshot('web').state, 'closed');
  world.holds.set(null, undefined, '');
  assert.equal(await world.order('web', [row]), 'skipped');
});

test('a strategy that waits for somebody else gives its slot away meanwhile', async () => {
  const world = new MonitorWorld({ maxConcurrentRestarts: 1 });
  world.alarm(1, 'slow', {
    restartMs: 0,
    restart: async ({ outsideSlot }) => {
      await outsideSlot?.(() => world.clock.sleep(50_000));
      return { kind: 'restarted', detail: 'systemd did it' };
    },
  });
  world.alarm(2, 'quick');
  await world.poll();
  assert.deepEqual(
    world.seen('alarm_cleared').map(({ process }) => process.processName),
    ['quick', 'slow'],
  );
});
