import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../../../src/core/clock.ts';
import { describeWaitStatus, isCleanEnd, parseWaitStatus } from '../../../../src/core/process/wait-status.ts';
import { canWatchByPidfd, watchPid } from '../../../../src/system/proc/pid-watch.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { skipUnless } from '../../../helpers/requirement.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const parts = { table, clock: systemClock };
const skip = skipUnless(canWatchByPidfd() ? undefined : 'this kernel has no pidfd');

/** A shell that is a grandchild: its parent, which fetches it at once, is another shell. */
async function grandchild(script: string): Promise<{ pid: number; go: () => void }> {
  const parent = spawn('/bin/sh', ['-c', `/bin/sh -c 'echo $$; read -r _; ${script}'; exit 0`]);
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  return { pid: Number(pid.toString()), go: () => parent.stdin.write('\n') };
}

function ended(pid: number): Promise<number | undefined> {
  const process = table.read(pid, ['startTime']);
  assert(process);
  return new Promise((resolve) => watchPid(process, parts, resolve));
}

for (const [script, cause] of [
  ['exit 3', /^exit code 3$/],
  ['exit 0', /^exit code 0$/],
  ['kill -KILL $$', /^signal SIGKILL$/],
  ['kill -SEGV $$', /^signal SIGSEGV( \(core dumped\))?$/],
] as const) {
  test(`how a process ended that is not our child: ${script}`, { skip }, async () => {
    const { pid, go } = await grandchild(script);
    const end = ended(pid);
    go();
    assert.match(describeWaitStatus(await end), cause);
  });
}

test('a zombie has ended, and says how', { skip }, async () => {
  // The child ends only when the shell has become sleep: it would have fetched it.
  const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; (read -r _ <&3; exit 7) & echo $!; exec sleep 300']);
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
  try {
    await waitFor('the parent is sleep', () => table.read(parent.pid ?? 0, ['name'])?.name === 'sleep');
    parent.stdin.write('\n');
    await waitFor('a zombie', () => table.read(Number(pid.toString()), ['state'])?.state === 'Z');
    assert.equal(describeWaitStatus(await ended(Number(pid.toString()))), 'exit code 7');
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'close');
  }
});

test('a process that is gone, and another under its number, have ended', { skip }, async () => {
  const gone = await new Promise((resolve) => watchPid({ pid: 2 ** 22 - 1, startTime: 1 }, parts, resolve));
  assert.equal(gone, undefined);
  const other = await new Promise((resolve) => watchPid({ pid: process.pid, startTime: 1 }, parts, resolve));
  assert.equal(other, undefined);
});

test('a watch that was stopped is silent, and what it was opened on lives on', { skip }, async () => {
  const { pid, go } = await grandchild('exit 1');
  let told = 0;
  const process = table.read(pid, ['startTime']);
  assert(process);
  const watch = watchPid(process, parts, () => told++);
  const other = ended(pid);
  watch.stop();
  watch.stop();
  go();
  await other;
  assert.equal(told, 0);
});

test('if few descriptors are left it polls, and takes nothing that lives for dead', { skip }, async () => {
  const script = join(import.meta.dirname, '../../../fixtures/few-descriptors.ts');
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n 190; exec "$@"', 'sh', process.execPath, script]);
  const { before, byPidfd, told } = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual([before, told], [0, 100]);
  assert.ok(byPidfd !== undefined && byPidfd > 0 && byPidfd < 62, `${byPidfd} by pidfd: 128 of 190 are kept free`);
});

test('what a wait status says', () => {
  assert.deepEqual(parseWaitStatus(0x0300), { kind: 'exited', code: 3 });
  assert.deepEqual(parseWaitStatus(0x8b), { kind: 'signaled', signal: 'SIGSEGV', coreDumped: true });
  assert.equal(describeWaitStatus(0x8b), 'signal SIGSEGV (core dumped)');
  assert.equal(describeWaitStatus(35), 'signal SIGRTMIN+1');
  assert.equal(describeWaitStatus(undefined), 'unknown cause');
  assert.deepEqual([0, 15, 0x0100, 9].map(isCleanEnd), [true, true, false, false]);
});
