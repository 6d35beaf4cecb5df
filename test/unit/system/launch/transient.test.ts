import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord, Surroundings } from '../../../../src/core/program/launch-record.ts';
import type { Launch, LaunchResult } from '../../../../src/system/launch/launcher.ts';
import { TransientLauncher } from '../../../../src/system/launch/transient.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import type { Variant } from '../../../../src/system/systemd/dbus/values.ts';
import { CommandWorld, runs } from '../../../helpers/command-world.ts';
import { FakePid1, type FakePid1Options, TOLD_ORDERS } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const UNIT = 'monitor_service-app-app.service';
const WAYS: Readonly<Record<string, FakePid1Options>> = {
  'by its own socket': { privateOnly: true },
  'by the bus': { busOnly: true },
  'with systemd 239': { version: 239 },
};

for (const [way, options] of Object.entries(WAYS)) {
  test(`${way}: a line that stays in the foreground is launched, with its environment and no input`, async (t) => {
    const { launcher, world } = launcherOver(t, options);
    const result = await launcher.launch(line(world, `cat; echo $$ > ${world.dir}/pid; exec sleep 60`), 300, world.never);
    const pid = await world.pid('pid');
    assert.deepEqual(result, { kind: 'launched', pid });
    const found = new ProcessTable().read(pid, ['environment', 'cwd']);
    for (const variable of ['MONITOR_RUN_ID=launch-1', `WORLD=${world.dir}`]) assert.ok(found?.environment?.includes(variable));
    assert.equal(found?.cwd, '/');
  });

  test(`${way}: a line that ends well has left its daemon behind`, async (t) => {
    const { fake, launcher, world } = launcherOver(t, options);
    const daemon = `sleep 60 & echo $! > ${world.dir}/daemon`;
    assert.deepEqual(await launcher.launch(line(world, daemon), 30_000, world.never), { kind: 'launched', pid: undefined });
    assert.ok(runs(await world.pid('daemon')));
    // Its unit stays, so that all of it can be ended.
    assert.equal(fake.unit(UNIT)?.subState, 'exited');
    await launcher.retire('app', 30_000, world.never);
    assert.equal(fake.unit(UNIT), undefined);
  });

  test(`${way}: a line that crashes fails, and neither its name nor half of it is left`, async (t) => {
    const { fake, launcher, world } = launcherOver(t, options);
    const broken = await launcher.launch(line(world, 'exit 3'), 30_000, world.never);
    assert.deepEqual(broken, { kind: 'failed', reason: 'exit code 3' });
    const killed = await launcher.launch(line(world, 'kill -9 $$'), 30_000, world.never);
    assert.deepEqual(killed, { kind: 'failed', reason: 'killed by SIGKILL' });
    // systemd counts an end by TERM as a success.
    const ended = await launcher.launch(line(world, 'kill -TERM $$'), 30_000, world.never);
    assert.deepEqual(ended, { kind: 'failed', reason: 'killed by SIGTERM' });
    assert.equal(fake.unit(UNIT), undefined);
  });

  test(`${way}: in whatever order things are reported, the verdict is the same`, async (t) => {
    const { fake, launcher, world } = launcherOver(t, options);
    for (const order of TOLD_ORDERS) {
      fake.arrange = order;
      fake.onProgram = (program) => program.exit(0);
      assert.deepEqual(await launcher.launch(line(world, 'played'), 30_000, world.never), { kind: 'launched', pid: undefined });
      fake.onProgram = (program) => program.exit(3);
      const failed = await launcher.launch(line(world, 'played'), 30_000, world.never);
      assert.deepEqual(failed, { kind: 'failed', reason: 'exit code 3' });
    }
  });

  test(`${way}: the name is freed, whatever bears it`, async (t) => {
    const { fake, launcher, world } = launcherOver(t, options);
    const stopped: string[] = [];
    const launch = async (name: string): Promise<void> => {
      fake.onProgram = (program) => {
        program.onTerm = () => {
          stopped.push(name);
          setImmediate(() => program.exit(name === 'second' ? 1 : 0));
        };
      };
      const result = await launcher.launch(line(world, 'played'), 50, world.never);
      assert.equal(result.kind, 'launched', name);
      assert.ok(result.kind === 'launched' && result.pid === fake.unit(UNIT)?.mainPid, name);
    };
    await launch('first');
    // It runs.
    await launch('second');
    assert.deepEqual(stopped, ['first']);
    await launch('third');
    assert.deepEqual(stopped, ['first', 'second']);
    // It has gone to the background.
    fake.program(UNIT)?.exit(0);
    await waitFor('that', () => fake.unit(UNIT)?.subState === 'exited');
    await launch('fourth');
    // It has failed.
    fake.program(UNIT)?.exit(1);
    await waitFor('that', () => fake.unit(UNIT)?.activeState === 'failed');
    await launch('fifth');
    assert.deepEqual(stopped, ['first', 'second']);
  });
}

