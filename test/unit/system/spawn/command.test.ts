import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { execute } from '../../../../src/system/spawn/command.ts';
import { runs } from '../../../helpers/command-world.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const limit = { timeoutMs: 30_000 };

test('the environment is minimal, and stdin is empty', async () => {
  process.env.MONITOR_TEST_SECRET = 'hunter2';
  try {
    const result = await execute('bash', ['-c', 'env; cat; echo end'], { ...limit, environment: { EXTRA: 'a b' } });
    assert.equal(result.kind, 'exited');
    assert.match(result.stdout, /^PATH=\/usr\/local\/sbin:/m);
    assert.match(result.stdout, /^EXTRA=a b$/m);
    assert.match(result.stdout, /\nend\n$/);
    assert.doesNotMatch(result.stdout, /hunter2/);
  } finally {
    delete process.env.MONITOR_TEST_SECRET;
  }
});

test('arguments are not shell text', async () => {
  const hostile = '$(id); `id` "\' \n * -x %s $HOME ürsprung';
  const result = await execute('printf', ['%s', hostile], limit);
  assert.equal(result.stdout, hostile);
});

test('stdout stands apart, output has both', async () => {
  const result = await execute('bash', ['-c', 'echo to-out; echo to-err >&2; exit 3'], limit);
  assert.ok(result.kind === 'exited' && result.exitCode === 3);
  assert.equal(result.stdout, 'to-out\n');
  assert.match(result.output, /to-out\n/);
  assert.match(result.output, /to-err\n/);
});

test('what cannot be started is reported in a line, and nothing rejects', async () => {
  const reasons: [string, Parameters<typeof execute>, RegExp][] = [
    ['no such program', ['no-such-program', [], limit], /^no-such-program: no such program.*ENOENT/],
    ['no program', ['/etc/passwd', [], limit], /EACCES/],
    ['a directory that is gone', ['true', [], { ...limit, cwd: '/no/such/directory' }], /working directory.*ENOENT/],
    ['too long', ['true', ['x'.repeat(200_000)], limit], /too long \(E2BIG\)/],
    ['NUL in an argument', ['true', ['a\0b'], limit], /NUL byte/],
    ['NUL in the program', ['tr\0ue', [], limit], /NUL byte/],
    ['NUL in a value', ['true', [], { ...limit, environment: { NAME: 'secret\0' } }], /^NAME holds a NUL byte/],
  ];
  for (const [what, call, reason] of reasons) {
    const result = await execute(...call);
    assert.ok(result.kind === 'not_started', what);
    assert.match(result.reason, reason, what);
    assert.doesNotMatch(result.reason, /secret/);
    assert.equal(result.stdout, '');
  }
});

test('a background child that holds the pipe is not waited for', async (t) => {
  const start = performance.now();
  const result = await execute('bash', ['-c', 'sleep 60 & echo $!'], limit);
  const pid = Number(result.stdout);
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(result.kind, 'exited');
  assert.ok(performance.now() - start < 10_000);
  assert.ok(runs(pid));
});

test('at the limit all of it is killed, even what ignores TERM or has a session of its own', async () => {
  const line = 'trap "" TERM; sleep 61 & echo $!; setsid sleep 62 & echo $!; sleep 63';
  const result = await execute('bash', ['-c', line], { timeoutMs: 500 });
  assert.ok(result.kind === 'timed_out' && result.afterMs === 500);
  const pids = result.stdout.trim().split('\n').map(Number);
  assert.equal(pids.length, 2);
  for (const pid of pids) assert.ok(!runs(pid), `${pid} is gone`);
});

test('an abort kills it, and one before the start starts nothing', async () => {
  const abort = new AbortController();
  const running = execute('sleep', ['60'], { ...limit, signal: abort.signal });
  await waitFor('sleep to run', () => getEventListeners(abort.signal, 'abort').length > 0);
  abort.abort();
  assert.equal((await running).kind, 'aborted');
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0, 'nothing stays on the signal');
  assert.equal((await execute('sleep', ['60'], { ...limit, signal: abort.signal })).kind, 'aborted');
});

test('a signal is named, and no zombie is left', async () => {
  const result = await execute('bash', ['-c', 'kill -SEGV $$'], limit);
  assert.ok(result.kind === 'signaled' && result.signal === 'SIGSEGV');
  await Promise.all(Array.from({ length: 20 }, () => execute('true', [], limit)));
  const children = new ProcessTable().list(['ppid', 'state', 'name']).filter(({ ppid }) => ppid === process.pid);
  assert.deepEqual(
    children.filter(({ state }) => state === 'Z'),
    [],
  );
});

test('a caller that has read enough of stdout ends the program', async () => {
  const chunks: Buffer[] = [];
  const take = (chunk: Buffer): boolean => chunks.push(chunk) < 3;
  const result = await execute('yes', [], { ...limit, take });
  assert.deepEqual([result.kind === 'signaled' && result.signal, chunks.length], ['SIGPIPE', 3]);
  const whole = await execute('echo', ['all'], { ...limit, take: (chunk) => chunks.push(chunk) > 0 });
  assert.deepEqual([whole.kind, whole.stdout, `${chunks.at(-1)}`], ['exited', 'all\n', 'all\n']);
});
