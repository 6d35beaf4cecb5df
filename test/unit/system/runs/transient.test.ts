import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShellCommand } from '../../../../src/system/runs/runner.ts';
import { TransientCommandRunner } from '../../../../src/system/runs/transient.ts';
import { BEGUN } from '../../../../src/system/runs/verdict.ts';
import type { CommandResult } from '../../../../src/system/spawn/command-result.ts';
import type { Variant } from '../../../../src/system/systemd/dbus/values.ts';
import { CommandWorld, runs } from '../../../helpers/command-world.ts';
import { type FakeOutgoing, FakePid1, type FakePid1Options, pause, TOLD_ORDERS } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const WAYS: Readonly<Record<string, FakePid1Options>> = {
  'by its own socket': { privateOnly: true },
  'by the bus': { busOnly: true },
  'with systemd 239': { version: 239, privateOnly: true },
};
const KINDS = ['check', 'action'] as const;

for (const [way, options] of Object.entries(WAYS))
  for (const kind of KINDS) {
    test(`${kind}, ${way}: exit code, output, environment, empty stdin`, async (t) => {
      const { runner, world, never } = runnerOver(t, options);
      const line = 'cat; echo "$MONITOR_PROCESS_NAME" "$MONITOR_RUN_ID" $$x; pwd; echo err >&2; exit 7';
      const command = world.command(line, { kind, runId: 'r-1', environment: { MONITOR_PROCESS_NAME: '$(id) `id` "; rm %n' } });
      const result = await runner.run(command, never);
      assert.ok(result.kind === 'exited' && result.exitCode === 7, JSON.stringify(result));
      assert.match(result.output, /^\$\(id\) `id` "; rm %n r-1 \d+x$/m);
      assert.match(result.output, /^\/$/m);
      assert.match(result.output, /^err$/m);
      assert.doesNotMatch(result.output, new RegExp(BEGUN));
    });

    test(`${kind}, ${way}: one that a signal ended, and one that went well`, async (t) => {
      const { runner, world, never } = runnerOver(t, options);
      const killed = await runner.run(world.command('echo out; kill -9 $$', { kind }), never);
      assert.deepEqual(killed, { kind: 'signaled', signal: 'SIGKILL', output: 'out\n' });
      assert.deepEqual(await runner.run(world.command('true', { kind }), never), { kind: 'exited', exitCode: 0, output: '' });
    });

    test(`${kind}, ${way}: in whatever order things are reported, the verdict is the same`, async (t) => {
      const { fake, runner, world, never } = runnerOver(t, options);
      const orders: readonly FakePid1['arrange'][] = [
        ...TOLD_ORDERS,
        (items) => items.flatMap((item) => [pause, pause, item]),
        lastChangeOnly,
      ];
      for (const order of orders)
        for (const code of [0, 3]) {
          fake.arrange = order;
          fake.onProgram = (program) => program.play(code, 'out\n');
          const result = await runner.run(world.command('played', { kind }), never);
          assert.deepEqual(result, { kind: 'exited', exitCode: code, output: 'out\n' }, order.toString());
        }
      if (kind === 'action') assert.ok(readdirSync(join(world.dir, 'runs')).every((name) => !name.startsWith('end-test-')));
    });

    test(`${kind}, ${way}: the end is reported before the start is answered`, async (t) => {
      const { fake, runner, world, never } = runnerOver(t, options);
      const held: FakeOutgoing[] = [];
      fake.onProgram = (program) => program.play(5);
      // The answer to the start comes only once the unit is gone.
      fake.arrange = (items) => {
        const start = items.find(({ kind: what, member }) => what === 'reply' && member === 'StartTransientUnit');
        if (start !== undefined) held.push(start);
        const isEnd = items.some(({ member }) => member === 'UnitRemoved');
        return [...items.filter((item) => item !== start), ...(isEnd ? held.splice(0) : [])];
      };
      assert.deepEqual(await runner.run(world.command('played', { kind }), never), { kind: 'exited', exitCode: 5, output: '' });
    });
  }

test('an action that has done its work is not waited for longer; one that failed is, until its end script is through', async (t) => {
  const { fake, runner, world, never } = runnerOver(t);
  const ends: (() => void)[] = [];
  fake.stopPost = () => new Promise((resolve) => ends.push(resolve));
  fake.onProgram = (program) => program.play(program.text().includes('well') ? 0 : 4);
  const well = await runner.run(world.command('well', { kind: 'action', runId: 'r-well' }), never);
  assert.deepEqual(well, { kind: 'exited', exitCode: 0, output: '' });
  assert.equal(ends.length, 1);
  let isOver = false;
  const badly = runner.run(world.command('badly', { kind: 'action', runId: 'r-bad' }), never).finally(() => {
    isOver = true;
  });
  await waitFor('the second end script', () => ends.length === 2);
  await fake.quiet();
  assert.equal(isOver, false);
  for (const end of ends) end();
  assert.deepEqual(await badly, { kind: 'exited', exitCode: 4, output: '' });
});

for (const kind of KINDS) {
  test(`${kind}: what is asked of systemd, and what nobody sees`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    const command = world.command('echo $SECRET', {
      kind,
      runId: `what-${kind}`,
      description: 'restart_command\nof x',
      timeoutMs: 1234.5,
      environment: { SECRET: 'hidden' },
    });
    assert.deepEqual(await runner.run(command, never), { kind: 'exited', exitCode: 0, output: 'hidden\n' });
    const [call] = fake.callsOf('StartTransientUnit');
    assert.ok(call);
    const [name, mode, properties, others] = call.values as [string, string, [string, Variant][], unknown[]];
    assert.deepEqual([name, mode, others], [`monitor_service-run-what-${kind}.service`, 'fail', []]);
    const set = new Map(properties.map(([key, { value }]) => [key, value]));
    assert.equal(set.get('Description'), 'monitor_service: restart_command of x');
    assert.equal(set.get('RuntimeMaxUSec'), 1_235_000n);
    assert.equal(set.get('TimeoutStopUSec'), kind === 'check' ? 2_000_000n : 2_500_000n);
    assert.equal(set.get('KillMode'), kind === 'check' ? undefined : 'process');
    assert.equal(set.get('CollectMode'), 'inactive-or-failed');
    assert.equal(set.get('IgnoreSIGPIPE'), false);
    assert.equal(set.has('ExecStopPost'), kind === 'action');
    assert.equal(call.unixFds, 3);
    assert.doesNotMatch(JSON.stringify(set.get('ExecStart')), /SECRET|hidden|echo \$/);
  });

  test(`${kind}: at its limit all of it is ended`, async (t) => {
    const { runner, world, never } = runnerOver(t);
    const stubborn = kind === 'check' ? 'trap "" TERM; ' : '';
    const line = `sleep 60 & echo $! > ${world.dir}/child; ${stubborn}wait; wait; sleep 60`;
    const running = runner.run(world.command(line, { kind, timeoutMs: 700 }), never);
    const child = await world.pid('child');
    const result = await running;
    assert.ok(result.kind === 'timed_out' && result.afterMs === 700, JSON.stringify(result));
    await waitFor('the end of all', () => !runs(child) && world.carriers().length === 0);
  });

  test(`${kind}: an abort ends all of it, and leaves nothing at the signal`, async (t) => {
    const { fake, runner, world } = runnerOver(t);
    const abort = new AbortController();
    const running = runner.run(world.command(`echo out; echo $$ > ${world.dir}/pid; sleep 60`, { kind }), abort.signal);
    await world.pid('pid');
    abort.abort();
    assert.deepEqual(await running, { kind: 'aborted', output: 'out\n' });
    await waitFor('the end of all', () => world.carriers().length === 0);
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
    const before = fake.callsOf('StartTransientUnit').length;
    assert.equal((await runner.run(world.command('true', { kind }), abort.signal)).kind, 'aborted');
    assert.equal(fake.callsOf('StartTransientUnit').length, before);
  });

  test(`${kind}: what cannot be run says why`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    const reasonOf = async (more: Partial<ShellCommand> = {}): Promise<string> => {
      const result = await runner.run(world.command('true', { kind, ...more }), never);
      return result.kind === 'not_started' ? result.reason : assert.fail(JSON.stringify(result));
    };
    for (const runId of ['../x', 'A', '', 'a'.repeat(65)]) assert.equal(await reasonOf({ runId }), 'its run id is malformed');
    assert.equal(await reasonOf({ environment: { A: 'a\0b' } }), 'the command or its environment holds a NUL byte');
    assert.equal(await reasonOf({ user: 'no-such-user' }), 'there is no user no-such-user');
    fake.onProgram = (program) => program.exit(203);
    assert.equal(await reasonOf(), 'systemd could not run it (exit-code, 203)');
    fake.onProgram = (program) => {
      program.say('setpriv: initgroups failed\nmore\n');
      program.exit(1);
    };
    assert.equal(await reasonOf(), 'setpriv: initgroups failed');
    fake.refuse('StartTransientUnit', ['org.freedesktop.DBus.Error.PropertyReadOnly', 'Cannot set property X.']);
    assert.equal(await reasonOf(), 'Cannot set property X.');
    fake.refuse('StartTransientUnit', undefined);
    fake.add('monitor_service-run-taken.service', { state: 'active' });
    assert.equal(await reasonOf({ runId: 'taken' }), 'monitor_service-run-taken.service already exists');
  });

  test(`${kind}: a silent systemd is asked for nothing`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    fake.hush();
    assert.deepEqual(await runner.run(world.command('true', { kind, timeoutMs: 150 }), never), {
      kind: 'not_started',
      reason: 'systemd does not answer',
    });
    fake.speak();
    assert.deepEqual(fake.callsOf('StartTransientUnit'), []);
  });

  test(`${kind}: a systemd that falls silent once it is asked stops at once what it starts later`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    let ended = 0;
    fake.onProgram = (program) => {
      program.onTerm = () => {
        ended++;
        program.die(15);
      };
    };
    fake.onStep = (_, { kind: what, member }) => {
      if (what === 'call' && member === 'StartTransientUnit') fake.hush();
    };
    const result = await runner.run(world.command('played', { kind, timeoutMs: 300 }), never);
    assert.deepEqual(result, { kind: 'lost', reason: 'systemd does not answer', output: '' });
    fake.onStep = () => {};
    fake.speak();
    await waitFor('it to be over', () => fake.callsOf('StopUnit').length === 1 && ended === 1);
  });

  test(`${kind}: no systemd that can be contacted`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    fake.stopListening();
    const result = await runner.run(world.command('true', { kind, timeoutMs: 150 }), never);
    assert.ok(result.kind === 'not_started');
    assert.match(result.reason, /^cannot connect to systemd: .*ECONNREFUSED; .*ENOENT$/);
  });

  test(`${kind}: a re-exec while it runs: it is followed to its end`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    fake.onProgram = (program) => program.say(`${BEGUN}\n`);
    for (const code of [0, 3]) {
      const running = runner.run(world.command('played', { kind }), never);
      const program = await waitFor('it to run', () => fake.program(`monitor_service-run-${lastRun(fake)}.service`));
      const before = fake.connections.ever;
      fake.goAway();
      setImmediate(() => fake.comeBack());
      await waitFor('a new connection', () => fake.connections.ever > before);
      await waitFor('a question', () => fake.calls.at(-1)?.member === 'Get');
      await fake.quiet();
      program.print('out\n');
      program.exit(code);
      assert.deepEqual(await running, { kind: 'exited', exitCode: code, output: 'out\n' });
    }
  });

  test(`${kind}: it ends while nobody listens`, async (t) => {
    const { fake, runner, world, never } = runnerOver(t);
    fake.onProgram = (program) => program.say(`${BEGUN}\n`);
    for (const code of [0, 3]) {
      const running = runner.run(world.command('played', { kind }), never);
      const program = await waitFor('it to run', () => fake.program(`monitor_service-run-${lastRun(fake)}.service`));
      fake.goAway();
      program.exit(code);
      setImmediate(() => fake.comeBack());
      const result = await running;
      // Of a check nothing is written down: it can be run again.
      if (kind === 'action') assert.deepEqual(result, { kind: 'exited', exitCode: code, output: '' });
      else assert.ok(isUnknown(result) || isExit(result, code), JSON.stringify(result));
    }
  });

  for (const phase of ['before the start is read', 'before it is answered', 'in the answer', 'right after the answer'] as const)
    test(`${kind}: a connection lost ${phase}: never a wrong verdict`, async (t) => {
      const { fake, runner, world, never } = runnerOver(t);
      for (const code of [0, 3]) {
        let isOver = false;
        const away = (): void => {
          isOver = true;
          fake.goAway();
          setImmediate(() => fake.comeBack());
        };
        fake.onProgram = (program) => program.play(code);
        fake.intercept = ({ member, descriptors }) => {
          if (isOver || member !== 'StartTransientUnit' || phase !== 'before the start is read') return false;
          for (const fd of descriptors) fake.drop(fd);
          away();
          return true;
        };
        fake.arrange = (items) => {
          const answers = items.some(({ kind: what, member }) => what === 'reply' && member === 'StartTransientUnit');
          if (isOver || !answers) return items;
          if (phase === 'in the answer') {
            isOver = true;
            fake.cut({ inMessage: true });
            return items.filter(({ kind: what }) => what === 'reply');
          }
          setImmediate(away);
          return phase === 'right after the answer' ? items.filter(({ kind: what }) => what === 'reply') : [];
        };
        const result = await runner.run(world.command('played', { kind }), never);
        assert.ok(isUnknown(result) || (isExit(result, code) && phase !== 'before the start is read'), JSON.stringify(result));
        if (kind === 'action' && phase !== 'before the start is read') assert.ok(isExit(result, code), JSON.stringify(result));
      }
    });
}

