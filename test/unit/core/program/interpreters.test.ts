import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenPart, interpreterOf, isInterpreter, isShell, programName } from '../../../../src/core/program/interpreters.ts';

test('interpreters and launchers are known by their names, whatever version they bear', () => {
  const known =
    'python python3 python3.11 /usr/bin/python2.7 pypy3 perl perl5.36.0 ruby2.7 node nodejs node18 php8.2 java sh bash dash ash ksh93 ' +
    'zsh-5.9 tclsh8.6 lua5.4 env sudo nohup busybox ld-linux-x86-64.so.2 /lib/ld-musl-x86_64.so.1 qemu-aarch64-static timeout tini';
  for (const name of known.split(' ')) assert.equal(isInterpreter(name), true, name);
  const others = 'nginx mariadbd pythonista javad bashful qemu-system-x86_64 qemu-ga ld gold shd 3 - constructor toString';
  for (const name of others.split(' ')) assert.equal(isInterpreter(name), false, name);
  assert.equal(interpreterOf('/usr/bin/sudo'), 'launcher');
});

test('shells are known by their names; BusyBox is one if it is called so', () => {
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

test('what an interpreter is given is distinguished from options, their values and data', () => {
  const given = (line: string): string | undefined => {
    const argv = line.split(' ');
    const kind = interpreterOf(argv[0] ?? '');
    assert.ok(kind !== undefined && kind !== 'launcher', line);
    const part = givenPart(kind, argv);
    return part && `${part.kind} ${argv[part.at]}`;
  };
  const files =
    'python3 X a|python3 -u X|python3 -W error X|python3 -Werror -X dev -u X|python3 -uW error X|python3.11 --check-hash-based-pycs always X|' +
    'perl -w X|perl -I lib -Ilib -Mstrict X|perl -i.bak X|ruby -r json -rjson -I lib -w X|node -r a --require b --import c --max-old-space-size=9 X|' +
    'node -- X|php -d a=b -c /etc/php.ini X|php -f X|java -cp a:b -Xmx1g --source 17 X|java --add-opens a=b X|java -jar X|bash -x X|bash -euo pipefail X|' +
    'sh -- X|bash --rcfile rc X|bash +x X|lua -l mod -e y X|tclsh X|expect -f X|deno run -A X|fish X|python3 X -c y';
  for (const line of files.split('|')) assert.equal(given(line), 'file X', line);
  const texts =
    'python3 -c T X|python3 -Ic T X|python3 - X|perl -we T X|perl -ne T X|perl -E T X|ruby -e T X|node -e T X|node -pe T X|node --eval T X|' +
    'php -r T X|bash -c T X|sh -ec T X|bash -c -x T X|bash -euo pipefail -c T X|fish -c T X|Rscript -e T X';
  for (const line of texts.split('|')) assert.equal(given(line), line.includes(' - ') ? 'text -' : 'text T', line);
  for (const line of ['python3 -m M X', 'python3 -um M X', 'java -cp a -m M X']) assert.equal(given(line), 'module M', line);
  for (const line of ['python3', 'python3 -u', 'bash -i', 'node -r a']) assert.equal(given(line), undefined, line);
});
