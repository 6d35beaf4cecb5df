import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Variant } from '../../../../src/system/systemd/dbus/values.ts';
import { Pid1Link } from '../../../../src/system/systemd/link.ts';
import { isOver, TransientFollower, type TransientState } from '../../../../src/system/systemd/transient-follower.ts';
import { startTransient, type TransientStart } from '../../../../src/system/systemd/transient-unit.ts';
import { unitPath } from '../../../../src/system/systemd/unit/name.ts';
import { FakePid1, type FakePid1Options } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const LONG = { timeoutMs: 30_000 };
const UNIT = 'a.service';
const nothing: TransientState = { activeState: '', result: '', mainPid: 0, code: 0, status: 0, invocation: '' };

for (const version of [239, 252]) {
  test(`systemd ${version}: nothing is wanted of it that it does not know`, async (t) => {
    const { fake, link } = await linked(t, { version });
    fake.onProgram = (program) => program.exit(0);
    const properties = {
      collectMode: 'inactive-or-failed',
      killMode: 'process',
      remainAfterExit: true,
      runtimeMaxMs: 1000,
      timeoutStopMs: 1,
      syslogIdentifier: 'a',
    } as const;
    assert.deepEqual(await start(link, { properties, stopPost: ['/bin/true'] }), { kind: 'started' });
  });
}

test('an older systemd refuses what it does not know, and one that has it says so', async (t) => {
  const { link } = await linked(t, { version: 239 });
  const refused = async (name: string, signature: string, value: string) =>
    await link.call(
      {
        member: 'StartTransientUnit',
        signature: 'ssa(sv)a(sa(sv))',
        values: [UNIT, 'fail', [[name, new Variant(signature, value)]], []],
      },
      LONG,
    );
  assert.deepEqual(await refused('OOMPolicy', 's', 'continue'), {
    kind: 'error',
    name: 'org.freedesktop.DBus.Error.PropertyReadOnly',
    message: 'Cannot set property OOMPolicy, or unknown property.',
  });
  assert.equal((await refused('Type', 's', 'exec')).kind, 'error');
});

test('a program, its arguments and the limits, as systemd wants them', async (t) => {
  const { fake, link } = await linked(t);
  let argv: readonly string[] = [];
  fake.onProgram = (program) => {
    argv = program.argv;
    program.exit(0);
  };
  const wanted = ['/bin/x', '$HOME', `\${A}`, '$$', '%n', 'a b', '"\n\t\'', ''];
  await start(link, { argv: wanted, description: 'line\nbreak', properties: { runtimeMaxMs: 0.2, timeoutStopMs: 1.5 } });
  assert.deepEqual(argv, wanted);
  const [call] = fake.callsOf('StartTransientUnit');
  assert.ok(call);
  const set = new Map((call.values[2] as [string, Variant][]).map(([name, { value }]) => [name, value]));
  assert.deepEqual(set.get('ExecStart'), [
    ['/bin/x', ['/bin/x', '$$HOME', '$${A}', '$$$$', '%n', 'a b', '"\n\t\'', ''], false],
  ]);
  assert.equal(set.get('Description'), 'line break');
  assert.equal(set.get('RuntimeMaxUSec'), 1000n);
  assert.equal(set.get('TimeoutStopUSec'), 2000n);
});

test('how a start went', async (t) => {
  const { fake, link } = await linked(t);
  fake.onProgram = () => {};
  assert.deepEqual(await start(link), { kind: 'started' });
  assert.deepEqual(await start(link), { kind: 'taken' });
  fake.refuse('StartTransientUnit', ['a.b', 'no\nway']);
  assert.deepEqual(await start(link), { kind: 'refused', reason: 'no way' });
  fake.refuse('StartTransientUnit', undefined);
  fake.hush();
  assert.deepEqual(await start(link, {}, 30), { kind: 'unknown', reason: 'systemd does not answer' });
  assert.deepEqual(await start(link, {}, 30, AbortSignal.abort()), { kind: 'unknown', reason: 'aborted' });
  fake.goAway();
  const lost = await start(link);
  assert.deepEqual(lost, { kind: 'unknown', reason: 'the connection to systemd was lost: it was closed by the other side' });
});

test('a unit is followed from before its start to its end', async (t) => {
  const { fake, link, follower } = await following(t);
  assert.deepEqual(follower.state, nothing);
  fake.onProgram = () => {};
  await start(link);
  await untilState(follower, 'active');
  const program = fake.program(UNIT) ?? assert.fail('it does not run');
  const { mainPid, invocation, code } = follower.state;
  assert.deepEqual([mainPid, code], [program.pid, 0]);
  assert.match(invocation, /^[0-9a-f]{32}$/);
  program.exit(3);
  await untilState(follower, 'failed');
  assert.deepEqual(follower.state, { activeState: 'failed', result: 'exit-code', mainPid: 0, code: 1, status: 3, invocation });
  assert.ok(isOver(follower.state));
});

