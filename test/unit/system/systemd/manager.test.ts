import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pid1Link } from '../../../../src/system/systemd/link.ts';
import type { Systemd } from '../../../../src/system/systemd/manager.ts';
import { readProperties } from '../../../../src/system/systemd/properties.ts';
import type { UnitStatus } from '../../../../src/system/systemd/service-manager.ts';
import { FakePid1 } from '../../../helpers/pid1/fake-pid1.ts';
import type { FakeUnit } from '../../../helpers/pid1/fake-unit.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const never = new AbortController().signal;
const LONG_MS = 30_000;

function reasonOf(shown: Awaited<ReturnType<Systemd['show']>>): string {
  return shown.kind === 'failed' ? shown.reason : assert.fail('it was shown');
}

test('a running service, a name that is not a unit, and one that nobody knows', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  const { mainPid } = fake.add('a.service', { state: 'active' });
  fake.add('a.target', { state: 'active' });
  const running = await systemd.show('a.service', never);
  assert.ok(running.kind === 'status');
  assert.ok(running.status.changedMs > 0);
  assert.deepEqual(running, {
    kind: 'status',
    status: {
      changedMs: running.status.changedMs,
      remainsAfterExit: false,
      id: 'a.service',
      loadState: 'loaded',
      activeState: 'active',
      subState: 'running',
      result: 'success',
      mainPid,
      type: 'simple',
      controlGroup: '/system.slice/a.service',
      hasJob: false,
      endedByStop: false,
    },
  });
  const shown = await systemd.show('a.target', never);
  assert.ok(shown.kind === 'status');
  const { activeState, result, mainPid: none, type, controlGroup, endedByStop } = shown.status;
  assert.deepEqual([activeState, result, none, type, controlGroup, endedByStop], ['active', '', 0, '', '', false]);
  const unknown = await systemd.show('no.service', never);
  assert.ok(unknown.kind === 'status');
  assert.equal(unknown.status.loadState, 'not-found');
  assert.equal(unknown.status.activeState, 'inactive');
});

test('how a unit stands to others; what an older systemd does not know is empty', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', {
    lists: {
      Requires: ['b.service'],
      Wants: ['c.service', 'd.target'],
      Conflicts: ['shutdown.target'],
      ConflictedBy: ['e.service', 'shutdown.target'],
      OnFailure: ['mail@a.service'],
      RequisiteOf: ['f.service'],
      PropagatesStopTo: ['g.service'],
    },
    words: {
      UnitFileState: 'enabled',
      FailureAction: 'reboot',
      SuccessAction: 'none',
      OnSuccessJobMode: 'fail',
      OnFailureJobMode: 'isolate',
    },
  });
  assert.deepEqual(await systemd.relations('a.service', never), {
    kind: 'known',
    relations: {
      unitFileState: 'enabled',
      requires: ['b.service'],
      bindsTo: [],
      upholds: [],
      wants: ['c.service', 'd.target'],
      requiredBy: [],
      wantedBy: [],
      triggeredBy: [],
      requisiteOf: ['f.service'],
      boundBy: [],
      consistsOf: [],
      stopsToo: ['g.service'],
      conflicts: ['shutdown.target', 'e.service'],
      startedAtEnd: ['mail@a.service'],
      actions: ['FailureAction=reboot', 'OnFailureJobMode=isolate'],
    },
  });
  const said = 'systemd did not report how the unit is related to others';
  fake.refuse('Get', ['org.freedesktop.DBus.Error.UnknownProperty', 'Unknown']);
  assert.deepEqual(await systemd.relations('a.service', never), { kind: 'failed', reason: said });
});

test('what a service executes, and as whom; another kind of unit executes nothing', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { executes: ['/usr/sbin/a', '-f', '$OPTIONS'], user: 'a' });
  fake.add('b.service');
  fake.add('a.target');
  const program = async (unit: string) => {
    const asked = await systemd.program(unit, never);
    if (asked.kind === 'failed') return assert.fail(asked.reason);
    const { path, argv, user } = asked.program;
    return { path, argv, user };
  };
  assert.deepEqual(await program('a.service'), { path: '/usr/sbin/a', argv: ['/usr/sbin/a', '-f', '$OPTIONS'], user: 'a' });
  for (const unit of ['b.service', 'a.target', 'no.service'])
    assert.deepEqual(await program(unit), { path: '', argv: [], user: '' }, unit);
});

