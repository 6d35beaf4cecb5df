import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../../src/core/program/launch-record.ts';
import { DirectLauncher } from '../../../../src/system/launch/direct.ts';
import type { Launch } from '../../../../src/system/launch/launcher.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { CommandWorld, runs } from '../../../helpers/command-world.ts';
import { skipUnless } from '../../../helpers/requirement.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root';
const table = new ProcessTable();

function line(world: CommandWorld, text: string, user?: string): Launch {
  const what = { kind: 'line', line: text, environment: { WORLD: world.dir }, user } as const;
  return { systemName: 'app', runId: 'launch-1', timeoutMs: 10_000, what };
}

function argv(world: CommandWorld, args: string[], more: Partial<LaunchRecord> = {}): Launch {
  const ours = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: process.getgroups?.() ?? [] };
  const environment = ['A=1', `WORLD=${world.dir}`, 'A=2', 'MONITOR_RUN_ID=old', '__proto__=x'];
  const record = { argv: args, executable: '/bin/bash', cwd: '/', environment, ...ours, ...more };
  return { systemName: 'app', runId: 'launch-1', timeoutMs: 10_000, what: { kind: 'argv', record } };
}

/** A launcher whose folder of programs another user may enter, and its world. */
function open(t: TestContext) {
  const world = new CommandWorld(t);
  chmodSync(world.dir, 0o755);
  return { world, launcher: new DirectLauncher(world.files) };
}

test('a line that stays in the foreground is launched, in a session of its own, without our pipes', async (t) => {
  const { world, launcher } = open(t);
  const result = await launcher.launch(line(world, 'echo up; sleep 60; true'), 200, world.never);
  assert.ok(result.kind === 'launched' && result.pid !== undefined && runs(result.pid));
  const found = table.read(result.pid, ['sid', 'pgid', 'environment']);
  assert.equal(found?.sid, result.pid);
  assert.ok(found?.environment?.includes('MONITOR_RUN_ID=launch-1'));
  assert.equal(await world.runner.waitForRun('launch-1', 100, world.never), 'not_found', 'it is no run that is to end');
  await launcher.retire();
  assert.ok(runs(result.pid));
});

test('a line that ends well has left its daemon behind', async (t) => {
  const { world, launcher } = open(t);
  const daemon = `(while :; do echo writing || exit; [ -e ${world.dir}/go ] && touch ${world.dir}/alive; sleep 0.05; done) &`;
  const result = await launcher.launch(line(world, daemon), 30_000, world.never);
  assert.ok(result.kind === 'launched' && result.pid === undefined && result.left?.length === 1, JSON.stringify(result));
  writeFileSync(join(world.dir, 'go'), '');
  await waitFor('it to live on', () => existsSync(join(world.dir, 'alive')));
});

test('what a line leaves behind in an emptied environment, or in a session below its own, is reported', async (t) => {
  const { world, launcher } = open(t);
  const program = join(world.dir, 'left');
  copyFileSync('/usr/bin/sleep', program);
  const running = () => table.list(['executable', 'state']).filter((seen) => seen.executable === program && seen.state !== 'Z');
  const lines = [
    `env -i ${program} 300 & sleep 0.1`,
    // Whoever is looked at has to run for a moment.
    `env -i setsid sh -c '${program} 300 & sleep 0.2'`,
    ...(notRoot === undefined ? [`su nobody -s /bin/sh -c '${program} 300 > /dev/null 2>&1 & sleep 0.2'`] : []),
    ...(notRoot === undefined ? [`su - nobody -s /bin/sh -c 'setsid ${program} 300 & sleep 0.2'`] : []),
  ];
  for (const text of lines) {
    const result = await launcher.launch(line(world, text), 30_000, world.never);
    const pids = running().map(({ pid }) => pid);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    assert.equal(pids.length, 1, text);
    assert.deepEqual(result, { kind: 'launched', pid: undefined, left: pids }, text);
    await waitFor('end', () => running().length === 0);
  }
});

test('what a line that changes the user leaves behind later is reported later', { skip: skipUnless(notRoot) }, async (t) => {
  const { world, launcher } = open(t);
  const program = join(world.dir, 'later');
  copyFileSync('/usr/bin/sleep', program);
  const text = `su nobody -s /bin/sh -c 'while [ ! -e ${world.dir}/go ]; do sleep 0.05; done; setsid ${program} 300 & sleep 0.2'`;
  const result = await launcher.launch(line(world, text), 200, world.never);
  assert.ok(result.kind === 'launched' && result.pid !== undefined && result.leaves !== undefined, JSON.stringify(result));
  writeFileSync(join(world.dir, 'go'), '');
  const awake = setTimeout(() => {}, 20_000);
  const left = await result.leaves;
  clearTimeout(awake);
  const pids = table.list(['executable']).flatMap(({ pid, executable }) => (executable === program ? [pid] : []));
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  assert.ok(pids.length === 1);
  assert.deepEqual(left, pids);
  const plain = await launcher.launch(line(world, 'sleep 60; true'), 200, world.never);
  assert.ok(plain.kind === 'launched' && plain.leaves === undefined, 'what changes no user is followed by its session');
});

