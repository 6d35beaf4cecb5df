import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceStrategy } from '../../../../../src/strategies/unit/strategy.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { FakeSystemd, type FakeUnitOptions } from '../../../../helpers/fake-systemd.ts';
import { strategyMemory } from '../../../../helpers/memory-state.ts';
import { attemptOn, managed, never, settled, silentLog } from '../../../../helpers/strategy-parts.ts';

const OFF = { unitFileState: 'disabled' };

/** A service strategy for names without a section, unless said. */
function world(units: Record<string, FakeUnitOptions>, hasOwnSection = false) {
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const added = Object.fromEntries(Object.entries(units).map(([name, unit]) => [name, systemd.add(name, unit)]));
  const options = { hasOwnSection, commandTimeoutMs: 60_000, healthCheckTimeoutMs: 5000, stableTimeMs: 1000 };
  const strategy = new ServiceStrategy(options, { services: systemd, clock, log: silentLog, ...strategyMemory() });
  return {
    systemd,
    unit: (name: string) => added[name]!,
    strategy,
    /** The reason of the refusal; it is the same for all who ask, and nothing was done. Empty where it was restarted. */
    refusal: async (name: string): Promise<string> => {
      const process = managed(name);
      const calls = systemd.calls.length;
      const resolution = await settled(clock, strategy.resolve(process, never));
      const { refusals } = await settled(clock, strategy.preview(process, never));
      const outcome = await settled(clock, strategy.restart(attemptOn(process)));
      if (resolution.kind === 'target') {
        assert.deepEqual(refusals, []);
        assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
        return '';
      }
      assert.deepEqual(refusals, [resolution.reason]);
      assert.deepEqual(outcome, { kind: 'failed', reason: resolution.reason });
      assert.equal(systemd.calls.length, calls);
      return resolution.reason;
    },
    restart: (name: string) => settled(clock, strategy.restart(attemptOn(managed(name)))),
    health: (name: string) => settled(clock, strategy.checkHealth(managed(name), 5000, never)),
    also: (name: string) => settled(clock, strategy.alsoStarts(managed(name), never)),
  };
}

test('without a section a unit is named only if it is there: not inactive, or enabled', async () => {
  const target = ['multi-user.target'];
  const units: Record<string, FakeUnitOptions> = {
    'active.service': { state: 'active', relations: OFF },
    'failed.service': { state: 'failed', relations: OFF },
    'enabled.service': { relations: { unitFileState: 'enabled' } },
    'runtime.service': { relations: { unitFileState: 'enabled-runtime' } },
    'sysv.service': { relations: { unitFileState: 'generated', wantedBy: target } },
    'needed.service': { relations: { unitFileState: 'static', requiredBy: target } },
    'triggered.service': { relations: { unitFileState: 'static', triggeredBy: ['a.socket'] } },
    'made@one.service': { relations: { unitFileState: 'enabled', wantedBy: target } },
    'running@two.service': { state: 'active', relations: OFF },
  };
  const { refusal } = world(units);
  for (const name of Object.keys(units)) assert.equal(await refusal(name), '', name);
});

test('without a section what is not there is left alone; with one it is restarted as ever', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'disabled.service': { relations: OFF },
    'static.service': { relations: { unitFileState: 'static' } },
    'linked.service': { relations: { unitFileState: 'linked' } },
    'sysv-off.service': { relations: { unitFileState: 'generated' } },
    'nothing.service': { relations: { unitFileState: '' } },
    // Older systemds say of every instance what its template is.
    'made@up.service': { relations: { unitFileState: 'enabled' } },
  };
  const { refusal } = world(units);
  const own = world(units, true);
  for (const name of Object.keys(units)) {
    assert.equal(
      await refusal(name),
      `${name} is neither active nor enabled; it is restarted only if it has a section of its own`,
    );
    assert.equal(await own.refusal(name), '', name);
  }
});

test('a backslash needs a section, and systemd is not asked for such a name', async () => {
  const name = 'mariadb@x\\x20\\x2d\\x2dbasedir\\x3d-tmp-evil';
  const { refusal, systemd } = world({ [`${name}.service`]: { state: 'active' } });
  assert.match(await refusal(name), /holds a backslash: it is restarted only if it has a section of its own$/);
  assert.equal(systemd.shows, 0);
  assert.equal(await world({ [`${name}.service`]: {} }, true).refusal(name), '');
});

