import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { isAlive, mayAct } from '../../helpers/process-zoo.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { knownUnits, openRuns, shellCommand } from './runs.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const kinds = ['check', 'action'] as const;
const never = new AbortController().signal;

for (const kind of kinds) {
  test(`${kind}: an abort ends all of it`, async (t) => {
    const { run, pid } = openRuns(t);
    const abort = new AbortController();
    const line = 'trap "exit 0" TERM; echo begun; (trap "" TERM; setsid sleep 600 & echo $! > a; exec sleep 601) & wait';
    const result = run(line, { kind, signal: abort.signal });
    const escaped = await pid('a');
    abort.abort();
    assert.deepEqual(await result, { kind: 'aborted', output: 'begun\n' });
    assert.equal(mayAct(escaped), false);
  });

  test(`${kind}: aborted at any moment of its start, it does not continue`, async (t) => {
    const { run } = openRuns(t);
    for (let ms = 0; ms < 32; ms += 4) {
      const result = await run(`exec -a aborted-${kind} sleep 600`, { kind, signal: AbortSignal.timeout(ms) });
      assert.equal(result.kind, 'aborted');
    }
    // PID 1 has done by then what it was asked before.
    assert.equal((await run('true', { kind })).kind, 'exited');
    assert.deepEqual(
      new ProcessTable().list(['argv']).filter(({ argv }) => argv?.[0] === `aborted-${kind}`),
      [],
    );
    assert.deepEqual(knownUnits('monitor_service-run-*'), []);
  });

  test(`${kind}: whatever a value holds, it is data`, async (t) => {
    const { run } = openRuns(t);
    const hostile = [
      '$(touch /var/lib/broken)`touch /var/lib/broken`',
      `\${HOME} $HOME $$ %n %% %H \\n \\x41`,
      '"; touch /var/lib/broken; "',
      "'; touch /var/lib/broken; '",
      'two\nlines\r\tand \u0001\u001b[31m\u007f controls',
      ' -rf --wait ',
      'ünïcödé 名前',
      '',
    ];
    for (const value of hostile) {
      const result = await run(`printf %s "\${MONITOR_PROCESS_NAME}"; touch "$MONITOR_PROCESS_NAME" 2>/dev/null; :`, {
        kind,
        environment: { MONITOR_PROCESS_NAME: value },
        description: value,
      });
      assert.deepEqual(result, { kind: 'exited', exitCode: 0, output: value });
    }
    const line = `printf '%s|' '$HOME' "\${MONITOR_X}" "$(echo sub)" '%n' "$((1 + 1))" 'a"b' '\\x41' "$((-$$ + $$))"`;
    assert.deepEqual(await run(line, { kind, environment: { MONITOR_X: 'x' } }), {
      kind: 'exited',
      exitCode: 0,
      output: '$HOME|x|sub|%n|2|a"b|\\x41|0|',
    });
    assert.equal(existsSync('/var/lib/broken'), false);
  });

  test(`${kind}: the environment is that of a command run directly`, async (t) => {
    const { commands, direct } = openRuns(t);
    const runId = 'environment-test';
    for (const user of [undefined, 'nobody']) {
      const command = shellCommand('env -0 | sort -z; id; pwd; umask', { kind, runId, environment: { A: 'b' }, user });
      const [through, directly] = [await commands.run(command, never), await direct.run(command, never)];
      assert.equal(through.kind, 'exited');
      assert.deepEqual(through, directly);
    }
  });

  test(`${kind}: signals do to it what they do in a shell`, async (t) => {
    const { run } = openRuns(t);
    const result = await run(`yes | head -n 1; echo \${PIPESTATUS[0]}`, { kind });
    assert.deepEqual(result, { kind: 'exited', exitCode: 0, output: 'y\n141\n' });
  });
}

test('check: what it leaves behind dies with it', async (t) => {
  const { run, pid } = openRuns(t);
  assert.deepEqual(await run('setsid sleep 600 & echo $! > a; echo ok', { kind: 'check' }), {
    kind: 'exited',
    exitCode: 0,
    output: 'ok\n',
  });
  assert.equal(isAlive(await pid('a')), false);
});

