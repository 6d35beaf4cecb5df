import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTimestamp } from '../../../src/core/clock.ts';
import type { AlsoStarted } from '../../../src/strategies/strategy.ts';
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
  assert.equal(world.rows.get('1')?.alarma, true);
  assert.equal(world.skipReason('row 1'), 'on hold through www: upgrade');
  assert.equal(world.log('warning').match(/RESTART LOG: web not restarted: on hold through www: upgrade$/gm)?.length, 1);
  await world.clock.advance(60_001);
  await world.poll();
  assert.deepEqual(world.restarts, ['other', 'web']);
  assert.match(world.log('info'), /Hold expired for www/);
});

test('the log says when a hold ends in local time', async () => {
  const world = new MonitorWorld();
  const { until } = world.holds.set('www', 3_600_000, 'upgrade');
  assert.ok(until);
  assert.match(world.log('warning'), new RegExp(`Hold set for www, until ${localTimestamp(until)}: upgrade$`, 'm'));
});

test('a hold on all is reported as such, and so is one on the own name', async () => {
  const world = worldWithHold();
  world.holds.set(null, undefined, '');
  await world.poll();
  assert.equal(world.skipReason('row 1'), 'on hold');
  world.holds.set('web', undefined, 'mine');
  await world.poll();
  assert.equal(world.skipReason('row 1'), 'on hold: mine');
});