test('a check: all that it left behind dies with it', async (t) => {
  const { runner, world, never } = runnerOver(t);
  const line = `(trap "" TERM; exec sleep 60) & echo $! > ${world.dir}/child; echo out`;
  const result = await runner.run(world.command(line, { kind: 'check' }), never);
  assert.ok(result.kind === 'exited' && result.exitCode === 0);
  const child = await world.pid('child');
  await waitFor('its end', () => !runs(child));
});

test('an action: what it left behind lives, and holds none of our pipes', async (t) => {
  const { runner, world, never } = runnerOver(t);
  const line = `sleep 60 & echo $! > ${world.dir}/child; echo out`;
  const result = await runner.run(world.command(line, { kind: 'action' }), never);
  assert.deepEqual(result, { kind: 'exited', exitCode: 0, output: 'out\n' });
  assert.ok(runs(await world.pid('child')));
});

test('an action that failed is taken from among those that failed, one that went well is not asked about', async (t) => {
  const { fake, runner, world, never } = runnerOver(t);
  await runner.run(world.command('exit 3', { kind: 'action' }), never);
  assert.deepEqual(
    fake.callsOf('ResetFailedUnit').map(({ values }) => values),
    [[`monitor_service-run-${lastRun(fake)}.service`]],
  );
  await runner.run(world.command('true', { kind: 'action' }), never);
  await runner.run(world.command('exit 3', { kind: 'check' }), never);
  assert.equal(fake.callsOf('ResetFailedUnit').length, 1);
});