test('what is asked of systemd, and what nobody sees', async (t) => {
  const { fake, launcher, world } = launcherOver(t);
  let text = '';
  fake.onProgram = (program) => {
    text = program.text();
    program.exit(0);
  };
  const launch = line(world, 'serve --secret');
  await launcher.launch({ ...launch, systemName: '/opt/my app/serve\u0007' }, 30_000, world.never);
  const [call] = fake.callsOf('StartTransientUnit');
  assert.ok(call);
  const [name, mode, properties] = call.values as [string, string, [string, Variant][]];
  assert.deepEqual([name, mode], ['monitor_service-app--opt-my\\x20app-serve\\x07.service', 'fail']);
  const set = new Map(properties.map(([key, { value }]) => [key, value]));
  assert.equal(set.get('Description'), '/opt/my app/serve? (started by monitor_service)');
  assert.equal(set.get('SyslogIdentifier'), 'serve?');
  assert.equal(set.get('RemainAfterExit'), true);
  assert.equal(set.get('StandardOutput'), 'journal');
  assert.equal(set.get('StandardError'), 'journal');
  assert.equal(set.get('CollectMode'), undefined);
  assert.equal(call.unixFds, 1);
  assert.doesNotMatch(JSON.stringify(set.get('ExecStart')), /secret|WORLD/);
  assert.match(text, /serve --secret/);
  assert.deepEqual(
    fake.calls
      .slice(-3)
      .map(({ member }) => member)
      .sort(),
    ['Get', 'Get', 'Get'],
  );
});

test('a recorded program is started as it was', async (t) => {
  const { launcher, world } = launcherOver(t);
  const ours = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: process.getgroups?.() ?? [] };
  const record: LaunchRecord = {
    argv: ['my bash', '-c', `echo $$ > ${world.dir}/pid; exec -a 'a $x "b"' sleep 60`],
    executable: '/bin/bash',
    cwd: world.dir,
    environment: ['A=$HOME "1"', `WORLD=${world.dir}`],
    ...ours,
  };
  const launch: Launch = { systemName: 'app', runId: 'launch-1', timeoutMs: 30_000, what: { kind: 'argv', record } };
  const result = await launcher.launch(launch, 500, world.never);
  const pid = await world.pid('pid');
  assert.deepEqual(result, { kind: 'launched', pid });
  const found = await waitFor('it to be what it is to be', () => {
    const now = new ProcessTable().read(pid, ['argv', 'cwd', 'environment']);
    return now?.argv?.at(-1) === '60' ? now : undefined;
  });
  assert.deepEqual(found.argv, ['a $x "b"', '60']);
  assert.equal(found.cwd, world.dir);
  assert.ok(found.environment?.includes('A=$HOME "1"'));
  const gone = { ...launch, what: { kind: 'argv', record: { ...record, cwd: '/no/such/folder' } } } as const;
  // By the program's own rights, not by root's: so it is the shell that says so, in the journal.
  assert.deepEqual(await launcher.launch(gone, 500, world.never), { kind: 'failed', reason: 'exit code 1' });
});

test('limits, umask and nice value are properties of its unit; one that systemd does not know keeps nothing from its start', async (t) => {
  const { fake, launcher, world } = launcherOver(t, { version: 239 });
  let text = '';
  fake.onProgram = (program) => {
    text = program.text();
  };
  const launch = async (surroundings: Surroundings): Promise<[LaunchResult, Map<string, unknown>]> => {
    const rights = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: process.getgroups?.() ?? [] };
    const record = { argv: ['sleep', '60'], executable: '/bin/sleep', cwd: '/', environment: [], ...rights, surroundings };
    const what = { kind: 'argv', record } as const;
    const result = await launcher.launch({ systemName: 'app', runId: 'launch-1', timeoutMs: 30_000, what }, 50, world.never);
    const [, , properties] = (fake.callsOf('StartTransientUnit').at(-1) ?? assert.fail()).values as [
      string,
      string,
      [string, Variant][],
    ];
    return [result, new Map(properties.map(([key, { value }]) => [key, value]))];
  };
  const limits = { nofile: { soft: '300', hard: 'unlimited' } };
  const usual = { umask: 0o027, nice: -5, memoryMax: 268_435_456, tasksMax: 'unlimited' } as const;
  const [known, set] = await launch({ ...usual, limits, ignoredSignals: [1, 13], standardOutput: "/var/log/it's" });
  assert.equal(known.kind, 'launched');
  assert.deepEqual(
    ['LimitNOFILE', 'LimitNOFILESoft', 'UMask', 'Nice', 'MemoryMax', 'TasksMax'].map((name) => set.get(name)),
    [0xffff_ffff_ffff_ffffn, 300n, 0o027, -5, 268_435_456n, 0xffff_ffff_ffff_ffffn],
  );
  // systemd opens files as root: that is for the program's own shell.
  assert.ok(![...set.keys()].some((name) => /^Standard(?:Output|Error)File/.test(name)));
  assert.match(text, /trap '' 1 13; /);
  assert.match(text, /monitor_append 1 '\/var\/log\/it'\\''s'; /);
  assert.doesNotMatch(text, /umask|ulimit/);
  const [unknown, bare] = await launch({ ...usual, limits: { ...limits, rttime: { soft: '1', hard: '1' } } });
  assert.ok(unknown.kind === 'launched', JSON.stringify(unknown));
  assert.equal(unknown.remarks?.[0], 'systemd refused its limits: Cannot set property LimitRTTIME, or unknown property.');
  assert.equal(bare.get('UMask'), undefined);
});

