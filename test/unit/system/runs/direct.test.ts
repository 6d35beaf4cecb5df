import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectCommandRunner } from '../../../../src/system/runs/direct.ts';
import { RunFiles } from '../../../../src/system/runs/files.ts';
import { CommandWorld, runs } from '../../../helpers/command-world.ts';
import { skipUnless } from '../../../helpers/requirement.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root';

for (const kind of ['check', 'action'] as const) {
  test(`${kind}: exit code, output, environment, empty stdin`, async (t) => {
    const world = new CommandWorld(t);
    const line = 'cat; echo "$MONITOR_PROCESS_NAME" "$MONITOR_RUN_ID"; pwd; echo err >&2; exit 7';
    const command = world.command(line, { kind, runId: 'r-1', environment: { MONITOR_PROCESS_NAME: '$(id) `id` "; rm' } });
    const result = await world.runner.run(command, world.never);
    assert.ok(result.kind === 'exited' && result.exitCode === 7);
    assert.match(result.output, /^\$\(id\) `id` "; rm r-1$/m);
    assert.match(result.output, /^\/$/m);
    assert.match(result.output, /^err$/m);
  });

  test(`${kind}: a line that looks like an option is a line`, async (t) => {
    const world = new CommandWorld(t);
    for (const line of ['-x', '+x', '--version']) {
      const result = await world.runner.run(world.command(line, { kind }), world.never);
      assert.ok(result.kind === 'exited' && result.exitCode === 127, line);
    }
  });

  test(`${kind}: of 10 MB the end is kept`, async (t) => {
    const world = new CommandWorld(t);
    const line = 'head -c 10000000 /dev/zero | tr "\\0" x; echo END';
    const result = await world.runner.run(world.command(line, { kind }), world.never);
    assert.ok(result.kind === 'exited' && result.exitCode === 0);
    assert.match(result.output, /^x+END\n$/);
    assert.equal(result.output.length, 65_536);
  });

  test(`${kind}: at the limit nothing survives, not even an orphan in a session of its own`, async (t) => {
    const world = new CommandWorld(t);
    const orphan = `(setsid bash -c 'trap "" TERM; echo $$ > ${world.dir}/escaped; while :; do sleep 1; done' &)`;
    const line = `sleep 60 & ${orphan}; trap "" TERM; sleep 60; sleep 60`;
    const running = world.runner.run(world.command(line, { kind, timeoutMs: 1500 }), world.never);
    const escaped = await world.pid('escaped');
    const result = await running;
    assert.ok(result.kind === 'timed_out' && result.afterMs === 1500);
    assert.ok(!runs(escaped));
    assert.deepEqual(world.carriers(), []);
  });

  test(`${kind}: an abort kills all of it`, async (t) => {
    const world = new CommandWorld(t);
    const abort = new AbortController();
    const command = world.command(`sleep 60 & echo $! > ${world.dir}/child; wait`, { kind });
    const running = world.runner.run(command, abort.signal);
    await world.pid('child');
    abort.abort();
    assert.equal((await running).kind, 'aborted');
    assert.deepEqual(world.carriers(), []);
    assert.equal((await world.runner.run(world.command('true', { kind }), abort.signal)).kind, 'aborted');
  });

  test(`${kind}: what cannot run says why`, async (t) => {
    const world = new CommandWorld(t);
    const nul = world.command('true', { kind, environment: { MONITOR_PROCESS_NAME: 'a\0b' } });
    const result = await world.runner.run(nul, world.never);
    assert.ok(result.kind === 'not_started');
    assert.match(result.reason, /^MONITOR_PROCESS_NAME holds a NUL byte/);
    for (const runId of ['../x', 'A', '', 'a'.repeat(65)]) {
      assert.equal((await world.runner.run(world.command('true', { kind, runId }), world.never)).kind, 'not_started', runId);
    }
    const stranger = await world.runner.run(world.command('true', { kind, user: 'no-such-user' }), world.never);
    assert.deepEqual(stranger, { kind: 'not_started', reason: 'there is no user no-such-user' });
    const option = await world.runner.run(world.command('true', { kind, user: '-s' }), world.never);
    assert.equal(option.kind, 'not_started');
  });

  test(`${kind}: as another user, with that user's home and rights`, { skip: skipUnless(notRoot) }, async (t) => {
    const world = new CommandWorld(t);
    const line = 'id -un; id -G; echo "$HOME"; grep CapEff /proc/self/status; touch /etc/monitor-test';
    for (const user of ['nobody', '65534']) {
      const result = await world.runner.run(world.command(line, { kind, user }), world.never);
      assert.ok(result.kind === 'exited' && result.exitCode === 1);
      assert.match(result.output, /^nobody\n65534\n\/nonexistent\nCapEff:\s+0+\n.*Permission denied\n$/);
    }
  });
}

test('check: a background child holds nothing up and dies with it', async (t) => {
  const world = new CommandWorld(t);
  const start = performance.now();
  const result = await world.runner.run(world.command('sleep 60 & echo $!', { kind: 'check' }), world.never);
  assert.ok(result.kind === 'exited' && result.exitCode === 0);
  assert.ok(performance.now() - start < 10_000);
  await waitFor('the child to be gone', () => !runs(Number(result.output)));
});

test('action: what it left behind lives, and can keep writing', async (t) => {
  const world = new CommandWorld(t);
  const daemon = `while :; do echo still here || exit 9; [ -e ${world.dir}/seen ] && echo ok > ${world.dir}/wrote; sleep 0.05; done`;
  const start = performance.now();
  const result = await world.runner.run(world.command(`(${daemon}) & echo $! > ${world.dir}/left; echo done`), world.never);
  assert.ok(result.kind === 'exited' && result.exitCode === 0);
  assert.match(result.output, /done/);
  assert.ok(performance.now() - start < 10_000);
  writeFileSync(join(world.dir, 'seen'), '');
  await waitFor('it to have written after our look', () => existsSync(join(world.dir, 'wrote')));
  assert.ok(runs(await world.pid('left')));
});

test('action: stdout and stderr can be opened by name, by another user too', async (t) => {
  const world = new CommandWorld(t);
  for (const user of notRoot === undefined ? [undefined, 'nobody'] : [undefined]) {
    const command = world.command('echo out >> /dev/stdout && echo err >> /dev/stderr', { user });
    assert.deepEqual(await world.runner.run(command, world.never), { kind: 'exited', exitCode: 0, output: 'out\nerr\n' });
  }
});

test('check: stdout and stderr can be opened by name', async (t) => {
  const world = new CommandWorld(t);
  const result = await world.runner.run(
    world.command('echo a > /dev/stdout && echo b > /dev/stderr', { kind: 'check' }),
    world.never,
  );
  assert.deepEqual(result, { kind: 'exited', exitCode: 0, output: 'a\nb\n' });
});

test('action: if no file can be created it runs all the same', async (t) => {
  const world = new CommandWorld(t);
  writeFileSync(join(world.dir, 'runs'), 'in the way');
  const result = await world.runner.run(world.command(`echo lost; echo ran > ${world.dir}/ran`), world.never);
  assert.deepEqual(result, { kind: 'exited', exitCode: 0, output: '' });
  assert.equal(readFileSync(join(world.dir, 'ran'), 'utf8'), 'ran\n');
  await world.runner.run(world.command('true'), world.never);
  assert.equal(world.log.of('warning').length, 1);
});

test('the files of runs go once nobody holds them, and are cut while somebody does', async (t) => {
  const world = new CommandWorld(t);
  const left = `exec setsid bash -c 'echo $$ > ${world.dir}/left; head -c 3000000 /dev/zero; touch ${world.dir}/full; sleep 60'`;
  await world.runner.run(world.command(`(${left}) &`), world.never);
  await world.runner.run(world.command('echo nobody holds this'), world.never);
  await waitFor('the file to be full', () => existsSync(join(world.dir, 'full')));
  const dir = join(world.dir, 'runs');
  assert.equal(readdirSync(dir).length, 2);
  await world.files.sweep();
  const [name = '', ...others] = readdirSync(dir);
  assert.deepEqual(others, []);
  assert.equal(readFileSync(join(dir, name)).length, 0);
  process.kill(await world.pid('left'), 'SIGKILL');
  await waitFor('it to be gone', () => world.carriers().length === 0);
  await world.files.sweep();
  assert.deepEqual(readdirSync(dir), []);
});

test('the sweep touches no file of a running command, and none that is not ours', async (t) => {
  const world = new CommandWorld(t);
  const dir = join(world.dir, 'runs');
  mkdirSync(dir);
  writeFileSync(join(dir, 'somebody.else'), 'x');
  const running = world.runner.run(
    world.command(`echo first; echo $$ > ${world.dir}/up; read -r _ < <(sleep 60); echo last`),
    world.never,
  );
  const pid = await world.pid('up');
  await new RunFiles({ dir, log: world.log }).sweep();
  assert.equal(readdirSync(dir).length, 2);
  process.kill(pid, 'SIGKILL');
  const result = await running;
  assert.ok(result.kind === 'signaled' && result.output === 'first\n');
});

test('settle: a run that is over or never was is not found', async (t) => {
  const world = new CommandWorld(t);
  const command = world.command('sleep 60 & true');
  await world.runner.run(command, world.never);
  assert.equal(await world.runner.waitForRun(command.runId, 10_000, world.never), 'not_found');
  assert.equal(await world.runner.waitForRun('never-was', 10_000, world.never), 'not_found');
  // It may be in its exec, in which it shows no environment.
  await waitFor('what was left behind lives', () => world.carriers().length === 1);
  const elsewhere = new DirectCommandRunner(new RunFiles({ dir: join(world.dir, 'none'), log: world.log }));
  assert.equal(await elsewhere.waitForRun(command.runId, 10_000, world.never), 'not_found');
});