test('nothing that is active is stopped for a name without a section, whichever of the two conflicts, also further on', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'victim.service': { state: 'active' },
    'idle.service': {},
    'rival.service': { relations: { conflicts: ['idle.service', 'victim.service'] } },
    'far.service': { relations: { requires: ['rival.service'] } },
    'wants-far.service': { state: 'failed', relations: { wants: ['far.service'] } },
    'well.service': { relations: { conflicts: ['idle.service', 'shutdown.target'] } },
  };
  const { refusal, unit } = world(units);
  const stopped = 'the start of rival.service would stop victim.service, which is active (Conflicts=)';
  for (const name of ['rival', 'far', 'wants-far'])
    assert.equal(await refusal(name), `${stopped}; it is restarted only if it has a section of its own`, name);
  assert.equal(await refusal('well'), '');
  assert.equal(await world(units, true).refusal('rival'), '');
  unit('victim.service').set({ activeState: 'inactive' });
  assert.equal(await refusal('rival'), '');
});

test('what would do something to the machine at its end needs a section', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'fails.service': { state: 'active', relations: { actions: ['FailureAction=reboot'] } },
    'needs.service': { state: 'active', relations: { requires: ['fails2.service'] } },
    'fails2.service': { relations: { actions: ['SuccessAction=poweroff'] } },
    'on-failure.service': { relations: { startedAtEnd: ['mail@x.service', 'reboot.target'] } },
    'mails.service': { relations: { startedAtEnd: ['mail@x.service'] } },
  };
  const { refusal } = world(units);
  assert.match(await refusal('fails'), /^fails\.service has FailureAction=reboot; /);
  assert.match(
    await refusal('needs'),
    /^fails2\.service has SuccessAction=poweroff \(needs\.service Requires=fails2\.service\); /,
  );
  assert.match(await refusal('on-failure'), /^on-failure\.service has reboot\.target started at its end; /);
  assert.equal(await refusal('mails'), '');
  assert.equal(await world(units, true).refusal('fails'), '');
});

test('what is restarted along is judged as what is restarted, by whichever of the words that does it, also further on', async () => {
  const active = (relations: FakeUnitOptions['relations'] = {}): FakeUnitOptions => ({ state: 'active', relations });
  const units: Record<string, FakeUnitOptions> = {
    'base.service': active({ requiredBy: ['exits.service'] }),
    'exits.service': active({ actions: ['SuccessAction=exit'] }),
    'requisite.service': active({ requisiteOf: ['exits.service'] }),
    'bound.service': active({ boundBy: ['exits.service'] }),
    'whole.service': active({ consistsOf: ['base.service', 'idle.service'] }),
    'at-end.service': active({ consistsOf: ['tells.service'] }),
    'tells.service': active({ startedAtEnd: ['reboot.target'] }),
    'pulls.service': active({ boundBy: ['fetches.service'] }),
    'fetches.service': active({ wants: ['reboots.service'] }),
    'reboots.service': { relations: { actions: ['FailureAction=reboot'] } },
    'stops.service': active({ consistsOf: ['rival.service'] }),
    'rival.service': active({ conflicts: ['victim.service'] }),
    'victim.service': active(),
    'idle.service': { relations: { actions: ['SuccessAction=exit'] } },
    'starting.service': active({ consistsOf: ['comes.service'] }),
    'comes.service': { relations: { actions: ['SuccessAction=exit'] } },
    'well.service': active({ consistsOf: ['idle.service', 'victim.service'] }),
  };
  const { refusal, unit } = world(units);
  unit('comes.service').set({ activeState: 'activating' });
  const along = (unit: string, by: string): string => `${unit} is restarted with ${by}`;
  const exits = (by: string): string => `exits.service has SuccessAction=exit (${along('exits.service', by)})`;
  const reasons = {
    base: exits('base.service'),
    requisite: exits('requisite.service'),
    bound: exits('bound.service'),
    whole: `exits.service has SuccessAction=exit (${along('base.service', 'whole.service')}, ${along('exits.service', 'base.service')})`,
    'at-end': `tells.service has reboot.target started at its end (${along('tells.service', 'at-end.service')})`,
    pulls: `reboots.service has FailureAction=reboot (${along('fetches.service', 'pulls.service')}, fetches.service Wants=reboots.service)`,
    stops: 'the start of rival.service would stop victim.service, which is active (Conflicts=)',
    starting: `comes.service has SuccessAction=exit (${along('comes.service', 'starting.service')})`,
  };
  for (const [name, reason] of Object.entries(reasons))
    assert.equal(await refusal(name), `${reason}; it is restarted only if it has a section of its own`, name);
  assert.equal(await refusal('well'), '');
  // A start restarts nothing.
  unit('base.service').set({ activeState: 'inactive' });
  assert.equal(await refusal('base'), '');
});

