import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CommandWorld, runs } from '../../../helpers/command-world.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const fixture = join(import.meta.dirname, '../../../fixtures/direct-run.ts');

/** Starts `line` from another process, and kills that with SIGKILL once the command runs and is on record. */
async function orphan(t: TestContext, world: CommandWorld, line: string, runId: string): Promise<number> {
  const args = [fixture, world.dir, `echo $$ > ${world.dir}/shell; ${line}`, runId];
  const daemon = spawn(process.execPath, args, { stdio: 'ignore' });
  t.after(() => daemon.kill('SIGKILL'));
  const pid = await world.pid('shell');
  await waitFor('its file to have its pid', () =>
    readdirSync(join(world.dir, 'runs')).some((name) => name.includes(`.${pid}.`)),
  );
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  assert.ok(runs(pid), 'the command outlives the daemon');
  return pid;
}

test('a command whose daemon was killed is waited for, and what it leaves behind lives', async (t) => {
  const world = new CommandWorld(t);
  const wait = `while [ ! -e ${world.dir}/go ]; do sleep 0.05; done; (sleep 60 & echo $! > ${world.dir}/left); echo written`;
  const pid = await orphan(t, world, wait, 'crashed-1');
  let over = false;
  const settled = world.runner.waitForRun('crashed-1', 60_000, world.never).finally(() => {
    over = true;
  });
  assert.equal(await world.runner.waitForRun('crashed-2', 60_000, world.never), 'not_found');
  assert.ok(!over);
  writeFileSync(join(world.dir, 'go'), '');
  assert.equal(await settled, 'ended');
  assert.ok(!runs(pid));
  assert.ok(runs(await world.pid('left')));
  assert.equal(await world.runner.waitForRun('crashed-1', 60_000, world.never), 'not_found');
});

test('at its limit it is killed whole', async (t) => {
  const world = new CommandWorld(t);
  await orphan(t, world, `trap "" TERM; (setsid sleep 60 &); while :; do sleep 1; done`, 'crashed-3');
  assert.equal(await world.runner.waitForRun('crashed-3', 200, world.never), 'ended');
  assert.deepEqual(world.carriers(), []);
});

test('an abort ends the waiting, and the command', async (t) => {
  const world = new CommandWorld(t);
  const pid = await orphan(t, world, 'sleep 60; true', 'crashed-4');
  const abort = new AbortController();
  const settled = world.runner.waitForRun('crashed-4', 60_000, abort.signal);
  abort.abort();
  assert.equal(await settled, 'ended');
  assert.ok(!runs(pid));
});

test('if the daemon died before it could write the process down, it is found by its run id', async (t) => {
  const world = new CommandWorld(t);
  const pid = await orphan(t, world, '(exec setsid sleep 59) & sleep 60; true', 'crashed-5');
  const dir = join(world.dir, 'runs');
  const [name = ''] = readdirSync(dir);
  assert.match(name, new RegExp(`^run-crashed-5\\.${pid}\\.\\d+$`));
  renameSync(join(dir, name), join(dir, 'run-crashed-5'));
  assert.equal(await world.runner.waitForRun('crashed-5', 100, world.never), 'ended');
  assert.ok(!runs(pid));
});

test('a pid that is another process by now is let alone', async (t) => {
  const world = new CommandWorld(t);
  const pid = await orphan(t, world, 'sleep 60; true', 'crashed-6');
  const dir = join(world.dir, 'runs');
  renameSync(join(dir, readdirSync(dir)[0] ?? ''), join(dir, `run-crashed-6.${pid}.1`));
  assert.equal(await world.runner.waitForRun('crashed-6', 100, world.never), 'not_found');
  assert.ok(runs(pid));
});

test('a program that was launched under the same id is not a run', async (t) => {
  const world = new CommandWorld(t);
  const pid = await orphan(t, world, 'sleep 60; true', 'crashed-7');
  const dir = join(world.dir, 'runs');
  const [name = ''] = readdirSync(dir);
  renameSync(join(dir, name), join(dir, name.replace('run-', 'app-')));
  assert.equal(await world.runner.waitForRun('crashed-7', 100, world.never), 'not_found');
  assert.ok(runs(pid));
});