test('a unit with a job, and whether a stop or itself has ended its process', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active', plan: () => ({ held: true }) });
  const stopping = systemd.call('stop', 'a.service', LONG_MS, never);
  await waitFor('a job', () => fake.unit('a.service')?.job);
  const during = await systemd.show('a.service', never);
  assert.ok(during.kind === 'status' && during.status.hasJob && during.status.activeState === 'deactivating');
  // What it ends with while it stops was the stop's doing.
  fake.change('a.service', (unit) => unit.end(2, 15));
  const stopped = await systemd.show('a.service', never);
  assert.ok(stopped.kind === 'status' && stopped.status.endedByStop);
  fake.finish('a.service');
  assert.deepEqual(await stopping, { kind: 'done' });
  fake.add('b.service', { state: 'active' });
  fake.change('b.service', (unit) => {
    unit.end(1, 3);
    unit.enter('failed', 'failed');
  });
  const crashed = await systemd.show('b.service', never);
  assert.ok(crashed.kind === 'status' && !crashed.status.endedByStop && crashed.status.result === 'exit-code');
});

test('a link that is lost meanwhile: it is asked again', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active' });
  let cuts = 0;
  fake.intercept = ({ member }) => {
    if (member !== 'Get' || fake.calls.length % 7 !== 0 || cuts === 2) return false;
    cuts++;
    fake.cut({ inMessage: cuts === 2 });
    return false;
  };
  const shown = await systemd.show('a.service', never);
  assert.ok(shown.kind === 'status' && shown.status.activeState === 'active');
  assert.equal(cuts, 2);
  // But not for ever.
  fake.intercept = ({ member }) => {
    if (member === 'Get') fake.cut();
    return false;
  };
  assert.equal(
    reasonOf(await systemd.show('a.service', never)),
    'the connection to systemd was lost: it was closed by the other side',
  );
});

test('a refusal, nonsense, and an abort, each in one line', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active' });
  fake.refuse('Get', ['org.freedesktop.DBus.Error.AccessDenied', 'Access\ndenied']);
  assert.equal(reasonOf(await systemd.show('a.service', never)), 'Access denied');
  fake.refuse('Get', undefined);
  fake.intercept = (call) => {
    if (call.member === 'Get') fake.reply(call, 's', ['no variant']);
    return call.member === 'Get';
  };
  assert.equal(reasonOf(await systemd.show('a.service', never)), 'systemd sent an unexpected answer');
  fake.intercept = () => false;
  fake.refuse('Get', ['org.freedesktop.DBus.Error.UnknownProperty', 'Unknown']);
  assert.equal(reasonOf(await systemd.show('a.service', never)), 'systemd did not report the state of the unit');
  fake.refuse('Get', undefined);
  fake.hush();
  const abort = new AbortController();
  const showing = systemd.show('a.service', abort.signal);
  setTimeout(() => abort.abort(), 30);
  assert.equal(reasonOf(await showing), 'aborted');
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  assert.equal(reasonOf(await systemd.show('a.service', abort.signal)), 'aborted');
});

test('many at once are all answered', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active' });
  const shown = await Promise.all(Array.from({ length: 200 }, () => systemd.show('a.service', never)));
  assert.ok(shown.every(({ kind }) => kind === 'status'));
  assert.equal(fake.connections.ever, 1);
});

test('what is shown stood together at one moment, however the unit changes between the questions', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active' });
  /** The lives that it has had, as far as they are shown. */
  const stood = new Set<string>();
  const note = (unit: FakeUnit): void => {
    const { activeState, subState, result, mainPid } = unit;
    stood.add(JSON.stringify([activeState, subState, result, mainPid]));
  };
  let pid = 100;
  const changes: readonly ((unit: FakeUnit) => void)[] = [
    (unit) => {
      unit.begin(++pid);
    },
    (unit) => {
      unit.end(1, 3);
      unit.enter('failed', 'failed');
    },
    (unit) => {
      unit.end(1, 3);
      unit.enter('activating', 'auto-restart');
    },
    (unit) => {
      unit.begin(++pid, 'activating');
    },
  ];
  const plan = fc.array(fc.record({ after: fc.integer({ min: 1, max: 20 }), change: fc.nat(changes.length - 1) }), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(plan, async (planned) => {
      const unit = fake.unit('a.service') ?? assert.fail('it is not loaded');
      let wait = planned[0]?.after ?? 0;
      let at = 0;
      note(unit);
      fake.intercept = ({ member }) => {
        const next = planned[at];
        if (member !== 'Get' || next === undefined || --wait > 0) return false;
        changes[next.change]?.(unit);
        note(unit);
        at++;
        wait = planned[at]?.after ?? 0;
        return false;
      };
      const shown = await systemd.show('a.service', never);
      assert.ok(shown.kind === 'status');
      const { activeState, subState, result, mainPid } = shown.status;
      const seen = JSON.stringify([activeState, subState, result, mainPid]);
      assert.ok(stood.has(seen), `${seen} of ${[...stood].join(' ')}`);
      assert.deepEqual([activeState, mainPid], [unit.activeState, unit.mainPid]);
      fake.intercept = () => false;
    }),
    { numRuns: 300 },
  );
});

