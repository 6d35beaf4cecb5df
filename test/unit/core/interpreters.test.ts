import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpreterOf, isInterpreter, isShell, programName } from '../../../src/core/interpreters.ts';

test('interpreters and launchers are known by their names, whatever version they bear', () => {
  const known =
    'python python3 python3.11 /usr/bin/python2.7 pypy3 perl perl5.36.0 ruby2.7 node nodejs node18 php8.2 java sh bash dash ash ksh93 ' +
    'zsh-5.9 tclsh8.6 lua5.4 env sudo nohup busybox ld-linux-x86-64.so.2 /lib/ld-musl-x86_64.so.1 qemu-aarch64-static timeout tini';
  for (const name of known.split(' ')) assert.equal(isInterpreter(name), true, name);
  const others = 'nginx mariadbd pythonista javad bashful qemu-system-x86_64 qemu-ga ld gold shd 3 - constructor toString';
  for (const name of others.split(' ')) assert.equal(isInterpreter(name), false, name);
  assert.equal(interpreterOf('/usr/bin/sudo'), 'launcher');
});

test('shells are known by their names; BusyBox is one where it is called so', () => {
  const shells =
    'sh /usr/bin/bash rbash bash-static dash ash ksh93 lksh mksh pdksh rksh hush posh yash zsh-5.9 csh /bin/tcsh fish';
  for (const name of shells.split(' ')) assert.equal(isShell(name), true, name);
  for (const name of 'python3 perl env sudo busybox toybox tclsh expect bashful nginx - constructor'.split(' '))
    assert.equal(isShell(name), false, name);

  const box = (...argv: string[]): string => programName('/bin/busybox', argv);
  assert.equal(box('-sh'), 'sh');
  assert.equal(box('/bin/ash', '/opt/run.sh'), 'ash');
  assert.equal(box('/bin/busybox', 'sh', '-c', 'app'), 'sh');
  assert.equal(box('busybox', 'httpd', '-f'), 'httpd');
  assert.equal(box('crond', '-f'), 'crond');
  assert.equal(box('busybox'), '');
  assert.equal(box(), '');
  assert.equal(programName('/usr/bin/dash', ['/bin/busybox', 'sh']), 'dash');
});
