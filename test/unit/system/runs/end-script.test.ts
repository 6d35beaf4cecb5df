import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EndNotes } from '../../../../src/system/runs/end-script.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const over = { activeState: 'inactive', mainPid: 0, invocation: '' };
const [exited, killed, dumped] = [1, 2, 3];

test('the note of an end says what systemd says, and a run that did not end by itself is ended completely', (t) => {
  const dir = join(tempDir(t), 'runs');
  const [bin, calls] = [join(dir, '../bin'), join(dir, '../calls')];
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> ${calls}\n`, { mode: 0o755 });
  // We are not alone in our control group, and nobody here ends.
  writeFileSync(join(bin, 'sleep'), `#!/bin/sh\necho sleep "$@" >> ${calls}\n`, { mode: 0o755 });
  writeFileSync(calls, '');
  const notes = new EndNotes(dir);
  const noted = (result: string, code: string, status: string) => {
    const [file = '', ...argv] = notes.argv('x.service', 'run-1') ?? [];
    // systemd 252 changes other characters when it reads the unit again.
    for (const argument of argv) assert.doesNotMatch(argument, /[;$"'\\%]/);
    const env = { PATH: `${bin}:/usr/bin:/bin`, SERVICE_RESULT: result, EXIT_CODE: code, EXIT_STATUS: status };
    spawnSync(file, argv, { env });
    return notes.read('run-1');
  };
  assert.deepEqual(noted('success', 'exited', '0'), { ...over, result: 'success', code: exited, status: 0 });
  assert.deepEqual(noted('exit-code', 'exited', '3'), { ...over, result: 'exit-code', code: exited, status: 3 });
  assert.equal(readFileSync(calls, 'utf8'), '', 'what it left behind lives');
  assert.deepEqual(noted('timeout', 'killed', 'TERM'), { ...over, result: 'timeout', code: killed, status: 15 });
  const ended = (tries: number): void => {
    const waits = Array.from({ length: tries }, () => 'sleep 0.2');
    const lines = readFileSync(calls, 'utf8').split('\n');
    assert.deepEqual(lines, ['kill --signal=TERM x.service', ...waits, 'kill --signal=KILL x.service', '']);
    writeFileSync(calls, '');
  };
  ended(10);
  // It ignored TERM, and the time for that is over.
  assert.equal(noted('timeout', 'killed', 'KILL')?.status, 9);
  ended(1);
  assert.equal(noted('signal', 'killed', 'KILL')?.status, 9);
  ended(10);
  assert.deepEqual(noted('core-dump', 'dumped', 'SEGV'), { ...over, result: 'core-dump', code: dumped, status: 11 });
  assert.equal(noted('signal', 'killed', 'RTMIN+3')?.status, 37);
  notes.drop('run-1');
  assert.equal(notes.read('run-1'), undefined);
  // Whoever does not want to know it any more finds nothing left of it.
  const [file = '', ...argv] = notes.argv('x.service', 'run-2') ?? [];
  notes.drop('run-2');
  spawnSync(file, argv, { env: { PATH: '/usr/bin:/bin', SERVICE_RESULT: 'success', EXIT_CODE: 'exited', EXIT_STATUS: '0' } });
  assert.deepEqual(readdirSync(dir), ['end-run.sh']);
  assert.equal(statSync(join(dir, 'end-run.sh')).mode & 0o777, 0o600);
});

test('anything else is not a note', (t) => {
  const dir = tempDir(t);
  for (const text of ['', 'success exited', 'success exited x\n', 'a b c\n', 'signal killed NOSUCH\n', 'success exited 0']) {
    writeFileSync(join(dir, 'end-run-1'), text);
    assert.equal(new EndNotes(dir).read('run-1'), undefined, text);
  }
});

test('if the folder is not available nothing is run at the end', (t) => {
  writeFileSync(join(tempDir(t), 'file'), '');
  assert.equal(new EndNotes('/dev/null/no').argv('x.service', 'run-1'), undefined);
});
