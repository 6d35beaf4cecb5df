import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parentKind } from '../../../../../src/strategies/process/supervision/kinds.ts';

const kindOf = (executable: string, ...argv: string[]): string => {
  const name = executable.slice(executable.lastIndexOf('/') + 1).slice(0, 15);
  return parentKind({ pid: 7, name, argv, executable, terminalDevice: 0 }).kind;
};

test('a supervisor that is a script is known by it, whatever interprets it', () => {
  assert.equal(kindOf('/usr/bin/python3.11', 'python3', '-u', '/usr/bin/supervisord', '-n'), 'supervisor');
  assert.equal(kindOf('/usr/bin/pypy3', 'pypy3', '-m', 'circus'), 'supervisor');
  assert.equal(kindOf('/usr/bin/jruby', 'jruby', '/usr/local/bin/god'), 'supervisor');
  assert.equal(kindOf('/usr/bin/vim', 'vim', '/etc/god'), 'other');
});

test('a process that only starts a supervisor is not one', () => {
  assert.equal(kindOf('/usr/bin/sudo', 'sudo', 'supervisord', '-n'), 'wrapper');
  assert.equal(kindOf('/usr/bin/tini', 'tini', '--', '/usr/bin/supervisord'), 'wrapper');
});

test('BusyBox is the program by whose name it is called, or which its first argument names', () => {
  const box = '/bin/busybox';
  assert.equal(kindOf(box, 'sh', '/opt/loop.sh'), 'shell');
  assert.equal(kindOf(box, box, 'ash', '-c', 'app; true'), 'shell');
  assert.equal(kindOf(box, 'busybox', 'runsv', '/srv/app'), 'supervisor');
  assert.equal(kindOf(box, 'busybox', 'timeout', '60', 'app'), 'wrapper');
  assert.equal(kindOf(box, 'busybox', 'httpd', '-f'), 'other');
  assert.equal(kindOf(box, 'httpd', '-f', '/usr/bin/supervisord'), 'other');
});

test('a shell is one in whatever version', () => {
  for (const shell of ['tcsh', 'csh', 'fish', 'ksh93', 'zsh-5.9', 'bash-static', 'yash', 'posh'])
    assert.equal(kindOf(`/bin/${shell}`, shell, '/opt/loop'), 'shell', shell);
});