test('the name of an action’s file says which process it is while it runs', async (t) => {
  const { runner, world, never } = runnerOver(t);
  const running = runner.run(
    world.command(`echo $$ > ${world.dir}/pid; sleep 60 & wait`, { timeoutMs: 5000, runId: 'named' }),
    never,
  );
  const pid = await world.pid('pid');
  const name = await waitFor('its name', () =>
    readdirSync(join(world.dir, 'runs')).find((one) => one.startsWith('run-named.')),
  );
  assert.match(name, new RegExp(`^run-named\\.${pid}\\.\\d+$`));
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await running, { kind: 'signaled', signal: 'SIGKILL', output: '' });
});

test('settle: a run that is over, one that is not yet, and one that does not end', async (t) => {
  const { fake, runner, world, never } = runnerOver(t);
  assert.equal(await runner.waitForRun('no-such-run', 1000, never), 'not_found');
  assert.equal(await runner.waitForRun('../x', 1000, never), 'not_found');
  fake.onProgram = (program) => program.say(`${BEGUN}\n`);
  const first = runner.run(world.command('played', { runId: 'first' }), never);
  const program = await waitFor('it to run', () => fake.program('monitor_service-run-first.service'));
  const settling = runner.waitForRun('first', 30_000, never);
  await waitFor('a look', () => fake.callsOf('Get').length > 0);
  program.exit(0);
  assert.equal(await settling, 'ended');
  assert.equal((await first).kind, 'exited');
  const second = runner.run(world.command('played', { runId: 'second' }), never);
  await waitFor('it to run', () => fake.program('monitor_service-run-second.service'));
  assert.equal(await runner.waitForRun('second', 100, never), 'ended');
  assert.deepEqual(await second, { kind: 'signaled', signal: 'SIGTERM', output: '' });
  assert.equal(fake.unit('monitor_service-run-second.service'), undefined);
  assert.equal(existsSync(join(world.dir, 'runs/end-second')), false);
});

