import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { handOver } from '../../../../src/system/launch/environment-handover.ts';

/** What a program finds that was started so. */
function started(environment: Record<string, string>, argv: readonly string[]): { argv: string[]; environment: string[] } {
  const handover = handOver(new Map(Object.entries(environment)), '/bin/sh', argv, ['PATH', 'HOME']);
  const [file = '', ...rest] = handover.argv;
  const text = execFileSync(file, rest, {
    input: handover.input,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: '/x' },
  });
  const [first = '', second = ''] = text.split('\0\0\0');
  return { argv: first.split('\0'), environment: second.split('\0').filter(Boolean) };
}

const TELL = 'cat /proc/$$/cmdline; printf "\\0\\0"; cat /proc/$$/environ; cat';

test('a program finds argv[0], arguments and environment as they were', () => {
  const value = 'a\nb\t$HOME `id` $(id) %n "\'\\ \u0001\u001b é =x';
  const environment = {
    SECRET: value,
    PATH: '/usr/bin:/bin',
    EMPTY: '',
    LC_ALL: 'xx_YY',
    POSIXLY_CORRECT: '1',
    BASH_ENV: '/x',
    PWD: '/y',
  };
  const found = started(environment, ['-login $0', '-c', TELL, '$x', '', '%n']);
  assert.deepEqual(found.argv, ['-login $0', '-c', TELL, '$x', '', '%n']);
  const wanted = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  assert.deepEqual(found.environment.filter((entry) => !/^(?:_|SHLVL)=/.test(entry)).sort(), wanted.sort());
});

test('what no shell can hold stays behind, and does no harm', () => {
  const environment = {
    'BASH_FUNC_exec%%': '() { echo broken; }',
    'a.b': '1',
    UID: '7',
    SHELLOPTS: 'noexec',
    IFS: 'x',
    '-n': '1',
    PATH: '/bin',
  };
  const found = started(environment, ['sh', '-c', TELL]);
  assert.deepEqual(
    found.environment.filter((entry) => !/^(?:_|SHLVL)=/.test(entry)),
    ['PATH=/bin'],
  );
});
