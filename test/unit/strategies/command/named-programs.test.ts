import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedPrograms } from '../../../../src/strategies/command/named-programs.ts';
import { simpleCommands } from '../../../../src/strategies/command/simple-commands.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';

const named = (line: string): string =>
  namedPrograms(line)
    .map(({ kind, name }) => `${kind} ${name}`)
    .join(', ');

test('what a command line certainly runs is named', () => {
  for (const [line, expected] of Object.entries({
    'exec /no/such': 'program /no/such',
    'exec -a app /no/such --x': 'program /no/such',
    '/no/such --x "$A" | tee y': 'program /no/such',
    'nosuchcmd; other': 'program nosuchcmd',
    'FOO=bar /no/such': 'program /no/such',
    '"/no/a b/x" y': 'program /no/a b/x',
    '/no/a\\ b': 'program /no/a b',
    'cd /srv/app && exec ./run': 'folder /srv/app, program /srv/app/run',
    'cd /srv/app; python3 server.py': 'folder /srv/app, program python3, script /srv/app/server.py',
    'pkill -f x; sleep 0.3; nohup /no/y >/dev/null 2>&1 &': 'program pkill, program sleep, program nohup, program /no/y',
    'echo hi > /no/file; /no/x': 'program /no/x',
    'nohup python3 /no/x.py': 'program nohup, program python3, script /no/x.py',
    'java -Xmx1g -jar /no/a.jar': 'program java, script /no/a.jar',
    'env A=b nice -n 5 /no/x': 'program env, program nice, program /no/x',
    'timeout -k 5 10 /no/x': 'program timeout, program /no/x',
    'sudo -u app /no/x': 'program sudo, program /no/x',
    'command /no/x': 'program /no/x',
    '. /etc/app.env; app': 'script /etc/app.env',
    '/no/x <<EOF\nwords\nEOF': 'program /no/x',
    '# a comment\n/no/x # another': 'program /no/x',
    'exec >/dev/null 2>&1 /no/x': 'program /no/x',
    '/no/x $(date +%s)': 'program /no/x',
    'export FOO=1; app': 'program app',
  }))
    assert.equal(named(line), expected, line);
});

test('of what only a shell can tell nothing is named', () => {
  for (const line of [
    '',
    '   ',
    '# only a comment',
    'if [ -x /no/x ]; then /no/x; fi',
    'test -x /no/x && /no/x',
    '[ -x /no/x ] && /no/x',
    '[[ -x /no/x ]] && /no/x',
    'command -v app && app',
    'type app && app',
    '/no/x || /no/y',
    'f() { :; }; f',
    'f () { :; }; f',
    'function f { :; }; f',
    'PATH=/opt/x:$PATH app',
    'export PATH=/opt/x:$PATH; app',
    '$APP start',
    '"$APP" start',
    `/no/\${X}/y`,
    '/no/$X/y',
    '`which app` start',
    '~/bin/app',
    '/no/a*',
    '/no/{a,b}',
    '( cd /no; ./x )',
    '{ /no/x; }',
    '! /no/x',
    'for i in 1 2; do /no/x; done',
    'while :; do /no/x; sleep 1; done',
    'case x in x) /no/x;; esac',
    'eval /no/x',
    'test $(( $(date +%s) - $(stat -c %Y FILE) )) -lt 60',
    'true',
    '"unclosed',
    "'unclosed",
    'a\\',
    '<(x',
  ])
    assert.equal(named(line), '', line);
});

test('what may be made by what stands before it is not named', () => {
  assert.equal(named('mkdir -p /no/q && cd /no/q && exec ./x'), 'program mkdir');
  assert.equal(named('mount /mnt/app; /mnt/app/run'), 'program mount');
  assert.equal(named('. ./functions; app'), '');
  assert.equal(named('sudo app'), 'program sudo', 'it has a PATH of its own');
  assert.equal(named('su - app -c "/no/x"'), 'program su');
});

test('any text is read to an end', () => {
  const random = seededRandom(11);
  const parts = [
    'a',
    '/b',
    ' ',
    '\n',
    ';',
    '&&',
    '||',
    '|',
    '&',
    '"',
    "'",
    '\\',
    '$',
    '$(',
    '`',
    '(',
    ')',
    '{',
    '}',
    '#',
    '>',
    '<',
    '<<',
    '=',
    '*',
    '!',
    '-x',
    'exec',
    'cd',
    'env',
  ];
  for (let round = 0; round < 20_000; round += 1) {
    const line = Array.from({ length: 1 + Math.floor(random() * 12) }, () => parts[Math.floor(random() * parts.length)]).join(
      '',
    );
    const read = simpleCommands(line);
    assert.ok(read.length <= line.length);
    assert.ok(
      namedPrograms(line).every(({ name }) => name !== ''),
      line,
    );
  }
  const long = `${'a '.repeat(30_000)}; ${'"x" '.repeat(10_000)}`;
  assert.equal(simpleCommands(long).length, 2);
});
