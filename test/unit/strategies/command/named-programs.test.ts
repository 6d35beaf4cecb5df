import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simpleCommands } from '../../../../src/core/shell/simple-commands.ts';
import { namedPrograms } from '../../../../src/strategies/command/named-programs.ts';
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

test('what only a shell can know is not named', () => {
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

test('what is looked for under another root, or elsewhere, is not named', () => {
  for (const line of [
    'chroot /srv/jail /no/x',
    'chroot --userspec=app /srv/jail /no/x',
    'nsenter -t 1 -m /no/x',
    'nsenter --mount=/proc/1/ns/mnt -- /no/x',
    'unshare -R /srv/jail /no/x',
    'systemd-nspawn -D /srv/jail /no/x',
    'docker exec app /no/x',
    'podman exec app /no/x',
    'ssh host /no/x',
    'bwrap --bind /srv/jail / /no/x',
    'sudo -R /srv/jail /no/x',
    'sudo -bR /srv/jail /no/x',
    'sudo --chroot=/srv/jail -u app /no/x',
    'systemd-run -p RootDirectory=/srv/jail /no/x',
  ]) {
    const [program] = line.split(' ');
    for (const front of ['', 'exec ', 'cd /srv && ']) {
      const folder = front.startsWith('cd') ? 'folder /srv, ' : '';
      assert.equal(named(`${front}${line}`), `${folder}program ${program}`);
    }
    assert.equal(named(`nice -n 5 ${line}`), `program nice, program ${program}`);
  }
  assert.equal(named('cd /srv && sudo -D /opt ./x'), 'folder /srv, program sudo');
  assert.equal(named('cd /srv && sudo -i ./x'), 'folder /srv, program sudo');
  assert.equal(named('cd /srv && sudo -u app ./x'), 'folder /srv, program sudo, program /srv/x');
  assert.equal(named('sudo -i -u app /no/x'), 'program sudo, program /no/x');
  assert.equal(named('sudo -u app /no/x -R'), 'program sudo, program /no/x', 'it is no option of sudo');
});

test('what may be made by what stands before it is not named', () => {
  assert.equal(named('mkdir -p /no/q && cd /no/q && exec ./x'), 'program mkdir');
  assert.equal(named('mount /mnt/app; /mnt/app/run'), 'program mount');
  assert.equal(named('. ./functions; app'), '');
  assert.equal(named('sudo app'), 'program sudo', 'it has a PATH of its own');
  assert.equal(named('su - app -c "/no/x"'), 'program su');
});

test('what the text itself asks whether it fails may be missing, and is not named', () => {
  for (const line of [
    'source /no/x 2>/dev/null; true',
    '. /no/x 2>/dev/null; app',
    '. /no/x >/dev/null 2>&1\napp',
    'source /no/x &>/dev/null; app',
    '. /no/x || true',
    '. /no/x || :; app',
    '. /no/x && app; true',
    'cd /no/x 2>/dev/null; app',
    'cd /no/x || exit 0',
    'nosuch --version >/dev/null 2>&1 && nosuch reload; true',
    'nosuch --version && nosuch reload; app',
    'nosuch -q && a\nb',
    'nosuch && a & b',
    'nosuch && a; (b)',
    'nosuch && a; b $(c)',
    'nosuch && a\nb() { c; }',
    '/no/x && /no/y || /no/z',
    '/no/x && a || true',
    '/no/x | grep -q a || b',
    '/no/x | grep -q a && b; true',
    'sudo -n /no/x && a || b',
    'if /no/x; then a; fi',
    'if ! /no/x; then a; fi',
    'while /no/x; do a; done',
    'until /no/x; do sleep 1; done',
    '! /no/x',
    '[ -x /no/x ] && /no/x',
    '[ -x /no/x ] && /no/x; true',
    'test -f /no/x || exit 0',
    'test -f /no/x || exit 0; /no/y',
    'type x && x',
    'type x >/dev/null 2>&1 && x; true',
    'command -v x >/dev/null && x',
    'hash x 2>/dev/null && x',
  ])
    assert.equal(named(line), '', line);
});

test('what fails as a whole if it is missing is named, whatever stands behind it', () => {
  for (const [line, expected] of Object.entries({
    '. /no/x 2>/dev/null': 'script /no/x',
    '. /no/x; app 2>/dev/null': 'script /no/x',
    '. /no/x >/dev/null; app': 'script /no/x',
    '. /no/x 2>&1 >/dev/null; app': 'script /no/x',
    '. /no/x && app': 'script /no/x',
    'cd /no/x 2>/dev/null && ./run': 'folder /no/x, program /no/x/run',
    'cd /no/x && ./run & sleep 1': 'folder /no/x, program /no/x/run',
    'cd /no/x && ./run; true': 'folder /no/x, program /no/x/run',
    '/no/x && /no/y': 'program /no/x',
    '/no/x 2>/dev/null; true': 'program /no/x',
    'sleep 1; /no/x && a': 'program sleep, program /no/x',
    'nohup /no/x >/dev/null 2>&1 & echo $!': 'program nohup, program /no/x',
    '/no/x | grep -q a': 'program /no/x',
  }))
    assert.equal(named(line), expected, line);
});

test('behind an option that is not known nothing is named: it may have a value', () => {
  for (const [line, expected] of Object.entries({
    'sudo --user app /no/x': 'program sudo, program /no/x',
    'sudo --user=app -n -- /no/x': 'program sudo, program /no/x',
    'sudo -nu app -E A=b /no/x': 'program sudo, program /no/x',
    'sudo --new-option app /no/x': 'program sudo',
    'sudo -l /no/x': 'program sudo',
    'env -i -u A --unset B A=b /no/x': 'program env, program /no/x',
    'env -C /srv /no/x': 'program env',
    'env -S "/no/x y"': 'program env',
    'nice --adjustment 5 /no/x': 'program nice, program /no/x',
    'nice -5 /no/x': 'program nice, program /no/x',
    'ionice -c3 -n 5 --ignore /no/x': 'program ionice, program /no/x',
    'ionice -p 1': 'program ionice',
    'timeout --signal KILL -k 5 10 /no/x': 'program timeout, program /no/x',
    'timeout --new 5 10 /no/x': 'program timeout',
    'stdbuf -oL --error 0 /no/x': 'program stdbuf, program /no/x',
    'setsid -fw /no/x': 'program setsid, program /no/x',
    'flock /no/lock /no/x': 'program flock',
  }))
    assert.equal(named(line), expected, line);
  assert.equal(named(`${'sudo '.repeat(5000)}/no/x`).split(', ').length, 1);
  assert.ok(namedPrograms('cd /a && '.repeat(5000)).length <= 1);
  assert.ok(namedPrograms(Array.from({ length: 500 }, (_, at) => `cd /a${at}`).join('; ')).length <= 50);
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