test('what has not begun is not over', () => {
  assert.equal(isOver(nothing), false);
  assert.equal(isOver({ ...nothing, activeState: 'inactive', mainPid: 5 }), false);
  assert.equal(isOver({ ...nothing, activeState: 'active', code: 1 }), false);
  assert.equal(isOver({ ...nothing, activeState: 'deactivating', code: 1 }), false);
  assert.equal(isOver({ ...nothing, activeState: 'inactive', code: 1 }), true);
  assert.equal(isOver({ ...nothing, activeState: 'failed' }), true);
});

test('it is woken by whole changes only', async (t) => {
  const { fake, link, follower } = await following(t);
  const half = (name: string, values: [string, Variant][]): void =>
    fake.step(() => {
      const owner = `org.freedesktop.systemd1.${name}`;
      fake.signal('PropertiesChanged', UNIT, 'sa{sv}as', [owner, values, []], unitPath(UNIT));
    });
  let woken = false;
  const waking = follower.next(LONG).then(() => {
    woken = true;
  });
  half('Service', [['ExecMainCode', new Variant('i', 1)]]);
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  assert.equal(woken, false);
  half('Unit', [['ActiveState', new Variant('s', 'inactive')]]);
  await waking;
  assert.equal(follower.state.code, 1);
});

test('waiting for the next change ends at its limit, at an abort, and with the link', async (t) => {
  const { fake, follower } = await following(t);
  await follower.next({ timeoutMs: 20 });
  const abort = new AbortController();
  const waiting = follower.next({ ...LONG, signal: abort.signal });
  abort.abort();
  await waiting;
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  await follower.next({ ...LONG, signal: abort.signal });
  assert.equal(follower.isConnected, true);
  const last = follower.next(LONG);
  fake.cut();
  await last;
  assert.equal(follower.isConnected, false);
  await follower.next(LONG);
});

test('asked how it stands: it is known, gone, or nobody says', async (t) => {
  const { fake, link, follower } = await following(t);
  assert.equal(await follower.ask(LONG), 'gone');
  fake.onProgram = () => {};
  await start(link);
  assert.equal(await follower.ask(LONG), 'known');
  assert.equal(follower.state.mainPid, fake.program(UNIT)?.pid);
  fake.refuse('Get', ['a.b', 'no']);
  assert.equal(await follower.ask(LONG), 'unknown');
  fake.refuse('Get', undefined);
  fake.program(UNIT)?.exit(3);
  await untilState(follower, 'failed');
  assert.equal(await follower.ask(LONG), 'known');
  fake.hush();
  assert.equal(await follower.ask({ timeoutMs: 30 }), 'unknown');
  fake.speak();
  fake.cut();
  assert.equal(await follower.ask(LONG), 'unknown');
});

test('a follower that stops leaves nothing with the link', async (t) => {
  const { fake, link, follower } = await following(t);
  follower.stop();
  fake.onProgram = () => {};
  await start(link);
  await link.call({ interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, LONG);
  assert.deepEqual(follower.state, nothing);
});

async function untilState(follower: TransientFollower, activeState: string): Promise<void> {
  await waitFor(activeState, () => follower.state.activeState === activeState);
}

/** With /dev/null for all of its streams. */
async function start(
  link: Pid1Link,
  more: Partial<Parameters<typeof startTransient>[1]> = {},
  timeoutMs = LONG.timeoutMs,
  signal?: AbortSignal,
): Promise<TransientStart> {
  const input = openSync('/dev/null', 'r+');
  const unit = {
    unit: UNIT,
    description: 'a',
    argv: ['/bin/true'],
    properties: {},
    descriptors: { input, output: input },
    ...more,
  };
  try {
    return await startTransient(link, unit, { timeoutMs, signal });
  } finally {
    closeSync(input);
  }
}

async function linked(t: TestContext, options: FakePid1Options = {}) {
  const fake = FakePid1.open(t, options);
  const opened = await Pid1Link.open('private', fake.addresses.private, LONG);
  assert.ok(opened.kind === 'open');
  fake.atEnd(() => opened.link.close());
  return { fake, link: opened.link };
}

async function following(t: TestContext) {
  const { fake, link } = await linked(t);
  return { fake, link, follower: new TransientFollower(link, UNIT) };
}