test('neither an order nor mode = observe looks past a hold on another name of the target', async () => {
  for (const mode of ['act', 'observe'] as const) {
    const world = worldWithHold();
    world.settings = { ...world.settings, mode };
    await world.poll();
    assert.equal(world.skipReason('row 1'), 'on hold through www: upgrade');
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

const NEEDED: AlsoStarted = {
  key: 'base-db',
  verb: 'start',
  isOnlyWanted: false,
  way: 'front.service Requires=base-db.service',
};
const WANTED: AlsoStarted = { ...NEEDED, isOnlyWanted: true, way: 'front.service Wants=base-db.service' };
const RESTARTED: AlsoStarted = { ...NEEDED, verb: 'restart', way: 'base-db.service is restarted with front.service' };
const STOPPED: AlsoStarted = {
  ...NEEDED,
  verb: 'stop',
  way: 'the start of front.service stops base-db.service by Conflicts=',
};

/** `front` in alarm, whose restart does that to `base-db` too. */
function worldWithFront(units: AlsoStarted | readonly AlsoStarted[], how: FakeProcess = {}): MonitorWorld {
  const world = new MonitorWorld();
  world.alarm(1, 'front', { ...how, also: () => ({ kind: 'known', units: [units].flat() }) });
  return world;
}

test('what is on hold is not started through another that needs it; nothing is done before that is known', async () => {
  const world = worldWithFront(NEEDED, { settings: { preRestartCommand: 'true' } });
  world.holds.set('base-db', 60_000, 'moving');
  await world.poll();
  await world.poll();
  assert.deepEqual([world.restarts, world.commandsRun], [[], []]);
  const reason = 'that would start base-db, which is on hold (front.service Requires=base-db.service): moving';
  assert.equal(world.skipReason('row 1'), reason);
  assert.equal(world.log('warning').split(`front not restarted: ${reason}`).length, 2, 'told once');
  assert.equal(await world.order('front'), 'skipped');
  assert.equal(world.breakers.snapshot('front').failures, 0);
  await world.clock.advance(60_001);
  await world.poll();
  assert.deepEqual(world.restarts, ['front']);
});

test('what is only wanted may be started, and that is reported, unless the hold is strict', async () => {
  const world = worldWithFront(WANTED);
  world.holds.set('base-db', undefined, '');
  await world.poll();
  assert.deepEqual(world.restarts, ['front']);
  assert.match(
    world.log('warning'),
    /RESTART LOG: Restarting front: that would start base-db, which is on hold \(front\.service Wants=base-db\.service\)$/m,
  );
  world.holds.set('base-db', undefined, '', true);
  world.alarm(1, 'front');
  world.processes.set('front', { also: () => ({ kind: 'known', units: [WANTED] }) });
  await world.poll();
  assert.deepEqual(world.restarts, ['front']);
  assert.match(world.skipReason('row 1') ?? '', /^that would start base-db, which is on hold/);
});

test('what is on hold and up is neither restarted nor stopped through another unit, strict or not', async () => {
  for (const unit of [RESTARTED, STOPPED])
    for (const strict of [false, true]) {
      const world = worldWithFront(unit);
      world.holds.set('base-db', 60_000, 'moving', strict);
      await world.poll();
      assert.deepEqual(world.restarts, []);
      const reason = `that would ${unit.verb} base-db, which is on hold (${unit.way}): moving`;
      assert.equal(world.skipReason('row 1'), reason);
      assert.equal(await world.order('front'), 'skipped');
      await world.clock.advance(60_001);
      await world.poll();
      assert.deepEqual(world.restarts, ['front']);
    }
});

test('what is wanted, and restarted as well, is not restarted', async () => {
  const world = worldWithFront([WANTED, RESTARTED]);
  world.holds.set('base-db', undefined, '');
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.match(world.skipReason('row 1') ?? '', /^that would restart base-db, which is on hold/);
});

test('a held name counts by what it stands for, even if it would itself be refused', async () => {
  const world = worldWithFront(NEEDED);
  world.processes.set('db', { refused: 'neither active nor enabled', meaning: { kind: 'target', key: 'base-db' } });
  world.alarm(2, 'other', { target: 'base-db' });
  world.holds.set('db', undefined, '');
  await world.poll();
  assert.deepEqual(world.restarts, []);
  assert.match(world.skipReason('row 1') ?? '', /^that would start db, which is on hold/);
  assert.equal(world.skipReason('row 2'), 'on hold through db');
});

test('if it is not known what a hold or a restart concerns, nothing is restarted', async () => {
  const world = worldWithFront(NEEDED);
  world.processes.set('db', { meaning: { kind: 'unknown', reason: 'systemd does not answer' } });
  world.holds.set('db', undefined, '');
  await world.poll();
  assert.equal(world.skipReason('row 1'), 'it is not known whether the hold on db applies to it too: systemd does not answer');
  world.holds.release('db');
  world.holds.set('idle', undefined, '');
  world.processes.set('front', { also: () => ({ kind: 'unknown', reason: 'systemd does not answer' }) });
  await world.poll();
  assert.match(world.skipReason('row 1') ?? '', /^it is not known whether that would start something on hold: systemd/);
  assert.deepEqual(world.restarts, []);
});

test('without a hold, systemd is not asked what a restart starts too; for the process’s own hold it is not asked either', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'front', { also: () => assert.fail('not asked') });
  await world.poll();
  assert.deepEqual(world.restarts, ['front']);
});

test('a restart that waits learns of a hold, a cleared alarm or mode = observe, and ends because of it', async () => {
  for (const [what, expected] of [
    [(world: MonitorWorld) => void world.holds.set('web', 60_000, 'moving'), 'on hold: moving'],
    [
      (world: MonitorWorld) => void Object.assign(world, { settings: { ...world.settings, mode: 'observe' } }),
      'mode = observe',
    ],
    [(world: MonitorWorld) => void Object.assign(world.rows.get('1') ?? {}, { alarma: false }), undefined],
  ] as const) {
    const world = new MonitorWorld();
    let was: boolean | undefined;
    world.alarm(1, 'web', {
      restart: async ({ isUnwanted }) => {
        was = await isUnwanted?.();
        what(world);
        return (await isUnwanted?.())
          ? { kind: 'failed', reason: 'no longer wanted: its alarm has ended, or it is on hold' }
          : { kind: 'restarted', detail: '' };
      },
    });
    await world.poll();
    assert.equal(was, false);
    assert.equal(world.skipReason('row 1'), expected);
    assert.deepEqual(world.seen('recovery_failed'), []);
    assert.equal(world.breakers.snapshot('web').failures, 0);
  }
});
