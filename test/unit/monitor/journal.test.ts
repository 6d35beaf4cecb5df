import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryOf } from '../../helpers/journal-entry.ts';
import { memoryState } from '../../helpers/memory-state.ts';
import { type FakeProcess, MonitorWorld } from '../../helpers/monitor-world.ts';

/** The next life of a daemon that died 60 s ago, during an attempt for two rows of the program web; one of them depends on `first`. */
function afterCrash(web: FakeProcess): MonitorWorld {
  const world = new MonitorWorld();
  const died = new Date(world.clock.date().getTime() - 60_000);
  const alarms = ['1', '2'].map((id) => ({
    ...{ source: 'store' as const, key: `row ${id}`, processName: `web ${id}`, notes: null, notesDigest: null },
  }));
  world.state.journal.begin({ ...entryOf('web'), alarms, startedAt: died });
  const next = new MonitorWorld({}, world.state);
  next.alarm(1, 'web 1', { ...web, target: 'web' });
  next.alarm(2, 'web 2', { ...web, target: 'web', settings: { dependsOn: ['first'] } });
  next.alarm(3, 'first', { restartMs: 20_000 });
  return next;
}

test('what runs since before an interrupted attempt was not restarted by it, however well it looks', async () => {
  const ended = async () => undefined;
  const older = afterCrash({ life: () => ({ ageMs: 0, upForMs: 60_500, ended }) });
  await older.poll();
  assert.deepEqual(older.restarts.toSorted(), ['first', 'web 1', 'web 2']);

  for (const life of [{ ageMs: 0, upForMs: 59_500, ended }, { ageMs: 90_000, ended }, undefined]) {
    const world = afterCrash({ life: () => life });
    await world.poll();
    await world.poll();
    assert.deepEqual(world.restarts, ['first'], JSON.stringify(life));
    assert.deepEqual(
      [...world.rows.values()].map(({ alarma }) => alarma),
      [false, false, false],
    );
    assert.deepEqual(world.state.journal.list(), []);
    assert.deepEqual(world.state.handled.list(), []);
  }
});

for (const [what, health] of [
  ['heals nothing', { kind: 'unhealthy', reason: 'not well' }],
  ['has no health check', { kind: 'assumed' }],
] as const)
  test(`an attempt that ends the daemon itself and ${what} opens the breaker in the end`, async () => {
    const state = memoryState();
    const restarts: number[] = [];
    let world = new MonitorWorld({}, state);
    for (let life = 1; life <= 5; life++) {
      world = new MonitorWorld({ maxRestartFailures: 3 }, state);
      world.alarm(1, 'web', { health: () => health, restart: () => new Promise(() => {}) });
      void world.monitor.tick();
      await world.clock.until(() => world.restarts.length > 0 || world.skipReason('row 1') !== undefined);
      restarts.push(world.restarts.length);
    }
    assert.deepEqual(restarts, [1, 1, 1, 0, 0]);
    assert.equal(world.skipReason('row 1'), 'circuit breaker open');
    assert.equal(world.rows.get('1')?.alarma, true);
  });

test('a pre_restart_command is written down before it starts, too', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { settings: { preRestartCommand: 'check' } });
  let entries: string[] = [];
  world.commandResult = ({ runId }) => {
    entries = world.state.journal.list().map((entry) => entry.runId);
    assert.deepEqual(entries, [runId]);
    return { kind: 'exited', exitCode: 1, output: '' };
  };
  await world.poll();
  assert.equal(entries.length, 1);
  assert.deepEqual(world.state.journal.list(), []);
});

test('the entry of an earlier life is removed when its run has ended, also if the target has changed, or the breaker is open', async () => {
  const alarms = [{ source: 'store' as const, key: 'row 1', processName: 'web', notes: 'old', notesDigest: null }];
  const moved = memoryState();
  moved.journal.begin({ ...entryOf('old-target'), alarms });
  const world = new MonitorWorld({}, moved);
  world.alarm(1, 'web');
  await world.poll();
  assert.deepEqual(moved.journal.list(), []);

  const refused = memoryState();
  refused.journal.begin({ ...entryOf('web'), alarms });
  refused.breakers.save('web', 'web', { state: 'open', failures: 3, reopenAtMs: 9_000_000, successesMs: [], exitsMs: [] });
  const skipping = new MonitorWorld({}, refused);
  skipping.alarm(1, 'web');
  await skipping.poll();
  assert.deepEqual(skipping.restarts, []);
  assert.deepEqual(refused.journal.list(), []);
});