test('a unit that never stands still is reported as it was read last', async (t) => {
  const fake = FakePid1.open(t);
  const unit = fake.add('a.service', { state: 'active' });
  fake.intercept = ({ member }) => {
    if (member === 'Get') unit.enter('active', 'running');
    return false;
  };
  const shown = await fake.systemd().show('a.service', never);
  assert.ok(shown.kind === 'status' && shown.status.activeState === 'active');
});

test('properties that do not exist are absent', async (t) => {
  const fake = FakePid1.open(t);
  fake.add('a.service', { state: 'active' });
  const names = { Unit: ['ActiveState', 'Nonsense'], Service: ['Result', 'Other'] };
  const read = (link: Pid1Link) => readProperties(link, 'a.service', names, { timeoutMs: LONG_MS });
  const spoken = await fake.pid1().withLink({ timeoutMs: LONG_MS }, read);
  assert.ok(spoken.kind === 'reached' && spoken.value.kind === 'known');
  assert.deepEqual([...spoken.value.values].sort(), [
    ['ActiveState', 'active'],
    ['Result', 'success'],
    // Read for our own sake.
    ...[...spoken.value.values].filter(([name]) => name === 'StateChangeTimestampMonotonic'),
  ]);
});

test('reset-failed', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { plan: () => ({ result: 'failed' }) });
  assert.equal((await systemd.call('start', 'a.service', LONG_MS, never)).kind, 'failed');
  assert.equal(fake.unit('a.service')?.activeState, 'failed');
  assert.deepEqual(await systemd.call('reset-failed', 'a.service', LONG_MS, never), { kind: 'done' });
  assert.equal(fake.unit('a.service'), undefined);
  assert.deepEqual(await systemd.call('reset-failed', 'a.service', LONG_MS, never), {
    kind: 'failed',
    reason: 'Unit a.service not loaded.',
  });
  await fake.fallSilent();
  assert.deepEqual(await systemd.call('reset-failed', 'a.service', 50, never), {
    kind: 'failed',
    reason: 'systemd does not answer',
  });
});

test('by which ways systemd is contacted, and how its changes arrive', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  const contact = (): unknown[] => {
    const { connection, problem, units } = systemd.contact() ?? assert.fail();
    return [connection, problem, units];
  };
  assert.deepEqual(contact(), [null, null, null]);
  await systemd.show('a.service', never);
  assert.deepEqual(contact(), ['private', null, null]);
  const stop = systemd.watch('a.service', () => {});
  await waitFor('the bus', () => systemd.contact()?.units === 'bus');
  fake.bus?.stop();
  await waitFor('the bus to be away', () => systemd.contact()?.units === 'looks');
  stop();
  await waitFor('nobody to watch', () => systemd.contact()?.units === null);
});

test('many shows while PID 1 re-executes itself again and again', async (t) => {
  const fake = FakePid1.open(t);
  const systemd = fake.systemd();
  fake.add('a.service', { state: 'active' });
  let rounds = 0;
  const answered: UnitStatus[] = [];
  while (rounds < 5) {
    const showing = systemd.show('a.service', never);
    fake.goAway();
    setImmediate(() => fake.comeBack());
    const shown = await showing;
    if (shown.kind === 'status') answered.push(shown.status);
    rounds++;
  }
  assert.equal(answered.length, 5);
  assert.ok(answered.every(({ activeState }) => activeState === 'active'));
});