test('what cannot be launched says why', async (t) => {
  const { fake, launcher, world } = launcherOver(t);
  const reasonOf = async (launch: Launch, signal = world.never): Promise<string> => {
    const result = await launcher.launch(launch, 100, signal);
    return result.kind === 'failed' ? result.reason : assert.fail(JSON.stringify(result));
  };
  assert.equal(await reasonOf(line(world, 'a\0b')), 'the program to start holds a NUL byte');
  assert.equal(await reasonOf(line(world, 'true', 'no-such-user')), 'there is no user no-such-user');
  assert.equal(await reasonOf(line(world, 'true'), AbortSignal.abort()), 'aborted');
  fake.refuse('StartTransientUnit', ['org.freedesktop.DBus.Error.PropertyReadOnly', 'Cannot set property X.']);
  assert.equal(await reasonOf(line(world, 'true')), 'Cannot set property X.');
  fake.refuse('StartTransientUnit', ['org.freedesktop.systemd1.UnitExists', 'Unit was already loaded']);
  assert.equal(await reasonOf(line(world, 'true')), `${UNIT} could not be freed`);
  fake.refuse('StartTransientUnit', undefined);
  await fake.fallSilent();
  assert.equal(await reasonOf({ ...line(world, 'true'), timeoutMs: 50 }), 'systemd does not answer');
  assert.equal(await launcher.unready(50, world.never), 'systemd does not answer');
  fake.speak();
  assert.equal(await launcher.unready(30_000, world.never), undefined);
  fake.goAway();
  fake.bus?.stop();
  await waitFor('it to be noticed', async () => (await launcher.unready(50, world.never)) !== undefined);
  assert.match(await reasonOf({ ...line(world, 'true'), timeoutMs: 50 }), /^cannot connect to systemd: /);
});

test('a daemon that has to end lets it run', async (t) => {
  const { fake, launcher, world } = launcherOver(t);
  fake.onProgram = () => {};
  const abort = new AbortController();
  const launching = launcher.launch(line(world, 'played'), 30_000, abort.signal);
  await waitFor('it to run', () => fake.unit(UNIT)?.activeState === 'active');
  abort.abort();
  const result = await launching;
  assert.deepEqual(result, { kind: 'launched', pid: fake.unit(UNIT)?.mainPid });
  assert.deepEqual(fake.callsOf('StopUnit').length, 1);
});

test('a connection that is lost once it is started: it was launched', async (t) => {
  const { fake, launcher, world } = launcherOver(t);
  fake.onProgram = () => {};
  const launching = launcher.launch(line(world, 'played'), 30_000, world.never);
  await waitFor('it to run', () => fake.unit(UNIT)?.activeState === 'active');
  await new Promise((resolve) => setImmediate(resolve));
  fake.cut();
  const result = await launching;
  assert.equal(result.kind, 'launched');
  assert.equal(fake.unit(UNIT)?.activeState, 'active');
});

test('a connection that is lost before the start is answered: it is not called launched', async (t) => {
  const { fake, launcher, world } = launcherOver(t);
  fake.onProgram = () => {};
  fake.onStep = (_, { kind, member }) => {
    if (kind === 'reply' && member === 'StartTransientUnit') fake.cut();
  };
  assert.deepEqual(await launcher.launch(line(world, 'played'), 30_000, world.never), {
    kind: 'failed',
    reason: 'the connection to systemd was lost: it was closed by the other side',
  });
});

function line(world: CommandWorld, text: string, user?: string): Launch {
  const what = { kind: 'line', line: text, environment: { WORLD: world.dir }, user } as const;
  return { systemName: 'app', runId: 'launch-1', timeoutMs: 30_000, what };
}

function launcherOver(t: TestContext, options: FakePid1Options = {}) {
  const fake = FakePid1.open(t, options);
  return { fake, world: new CommandWorld(t), launcher: new TransientLauncher(fake.pid1()) };
}
