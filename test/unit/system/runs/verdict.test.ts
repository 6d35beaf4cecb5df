import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BEGUN, endScript, readNote, verdictOf, verdictResult } from '../../../../src/system/runs/verdict.ts';
import { commandFailure } from '../../../../src/system/spawn/command-result.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const over = { activeState: 'inactive', mainPid: 0, invocation: '' };
const [exited, killed, dumped] = [1, 2, 3];

test('how systemd tells an end', () => {
  const of = (result: string, code: number, status: number) => verdictOf({ ...over, result, code, status }, `${BEGUN}\n`);
  assert.deepEqual(of('success', exited, 0), { kind: 'exited', exitCode: 0 });
  assert.deepEqual(of('exit-code', exited, 217), { kind: 'exited', exitCode: 217 });
  assert.deepEqual(of('success', killed, 15), { kind: 'signaled', signal: 'SIGTERM' });
  assert.deepEqual(of('core-dump', dumped, 11), { kind: 'signaled', signal: 'SIGSEGV' });
  assert.deepEqual(of('signal', killed, 37), { kind: 'signaled', signal: 'SIGRTMIN+3' });
  assert.deepEqual(of('timeout', killed, 9), { kind: 'timed_out' });
  assert.deepEqual(of('timeout', exited, 0), { kind: 'timed_out' });
  assert.equal(of('resources', 0, 0).kind, 'lost');
});

test('what never began says why', () => {
  const of = (words: string) => verdictOf({ ...over, result: 'exit-code', code: exited, status: 203 }, words);
  assert.deepEqual(of(''), { kind: 'not_started', reason: 'systemd could not run it (exit-code, 203)' });
  assert.deepEqual(of('setpriv: initgroups failed\u001b[1m\nmore\n'), {
    kind: 'not_started',
    reason: 'setpriv: initgroups failed?[1m',
  });
});

test('the note of an end says the same, and anything else is none', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/systemctl'), `#!/bin/sh\necho "$@" >> ${dir}/calls\n`);
  chmodSync(join(dir, 'bin/systemctl'), 0o755);
  writeFileSync(join(dir, 'calls'), '');
  const noted = (result: string, code: string, status: string) => {
    const path = join(dir, `end of $HOME ${code}`);
    const [file = '', ...argv] = endScript('x.service', path);
    const env = { PATH: `${dir}/bin:/usr/bin:/bin`, SERVICE_RESULT: result, EXIT_CODE: code, EXIT_STATUS: status };
    spawnSync(file, argv, { env });
    return readNote(readFileSync(path, 'utf8'));
  };
  assert.deepEqual(noted('success', 'exited', '0'), { ...over, result: 'success', code: exited, status: 0 });
  assert.deepEqual(noted('exit-code', 'exited', '3'), { ...over, result: 'exit-code', code: exited, status: 3 });
  assert.equal(readFileSync(join(dir, 'calls'), 'utf8'), '', 'what it left behind lives');
  assert.deepEqual(noted('timeout', 'killed', 'TERM'), { ...over, result: 'timeout', code: killed, status: 15 });
  assert.deepEqual(readFileSync(join(dir, 'calls'), 'utf8').split('\n'), [
    'kill --signal=TERM x.service',
    'kill --signal=KILL x.service',
    '',
  ]);
  assert.deepEqual(noted('core-dump', 'dumped', 'SEGV'), { ...over, result: 'core-dump', code: dumped, status: 11 });
  assert.equal(noted('signal', 'killed', 'RTMIN+3')?.status, 37);
  for (const text of ['', 'success exited', 'success exited x\n', 'a b c\n', 'signal killed NOSUCH\n', 'success exited 0'])
    assert.equal(readNote(text), undefined, text);
});

test('a verdict becomes the result that the port knows', () => {
  const timedOut = verdictResult({ kind: 'timed_out' }, 1500, 'last words\n');
  assert.equal(commandFailure(timedOut), 'still running after 1.5 s, killed: last words');
  assert.equal(commandFailure(verdictResult({ kind: 'exited', exitCode: 0 }, 1, '')), undefined);
});