test('what a restart stops by PropagatesStopTo= is judged as by Conflicts=, unless it is restarted', async () => {
  const { refusal, unit } = world({
    'one.service': { state: 'active', relations: { stopsToo: ['other.service', 'idle.service'] } },
    'both.service': { state: 'active', relations: { stopsToo: ['other.service'], consistsOf: ['other.service'] } },
    'other.service': { state: 'active' },
    'idle.service': {},
  });
  const reason = 'the restart of one.service would stop other.service, which is active (PropagatesStopTo=)';
  assert.equal(await refusal('one'), `${reason}; it is restarted only if it has a section of its own`);
  assert.equal(await refusal('both'), '');
  unit('one.service').set({ activeState: 'inactive' });
  assert.equal(await refusal('one'), '');
});

test('what is started at its end is judged for what that does to the machine, and by whatever it starts', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'suspends.service': { state: 'active', relations: { startedAtEnd: ['bridge.service'] } },
    'bridge.service': { relations: { wants: ['suspend.target'] } },
    'suspend.target': {},
    'wants.service': { relations: { wants: ['suspend.target'] } },
    // It stands in for the first, and both cannot run.
    'first.service': { state: 'active', relations: { startedAtEnd: ['second.service'] } },
    'second.service': { relations: { conflicts: ['first.service'] } },
  };
  const { refusal, also } = world(units);
  const changes = 'suspend.target changes the state of the whole machine';
  assert.equal(
    await refusal('suspends'),
    `${changes} (bridge.service is started at the end of suspends.service, bridge.service Wants=suspend.target); it is restarted only if it has a section of its own`,
  );
  assert.match(await refusal('wants'), new RegExp(`^${changes} \\(wants\\.service Wants=suspend\\.target\\); `));
  assert.equal(await refusal('first'), '');
  assert.deepEqual(await also('first'), { kind: 'known', units: [] });
});

test('a start that concerns more units than are looked at is refused; a circle has an end', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `u${i}.service`);
  const units: Record<string, FakeUnitOptions> = {
    ...Object.fromEntries(many.map((name, i) => [name, { relations: { requires: [many[i + 1] ?? 'end.service'] } }])),
    'many.service': { relations: { requires: ['u0.service'] } },
    'a.service': { relations: { requires: ['b.service'], wants: ['a.service'] } },
    'b.service': { relations: { bindsTo: ['a.service'] } },
  };
  const { refusal, systemd, also } = world(units);
  assert.match(await refusal('many'), /its start concerns more than 256 units/);
  const before = systemd.shows;
  assert.equal((await also('many')).kind, 'unknown');
  assert.ok(systemd.shows - before < 300, `${systemd.shows - before}`);
  assert.equal(await refusal('a'), '');
});

test('if systemd does not answer nothing is started', async () => {
  const { strategy, systemd, restart, also } = world({ 'app.service': { state: 'failed' } });
  systemd.relations = async () => ({ kind: 'failed', reason: 'no answer' });
  assert.deepEqual(await restart('app'), { kind: 'failed', reason: 'not started: no answer' });
  assert.deepEqual(await strategy.preview(managed('app'), never), {
    stops: [],
    starts: [],
    refusals: ['systemd does not say what app.service is: no answer'],
  });
  assert.deepEqual(await also('app'), { kind: 'unknown', reason: 'systemd does not say what app.service is: no answer' });
  assert.deepEqual(systemd.calls, []);
});

test('what we have stopped ourselves we start, though it is not enabled', async () => {
  const { restart, unit, systemd } = world({ 'app.service': { state: 'active', relations: OFF } });
  const { call } = systemd;
  systemd.call = async () => {
    unit('app.service').set({ activeState: 'inactive', subState: 'dead' });
    return { kind: 'failed', reason: 'a unit that it needs could not be started' };
  };
  assert.equal((await restart('app')).kind, 'failed');
  systemd.call = call;
  assert.equal((await restart('app')).kind, 'restarted');
  unit('app.service').set({ activeState: 'inactive', subState: 'dead' });
  assert.match(((await restart('app')) as { reason: string }).reason, /neither active nor enabled/);
});

test('a one-shot that was healed and is at rest is judged by its health as ever', async () => {
  const { restart, health } = world({ 'job.service': { type: 'oneshot', state: 'failed', relations: OFF } });
  assert.equal((await restart('job')).kind, 'restarted');
  assert.deepEqual(await health('job'), { kind: 'healthy' });
});