test('many at once over one connection', async (t) => {
  const { fake, runner, world, never } = runnerOver(t);
  fake.onProgram = (program) => program.play(Number(program.unit.split('-').at(-1)?.split('.')[0]), program.unit);
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      runner.run(world.command('played', { kind: index % 2 === 0 ? 'check' : 'action', runId: `many-${index}` }), never),
    ),
  );
  for (const [index, result] of results.entries())
    assert.deepEqual(result, { kind: 'exited', exitCode: index, output: `monitor_service-run-many-${index}.service` });
  assert.equal(fake.connections.ever, 1);
});

function isExit(result: CommandResult, code: number): boolean {
  return result.kind === 'exited' && result.exitCode === code;
}

function isUnknown(result: CommandResult): boolean {
  return result.kind === 'lost';
}

/** As where systemd is slow: of all changes of one step only the last is told. */
function lastChangeOnly(items: readonly FakeOutgoing[]): readonly FakeOutgoing[] {
  const changes = items.filter(({ member }) => member === 'PropertiesChanged');
  const last = changes.slice(-2);
  return items.filter((item) => item.member !== 'PropertiesChanged' || last.includes(item));
}

function lastRun(fake: FakePid1): string {
  const name = String(fake.callsOf('StartTransientUnit').at(-1)?.values[0] ?? '');
  return /^monitor_service-run-(.*)\.service$/.exec(name)?.[1] ?? '';
}

function runnerOver(t: TestContext, options: FakePid1Options = { privateOnly: true }) {
  const fake = FakePid1.open(t, options);
  const world = new CommandWorld(t);
  const pid1 = fake.pid1();
  const dir = join(world.dir, 'runs');
  const runner = new TransientCommandRunner({ files: world.files, dir, services: fake.systemd(pid1), pid1 });
  return { fake, world, runner, never: world.never };
}