test('action: what it leaves behind lives, and what it writes later hurts nobody', async (t) => {
  const { run, pid, text, dir } = openRuns(t);
  const runId = 'leaves-a-daemon';
  const left =
    '(until [ -e go ]; do sleep 0.02; done; echo one; echo two >&2; echo $? > wrote; exec sleep 600) & echo $! > a; exit 3';
  assert.deepEqual(await run(left, { runId }), { kind: 'exited', exitCode: 3, output: '' });
  const daemon = await pid('a');
  const known = knownUnits('monitor_service-run-*');
  assert(
    known.length === 1 && /^monitor_service-run-leaves-a-daemon\.service loaded inactive/.test(known[0] ?? ''),
    String(known),
  );
  await run('touch go');
  await waitFor('both lines written', () => text('wrote') !== '');
  assert.equal(text('wrote'), '0\n');
  assert.equal(isAlive(daemon), true);
  // Settled is what the command did, not what it left.
  assert.equal(await openRuns(t).commands.waitForRun(runId, 10_000, never), 'not_found');
  assert.equal(isAlive(daemon), true);
  process.kill(daemon, 'SIGKILL');
  await waitFor('the unit gone', () => knownUnits('monitor_service-run-*').length === 0);
  assert(existsSync(join(dir, 'runs')));
});

test('action: it continues when we are killed, the next life waits for it, and its limit applies', async (t) => {
  const { dir, commands, pid, text } = openRuns(t);
  const driver = `
    import { createExecution } from '${join(import.meta.dirname, '../../../src/system/execution.ts')}';
    const log = { debug() {}, info() {}, warning() {}, error() {} };
    const { commands } = createExecution({ stateDir: '${dir}', log });
    const run = (runId, line, timeoutMs) => commands.run({ line: 'cd ${dir}; ' + line, kind: 'action', runId,
      description: 'x', environment: {}, timeoutMs }, new AbortController().signal);
    void run('first-life', 'echo $$ > a; until [ -e go ]; do sleep 0.02; done; echo through > done', 30000);
    void run('too-long', 'setsid sleep 600 & echo $! > b; (trap "" TERM; echo $BASHPID > c; sleep 601; sleep 602) & wait', 2500);
    void run('hangs', 'setsid sleep 603 & echo $! > d; wait', 600000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', driver], { stdio: 'inherit' });
  await Promise.all(['a', 'b', 'c', 'd'].map(pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(text('done'), '');
  const settled = commands.waitForRun('first-life', 30_000, never);
  const others = openRuns(t).run('true');
  assert.notEqual(await Promise.race([settled, others]), 'ended', 'it is waited for');
  await openRuns(t).run(`touch ${dir}/go`);
  assert.equal(await settled, 'ended');
  assert.equal(text('done'), 'through\n');
  assert.equal(await commands.waitForRun('first-life', 30_000, never), 'not_found');
  assert.equal(await commands.waitForRun('hangs', 300, never), 'ended');
  assert.equal(isAlive(await pid('d')), false, 'beyond the limit of settling it is killed whole');
  await waitFor('the limit that nobody of us kept', async () => !isAlive(await pid('b')) && !isAlive(await pid('c')));
  assert.equal(await commands.waitForRun('too-long', 10_000, never), 'not_found');
});

test('an action that ends while PID 1 re-executes itself is reported as it ended', async (t) => {
  const { run } = openRuns(t);
  for (let round = 0; round < 3; round++) {
    const codes = [0, 3, 7, 0, 255, 1];
    const results = codes.map((code, i) => run(`sleep ${(0.1 + i * 0.1).toFixed(1)}; echo ${i}; exit ${code}`));
    const reexec = run('systemctl daemon-reexec');
    assert.deepEqual(
      await Promise.all(results),
      codes.map((exitCode, i) => ({ kind: 'exited', exitCode, output: `${i}\n` })),
    );
    await reexec;
  }
});

test('at its limit a command has some seconds to clean up, whichever process does it', async (t) => {
  const { run, text, dir } = openRuns(t);
  const script = join(dir, 'rolls-back');
  writeFileSync(script, `#!/bin/bash\ntrap 'sleep 1; echo back >> ${dir}/rolled; exit' TERM\nsleep 600 & wait\n`, {
    mode: 0o755,
  });
  for (const [count, line] of [script, `${script}; true`].entries()) {
    assert.equal((await run(line, { timeoutMs: 700 })).kind, 'timed_out');
    assert.equal(text('rolled'), 'back\n'.repeat(count + 1), line);
  }
});

test('what ignores SIGTERM is killed some 2 s after the limit', async (t) => {
  const { run, pid } = openRuns(t);
  for (const [name, line] of [
    ['child', '(trap "" TERM; echo $BASHPID > child; sleep 601; sleep 602); true'],
    ['main', 'trap "" TERM; echo $$ > main; (sleep 601; sleep 602) & sleep 603; sleep 604'],
  ] as const) {
    const began = performance.now();
    assert.equal((await run(line, { timeoutMs: 700 })).kind, 'timed_out');
    const tookMs = performance.now() - began;
    assert.equal(isAlive(await pid(name)), false, name);
    assert.ok(tookMs > 2500 && tookMs < 30_000, `${name}: ${tookMs}`);
  }
});
