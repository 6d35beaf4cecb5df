import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unfollowedStart } from '../../../../src/strategies/command/unfollowed-start.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('an interpreter or launcher in front is reported, with the argument that would identify the program', () => {
  for (const [line, argument] of [
    ['exec python3 /opt/l/ledger.py', ' = /opt/l/ledger.py'],
    ['/usr/bin/python3.11 -u /opt/l/ledger.py --port 80', ' = /opt/l/ledger.py'],
    ['cd /opt/l && exec java -Xmx1g -jar /opt/l/ledger.jar', ' = /opt/l/ledger.jar'],
    ['FOO=1 nohup node /opt/l/x.js >/dev/null 2>&1 &', ' = /opt/l/x.js'],
    ['exec env A=b ruby "/opt/l/x.rb"', ' = /opt/l/x.rb'],
    // A user's name, or a session's, is no advice.
    ['sudo -u app /opt/l/run.sh', ''],
    ['tmux new -d -s ledger-session', ''],
    ['su - app -c "cd /opt/l && exec python3 /opt/l/ledger.py"', ' = /opt/l/ledger.py'],
    ['su - app -c "/opt/l/other >/dev/null 2>&1 &"', ''],
    ['runuser -l app -c /opt/l/start.sh', ''],
    ["sudo -u app sh -c '/opt/l/other &'", ''],
    ['exec python3 -m ledgerd', ''],
    ['(python3 /opt/l/x.py &)', ' = /opt/l/x.py'],
    ['cd / && (python3 /opt/l/x.py)', ' = /opt/l/x.py'],
    ['{ python3 /opt/l/x.py; }', ' = /opt/l/x.py'],
    ['time python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['command -p python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['exec -a zz python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['exec -- python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['\\python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['if true; then python3 /opt/l/x.py; fi', ' = /opt/l/x.py'],
    ['while :; do FOO=1 python3 /opt/l/x.py; done', ' = /opt/l/x.py'],
    ['test -f x || ! exec env A=b python3 /opt/l/x.py', ' = /opt/l/x.py'],
    ['exec java -cp /opt/l/ledger Main', ''],
    ['exec node -r /opt/l/trace.js /opt/l/x.js', ' = /opt/l/x.js'],
    ['exec python3 /opt/l/check.py /opt/l/ledger', ' = /opt/l/check.py'],
  ] as const) {
    const told = unfollowedStart(line, 'ledger') ?? '';
    assert.match(told, /^starts \S+: a copy that monitor_service did not start /, line);
    assert.ok(told.includes(`(set argument${argument}, or pid_file)`), told);
  }
});

test('of what starts a daemon with a pid file, that file is named as pid_file; what it starts as argument only without one', () => {
  for (const [line, cure] of [
    ['start-stop-daemon --start --pidfile /run/l.pid --exec /opt/l/x', 'pid_file = /run/l.pid'],
    ['start-stop-daemon --start --pidfile=/run/l.pid --exec /opt/l/x -- --port 80', 'pid_file = /run/l.pid'],
    ['/sbin/start-stop-daemon -S -b -m -p /run/l.pid -c app -x /opt/l/x', 'pid_file = /run/l.pid'],
    ['start-stop-daemon -Sbmp /run/l.pid -x /opt/l/x', 'pid_file = /run/l.pid'],
    ['start-stop-daemon -S -p/run/l.pid -x /usr/bin/python3 -- /opt/l/x.py', 'pid_file = /run/l.pid'],
    ['start-stop-daemon -S -p "$RUN/l.pid" -x /opt/l/x', 'pid_file'],
    ['start-stop-daemon -S -p /run/%s.pid -x /opt/l/x', 'pid_file = /run/ledger.pid'],
    ['sudo -u app start-stop-daemon -S -p /run/l.pid -x /opt/l/x', 'pid_file = /run/l.pid'],
    ['supervise-daemon l --start --pidfile /run/l.pid --exec /opt/l/x', 'pid_file = /run/l.pid'],
    ['daemonize -p /run/l.pid -u app -c / /opt/l/x --port 80', 'pid_file = /run/l.pid'],
    ['daemonize -a -p /run/l.pid /opt/l/x', 'pid_file = /run/l.pid'],
    ['daemon --pidfile=/run/l.pid /opt/l/x', 'pid_file = /run/l.pid'],
    ['daemon -F /run/l.pid -n l -- /opt/l/x', 'pid_file = /run/l.pid'],
    ['startproc -p /run/l.pid -u app /opt/l/x', 'pid_file = /run/l.pid'],
    ['start_daemon -p /run/l.pid /opt/l/x', 'pid_file = /run/l.pid'],
    ['jsvc -user app -pidfile /run/l.pid -cp /opt/l/l.jar Main', 'pid_file = /run/l.pid'],
    ['start-stop-daemon -S -b -n other -x /opt/l/x', 'argument = /opt/l/x, or pid_file'],
    ['start-stop-daemon -S -b -d /opt -x /usr/bin/python3 -- /opt/l/x.py', 'argument = /opt/l/x.py, or pid_file'],
    ['daemonize -c /opt /opt/l/x', 'argument = /opt/l/x, or pid_file'],
    ['python3 /opt/l/daemon -p /run/l.pid', 'argument = /opt/l/daemon, or pid_file'],
    // What an option or an operand names is no word of the program's.
    ['strace -o /tmp/log /opt/l/x', 'argument, or pid_file'],
    ['flock /run/lock/l /opt/l/x', 'argument, or pid_file'],
    ['chroot /srv/jail /opt/l/x', 'argument, or pid_file'],
  ] as const) {
    const told = unfollowedStart(line, 'ledger') ?? '';
    assert.ok(told.endsWith(`is not called ledger, so it is not recognised (set ${cure})`), `${line}: ${told}`);
  }
  for (const line of [
    'start-stop-daemon --start --pidfile /run/l.pid --exec /opt/l/ledger -- -d',
    'start-stop-daemon -S -p /run/l.pid -a /opt/l/ledger -x /usr/bin/perl',
    'daemonize -p /run/l.pid -c /opt /opt/l/ledger',
    'daemon --user app --pidfile /run/l.pid /opt/l/ledger',
    // A program that only is called so.
    '/opt/l/daemon -c /etc/l.conf',
  ])
    assert.equal(unfollowedStart(line, 'ledger'), undefined, line);
  assert.equal(unfollowedStart('nohup /usr/bin/daemon', 'daemon'), undefined);
});

test('a line whose program bears the name, or begins with no interpreter, is left alone', (t) => {
  const script = join(tempDir(t), 'ledger');
  writeFileSync(script, '#!/usr/bin/env python3\n', { mode: 0o755 });
  for (const line of [
    'exec /opt/l/ledger',
    '/opt/l/start-ledger.sh',
    'nohup /opt/l/ledger --daemon &',
    'exec env A=b /opt/l/ledger',
    `exec python3 ${script}`,
    'systemctl start ledger',
    '(exec -a python3 /opt/l/ledger &)',
    'exec',
    '( # python3 x',
    'su - app -c "/opt/l/ledger --daemon &"',
    'runuser -l app -c "cd /opt/l; ./ledger&"',
    '',
  ])
    assert.equal(unfollowedStart(line, 'ledger'), undefined, line);
  assert.equal(unfollowedStart('exec java -jar x', '/usr/bin/java'), undefined);
});