test('what a start brings along: all that is down, through any number of units that are down', async () => {
  const { also } = world({
    'front.service': {
      relations: { requires: ['mid.service', 'up.service'], wants: ['nice.service', 'mid.service'], upholds: ['held.service'] },
    },
    'mid.service': { relations: { bindsTo: ['base.service'], wants: ['extra.service'] } },
    'base.service': { state: 'failed' },
    'up.service': { state: 'active', relations: { requires: ['behind.service'] } },
    'behind.service': {},
    'nice.service': { relations: { wants: ['nicer.service'], requires: ['must.service'] } },
    'nicer.service': {},
    'must.service': {},
    'held.service': {},
    'extra.service': {},
  });
  const starts = await also('front');
  assert.ok(starts.kind === 'known');
  assert.ok(starts.units.every(({ verb }) => verb === 'start'));
  assert.deepEqual(Object.fromEntries(starts.units.map(({ key, isOnlyWanted, way }) => [key, [isOnlyWanted, way]])), {
    mid: [false, 'front.service Requires=mid.service'],
    held: [false, 'front.service Upholds=held.service'],
    nice: [true, 'front.service Wants=nice.service'],
    base: [false, 'front.service Requires=mid.service, mid.service BindsTo=base.service'],
    extra: [false, 'front.service Requires=mid.service, mid.service Wants=extra.service'],
    nicer: [true, 'front.service Wants=nice.service, nice.service Wants=nicer.service'],
    must: [false, 'front.service Wants=nice.service, nice.service Requires=must.service'],
  });
});

test('a restart restarts what needs it, and that starts what it needs in its turn', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'base.service': { state: 'active', relations: { requiredBy: ['front.service', 'down.service'] } },
    'front.service': { state: 'active', relations: { requires: ['base.service', 'other.service'] } },
    'down.service': { relations: { requires: ['base.service', 'third.service'] } },
    'other.service': {},
    'third.service': {},
  };
  const { also, unit } = world(units);
  assert.deepEqual(await also('base'), {
    kind: 'known',
    units: [
      { key: 'front', verb: 'restart', isOnlyWanted: false, way: 'front.service is restarted with base.service' },
      {
        key: 'other',
        verb: 'start',
        isOnlyWanted: false,
        way: 'front.service is restarted with base.service, front.service Requires=other.service',
      },
    ],
  });
  unit('base.service').set({ activeState: 'inactive' });
  assert.deepEqual(await also('base'), { kind: 'known', units: [] });
});

test('services that are up and would be stopped are reported, also for what is only wanted; no other units, and nothing at rest', async () => {
  const { also, unit } = world({
    'one.service': {
      state: 'failed',
      relations: { conflicts: ['rival.service', 'idle.service', 'shutdown.target'], wants: ['nice.service'] },
    },
    'rival.service': { state: 'active' },
    'idle.service': {},
    'shutdown.target': { state: 'active' },
    // Nobody is told that the first one stops itself.
    'nice.service': { relations: { conflicts: ['starting.service', 'one.service'] } },
    'starting.service': {},
    'whole.service': {
      state: 'active',
      relations: { stopsToo: ['rival.service', 'part.service'], consistsOf: ['part.service'] },
    },
    'part.service': { state: 'active' },
  });
  unit('starting.service').set({ activeState: 'activating' });
  const stop = (key: string, way: string) => ({ key, verb: 'stop', isOnlyWanted: false, way });
  const wanted = 'one.service Wants=nice.service';
  assert.deepEqual(await also('one'), {
    kind: 'known',
    units: [
      { key: 'nice', verb: 'start', isOnlyWanted: true, way: wanted },
      stop('rival', 'the start of one.service stops rival.service by Conflicts='),
      stop('starting', `${wanted}, the start of nice.service stops starting.service by Conflicts=`),
    ],
  });
  assert.deepEqual(await also('whole'), {
    kind: 'known',
    units: [
      { key: 'part', verb: 'restart', isOnlyWanted: false, way: 'part.service is restarted with whole.service' },
      stop('rival', 'the restart of whole.service stops rival.service by PropagatesStopTo='),
    ],
  });
  // A start of what is down passes no stop on.
  unit('whole.service').set({ activeState: 'inactive' });
  assert.deepEqual(await also('whole'), { kind: 'known', units: [] });
});

test('what would be stopped is not known if systemd does not say it, or if it is too much', async () => {
  const rivals = Array.from({ length: 300 }, (_, i) => `u${i}.service`);
  const { also, systemd } = world({
    'one.service': { relations: { conflicts: ['rival.service'] } },
    'many.service': { relations: { conflicts: rivals } },
  });
  const { show } = systemd;
  systemd.show = async (unit, signal) =>
    unit === 'rival.service' ? { kind: 'failed', reason: 'no answer' } : show.call(systemd, unit, signal);
  assert.deepEqual(await also('one'), { kind: 'unknown', reason: 'systemd does not say what rival.service is: no answer' });
  assert.deepEqual(await also('many'), { kind: 'unknown', reason: 'its start would stop more than 256 units' });
});