test('a line that falls over fails with its last words', async (t) => {
  const { world, launcher } = open(t);
  const broken = await launcher.launch(line(world, 'echo port already in use >&2; exit 3'), 30_000, world.never);
  assert.deepEqual(broken, { kind: 'failed', reason: 'exit code 3: port already in use', output: ['port already in use'] });
  const killed = await launcher.launch(line(world, 'kill -9 $$'), 30_000, world.never);
  assert.deepEqual(killed, { kind: 'failed', reason: 'killed by SIGKILL' });
  const nobody = await launcher.launch(line(world, 'true', 'no-such-user'), 30_000, world.never);
  assert.deepEqual(nobody, { kind: 'failed', reason: 'there is no user no-such-user' });
});

test('an abort starts nothing; what is under way continues', async (t) => {
  const { world, launcher } = open(t);
  const abort = new AbortController();
  const launching = launcher.launch(line(world, `echo $$ > ${world.dir}/up; sleep 60; true`), 60_000, abort.signal);
  const pid = await world.pid('up');
  abort.abort();
  assert.deepEqual(await launching, { kind: 'launched', pid });
  assert.ok(runs(pid));
  const late = await launcher.launch(line(world, `touch ${world.dir}/late`), 60_000, abort.signal);
  assert.deepEqual(late, { kind: 'failed', reason: 'aborted' });
  assert.ok(!existsSync(join(world.dir, 'late')));
});

test('it is reaped when it ends later', async (t) => {
  const { world, launcher } = open(t);
  const result = await launcher.launch(line(world, `while [ ! -e ${world.dir}/go ]; do sleep 0.05; done`), 100, world.never);
  assert.ok(result.kind === 'launched' && result.pid !== undefined);
  writeFileSync(join(world.dir, 'go'), '');
  await waitFor('no zombie', () => table.read(result.pid ?? 0, ['state']) === undefined);
});

test('a recorded program gets its exact arguments, environment and directory', async (t) => {
  const { world, launcher } = open(t);
  const show = `tr '\\0' '\\n' < /proc/$$/cmdline > ${world.dir}/cmdline; pwd > ${world.dir}/cwd; echo $$ > ${world.dir}/up; sleep 60; true`;
  const args = ['-odd name', '-c', show, '$HOME', '', 'a b'];
  const result = await launcher.launch(argv(world, args, { cwd: world.dir }), 100, world.never);
  assert.ok(result.kind === 'launched');
  const pid = await world.pid('up');
  assert.equal(readFileSync(join(world.dir, 'cmdline'), 'utf8'), `${args.join('\n')}\n`);
  assert.equal(readFileSync(join(world.dir, 'cwd'), 'utf8'), `${world.dir}\n`);
  const expected = ['A=1', `WORLD=${world.dir}`, 'MONITOR_RUN_ID=launch-1', '__proto__=x'];
  assert.deepEqual(table.read(pid, ['environment'])?.environment?.toSorted(), expected.toSorted());
});

test('a directory or program that is gone is reported clearly', async (t) => {
  const { world, launcher } = open(t);
  const cwd = join(world.dir, 'gone');
  const noDirectory = await launcher.launch(argv(world, ['bash'], { cwd }), 1000, world.never);
  assert.deepEqual(noDirectory, { kind: 'failed', reason: `its working directory ${cwd} is gone` });
  const noProgram = await launcher.launch(argv(world, ['x'], { executable: '/no/such/program' }), 1000, world.never);
  assert.ok(noProgram.kind === 'failed');
  assert.match(noProgram.reason, /^\/no\/such\/program: no such program/);
});

for (const groups of [[65534], [65534, 4, 24]]) {
  test(`a recorded program of another user, groups ${groups}`, { skip: skipUnless(notRoot) }, async (t) => {
    const { world, launcher } = open(t);
    mkdirSync(join(world.dir, 'out'));
    chmodSync(join(world.dir, 'out'), 0o777);
    const show = `echo "$0"; tr '\\0' '\\n' < /proc/$$/cmdline > ${world.dir}/out/cmdline; id -u; id -G; echo $$ > ${world.dir}/out/up; sleep 60; true`;
    const secret = 'SECRET=a "quoted"\nvalue $(id) \\';
    const environment = [
      `WORLD=${world.dir}`,
      secret,
      'LD_PRELOAD=/no/such/preload.so',
      'POSIXLY_CORRECT=1',
      'UID=1',
      'AFTER=yes',
    ];
    const identity = { uid: 65534, gid: 65534, groups, environment };
    const result = await launcher.launch(argv(world, ['odd', '-c', show, 'x y', ''], identity), 500, world.never);
    assert.ok(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
    assert.equal(await world.pid('out/up'), result.pid);
    const found = table.read(result.pid, ['argv', 'environment', 'uids', 'groups', 'sid']);
    assert.equal(readFileSync(join(world.dir, 'out/cmdline'), 'utf8'), `odd\n-c\n${show}\nx y\n\n`);
    assert.equal(found?.uids?.real, 65534);
    assert.deepEqual(
      found?.groups?.filter((group) => group !== 65534).toSorted((a, b) => a - b),
      groups.slice(1),
    );
    assert.equal(found?.sid, result.pid);
    for (const variable of [secret, 'LD_PRELOAD=/no/such/preload.so', 'AFTER=yes', 'MONITOR_RUN_ID=launch-1']) {
      assert.ok(found?.environment?.includes(variable), `${variable} of ${found?.environment}`);
    }
    for (const name of ['PATH', 'HOME', 'LANG', 'USER']) {
      assert.ok(!found?.environment?.some((variable) => variable.startsWith(`${name}=`)), name);
    }
  });
}
