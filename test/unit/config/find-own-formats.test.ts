import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOnceNames, describeOwnFormats, oncePercentAndName, ownFormats } from '../../../src/config/find-own-formats.ts';
import { withName } from '../../../src/core/command-template.ts';
import { simpleCommands } from '../../../src/core/shell/simple-commands.ts';

/** What is found, and commands in which that is found and nothing else. */
const FOUND: Readonly<Record<string, readonly string[]>> = {
  'date +%s': [
    'date +%s >> FILE',
    "date '+%Y-%m-%d %s'",
    '/bin/date +"%s" >> /x',
    'date -u -d "2 hours ago" "+%s%N"',
    "date -d '+1 day' +%s",
    'test $(( $(date +%s) - $(stat -c %Y FILE) )) -lt 60',
    '[ $(( `date +%s` - 5 )) -gt 0 ]',
    '[[ $(date +%s) -gt 5 ]] && exit 1',
    'x=$(date +%s); echo $x',
    'export NOW=`date -u +%s`',
    'D=/bin/date; $D +%s',
    'FMT=+%s; date "$FMT"',
    'timeout -k 1 5s nice -n 10 date +%s',
    'sudo -u app date +%s',
    'env LANG=C date +%s',
    'doas date +%s',
    'runuser -u app -- date +%s',
    'setsid -f date +%s',
    "su - app -c 'date +%s'",
    'su app -s /bin/sh -c "date +%s"',
    'ssh host date +%s',
    "ssh -o X=y host 'date +%s'",
    'flock -n /lock date +%s',
    "flock /lock -c 'date +%s'",
    'eval "date +%s"',
    "trap 'date +%s > /x' EXIT",
    "bash <<< 'date +%s'",
    "tmux new -d 'date +%s'",
    "sh -c 'test $(date +%s) -gt 5'",
    'bash -lc "date +%s"',
    "watch -n 5 'date +%s'",
    'docker exec app date +%s',
    "docker exec -it app sh -c 'date +%s'",
    'kubectl exec pod -- date +%s',
    'ip netns exec ns date +%s',
    'busybox date +%s',
    'chroot /x date +%s',
    'systemd-run --unit=x date +%s',
    'if true; then date +%s; fi',
    'while :; do date +%s; done',
    'for i in $(seq 3); do date +%s; done',
    'case $x in a) date +%s;; esac',
    '(cd / && date +%s)',
    '{ date +%s; }',
    '! date +%s',
    'a && b || date +%s > /x',
    'f() { date +%s; }; f',
    `echo "\${x:-$(date +%s)}"`,
    'diff <(date +%s) <(true)',
    'exec -a %s date +%s',
    '\\date +%s',
    "'date' +%s",
    '$(which date) +%s',
    '`/usr/bin/which date 2>/dev/null` -u +%s',
    '"$(command -v date)" +%s',
    'sudo $(type -p date) +%s',
    'D=$(type -P /bin/date); $D +%s',
    'curl -s http://h/%s?t=$(date +%s)',
    'exec >>/x; date +%s',
  ],
  'stat -c %s': [
    'stat -c %s FILE',
    'stat -Lc %s FILE',
    'stat -c%s FILE',
    'sudo stat -c %s /x',
    "nohup ionice -c 3 stat -c '%n %s' /x &",
    'xargs stat -c %s < /x',
    'find . -print0 | xargs -0 -n 1 -P 4 stat -c %s',
    'find /x -exec stat -c %s {} \\;',
    'test $(stat -c %s /var/log/%s.log) -gt 0',
  ],
  'stat --format=%s': ['stat --format=%s /x', 'stat --format %s /x'],
  'stat --printf=%s': ["stat --printf='%s\\n' /x"],
  "printf '%s'": [
    "printf '%s\\n' x",
    'printf "%s" "$(hostname)" | nc -q0 host 80',
    "printf '%s is up\\n' %s",
    "echo a | xargs printf '%s\\n'",
    `bash -c "printf '%s\\n' x"`,
    "printf -v now '%(%s)T' -1",
    "printf '%(%s)T'",
    '/usr/bin/printf -- "%s" x',
  ],
  'printf "%s", …': [
    `awk '{printf "%s\\n", $1}' /x`,
    'awk "{printf \\"%s\\", \\$1}" f',
    `ps aux | gawk '/x/ {printf "%s", $2}'`,
    `perl -e 'printf "%s\\n", time'`,
    `perl -e 'printf STDERR "%s", time'`,
    `awk '{printf $1 " " "%s\\n", $2}' f`,
    `perl -e 'printf {$out} "%s", time'`,
  ],
  'printf("%s", …)': [
    `awk '{ x = sprintf("%s-%s", $1, $2) }' f`,
    `php -r 'echo sprintf("%s", 5);'`,
    `mysql -e "select format('%s', x)"`,
  ],
  'strftime("%s")': [
    `gawk 'BEGIN { print strftime("%s") }'`,
    `perl -MPOSIX -e 'print strftime "%s", localtime'`,
    `python3 -c "import time; print(time.strftime('%s'))"`,
    `ruby -e 'puts Time.now.strftime("%s")'`,
    `sqlite3 db "select strftime('%s','now')"`,
    `jq -r 'now | strftime("%s")' x`,
  ],
  "date_format(…, '%s')": [
    `mysql -e "SELECT DATE_FORMAT(NOW(), '%H:%i:%s')"`,
    `mysql -N -e "select from_unixtime(max(t), '%s') from x"`,
  ],
  'find -printf %s': ["find /x -name y -printf '%s %p\\n'"],
  'find -fprintf %s': ["find /x -fprintf /o '%s'"],
  'git --format=%s': ['git -C /srv/%s log -1 --format=%s'],
  'git --pretty=%s': ["git log --pretty=format:'%h %s'"],
  'git --date=%s': ['git log --date=format:%s'],
  'ls --time-style=+%s': ['ls -l --time-style=+%s /x'],
  'du --time-style=+%s': ["du --time-style '+%s' --time /x"],
  "ts '%s'": ["tail -f x | ts '%s'"],
  'time -f %s': ["/usr/bin/time -f '%E %s' cmd"],
  'tar --checkpoint-action=%s': ["tar cf x --checkpoint-action=echo='%s %u' y"],
  'inotifywait --timefmt=%s': ["inotifywait -m --timefmt %s --format '%T %f' /x"],
  'varnishncsa -F %s': [`varnishncsa -w /var/log/%s.log -F '%h "%r" %s %b'`],
  '"%s" % …': [`python3 -c 'print("%s" % 5)'`],
  '"{:%s}"': [`python3 -c "import datetime; print(f'{datetime.datetime.now():%s}')"`],
  'console.log("%s", …)': [`node -e 'console.log("%s", 5)'`],
  '{{printf "%s" …}}': [`docker ps --format '{{printf "%s" .Names}}'`],
  '${NAME%s…}': [`echo \${f%s*}`, `x=\${unit%service}; systemctl restart $x`],
  '$((…%s…))': ['sleep $((60-$(date +%M)%step))', 'x=$((n%size)); echo $x', '(( n%size == 0 )) && exit 1'],
  "LIKE '%s…'": [`mysql -e "select * from p where name like '%server%'"`],
  's%s…': ["sed 's%s%y%' f", "sed -e 's%/a%service%' f"],
  'core_pattern %s': ["echo '/cores/core.%e.%s' > /proc/sys/kernel/core_pattern"],
  'sysctl kernel.core_pattern=%s': ['sysctl -w kernel.core_pattern=/cores/%s'],
  'TIME_STYLE=%s': ['TIME_STYLE=+%s ls -l', 'export TIME_STYLE=+%s; ls -l'],
  '%s': [`perl -ne '$s{$_}++; END { print keys %s }' f`],
  'xargs -I %s': ['xargs -I%s echo x'],
};

for (const [what, commands] of Object.entries(FOUND)) {
  test(`found: ${what}`, () => {
    for (const command of commands) {
      assert.deepEqual(ownFormats(command), [what], command);
      // Written so that the program sees it.
      assert.deepEqual(ownFormats(command.replaceAll('%s', '%%s')), [], command);
    }
  });
}

test('a %s that is meant for the name is not reported', () => {
  for (const command of [
    'systemctl restart %s',
    'pkill -x %s',
    'pkill -f "/opt/%s/bin"; sleep 1; nohup /opt/%s/bin/start >/var/log/%s.log 2>&1 &',
    'pgrep -f %s >/dev/null && exit 0 || exit 1',
    'echo %s',
    'echo "date +%s" >> /x',
    'test -e /run/%s.pid',
    '[ -f /run/%s.pid ] && kill -0 $(cat /run/%s.pid)',
    'stat -c %Y /run/%s.pid',
    'stat /run/%s.pid',
    'date -d @%s',
    'date -r /run/%s.pid +%Y',
    'date +%%s > /run/%s.stamp',
    'stat -c %%s /var/log/%s.log',
    'printf "%s restarted\\n" >> /log',
    'printf %s',
    "printf '%%s\\n' %s",
    "awk '/%s/ {print $2}' /x",
    "awk -v n=%s '$1 == n' /x",
    `awk '$1 == "%s" {print}' f`,
    `awk '{print "%s", $1}' f`,
    `awk '{printf $1 > "/run/%s"; print 1, 2}' f`,
    `awk '{printf "%d", $1; print "%s", $2}' f`,
    'bash < /opt/%s/script',
    "ps aux | awk '/[%s]/ {print $2}' | xargs kill",
    'grep -c "%s" f',
    'xargs grep -i %s',
    'xargs -n 1 grep -I %s',
    'ps -C %s -o pid=',
    'git -C /srv/%s pull',
    'git log --grep=%s',
    'git show --pretty %s',
    "find /srv/%s -name '%s*.log' -printf '%p\\n' -delete",
    'find /x -name %s -exec rm {} \\;',
    'tar czf /b/%s.tgz /srv/%s',
    `mysql -e "UPDATE t SET x=1 WHERE name='%s'"`,
    `mysql -e "select concat('%s', x)"`,
    `sqlite3 db "select strftime('%Y'), '%s'"`,
    'logger -t monitor "restart %s"',
    "curl -fsS http://h/%s -w '%{http_code}'",
    `curl -d '{"name": "%s"}' http://h`,
    'mail -s "%s down" root',
    'python3 /opt/%s.py',
    `python3 -c 'd={"a":"%s"}'`,
    `python3 -c "open('/run/%s.pid')"`,
    "perl -e 'kill 9, %s'",
    "perl -pi -e 's/x/%s/' f",
    `node -e 'require("/srv/%s")'`,
    `node -e 'console.log("%s")'`,
    'ssh host systemctl restart %s',
    'ssh %s date',
    'sudo -u %s id',
    "su - %s -c 'date'",
    'su - app -c "/opt/app/bin/%s start"',
    'timeout 5 pgrep -x %s',
    "bash -c 'systemctl restart %s'",
    '# date +%s',
    'systemctl restart %s # date +%s',
    "docker inspect -f '{{.State.Running}}' %s | grep -q true",
    'docker exec %s kill -HUP 1',
    'kubectl rollout restart deployment/%s',
    'supervisorctl restart %s',
    "sed -i 's/%s/x/' f",
    "sed 's%a%b%' /etc/%s.conf",
    'test "$(systemctl is-active %s)" = active',
    'kill $(pgrep -x %s)',
    '$(which %s) reload',
    '$(readlink date) +%s',
    '$(which which) %s',
    'sh /opt/%s/restart.sh',
    '/usr/local/bin/custom_restart.sh %s',
    'date-tool +%s',
    'ls -l /srv/%s',
    'time -p systemctl restart %s',
    '/usr/bin/time -f %E systemctl restart %s',
    'ip link set %s up',
    `echo \${f%.*} \${f%%.*} %s`,
    `echo \${path%/%s}`,
    'screen -dmS %s /opt/x',
    'touch /run/%s.$(date +%Y)',
    'varnishncsa -w /var/log/%s.log',
    'date +%Y-%m-%d',
    `mysql -e "select * from p where name like '%s%'"`,
    `mysql -e "select * from p where name like '%s'"`,
    'echo $(( $(cat /run/%s.n) + 1 ))',
    'test $(( $(pgrep -c %s) )) -gt 0',
    '',
  ])
    assert.deepEqual(ownFormats(command), [], command);
});

test('a %%s that the bash service turned into % and the name is reported if that may have been meant', () => {
  const like = `mysql -e "select * from p where name like '%%s%'"`;
  assert.deepEqual(oncePercentAndName(like), ["LIKE '%%s'"]);
  assert.deepEqual(oncePercentAndName(`echo \${f%%s}`), [`\${NAME%%s}`]);
  assert.match(describeOnceNames(oncePercentAndName(like), like), /is the text %s; write %\$MONITOR_SYSTEM_NAME if/);
  for (const command of [
    'date +%%s',
    "printf '%%s\\n' x",
    `mysql -e "select * from p where name like '%%server%'"`,
    `mysql -e "select * from p where name like '%$MONITOR_SYSTEM_NAME%'"`,
    `mysql -e "select date_format(now(), '%%s') from p where name like 'x%'"`,
    `echo \${f%%s*} \${f%%service} \${f%%.*} \${f%%%s}`,
  ])
    assert.deepEqual(oncePercentAndName(command), [], command);
});

test('how a % and the name are written fits the quotes in which they stand', () => {
  const hint = (template: string): string =>
    / write (.*) if a %/.exec(describeOnceNames(oncePercentAndName(template), template))?.[1] ?? '';
  for (const template of [
    `mysql -e "select * from p where name like '%%s%'"`,
    `echo \${f%%s} "\${f%%s}"`,
    `x="$(mysql -e "select 1 from p where name like '%%s'")"`,
  ])
    assert.equal(hint(template), '%$MONITOR_SYSTEM_NAME', template);
  for (const template of [
    `mysql -e 'select * from p where name like "%%s%"'`,
    `test -n "$(mysql -e 'select 1 from p where name like "%%s"')"`,
    `sh -c 'echo \${f%%s}'`,
    `mysql -e 'select * from p where name like '\\''%%s%'\\'`,
  ]) {
    assert.equal(oncePercentAndName(template).length, 1, template);
    assert.equal(hint(template), "%'%s' in single quotes", template);
    // As it is then written a shell makes of it what is meant.
    const written = withName(template.replace('%%s', "%'%s'"), 'web');
    const words = simpleCommands(written).flatMap(({ words }) => words);
    assert.ok(
      words.some((word) => word.includes('%web')),
      written,
    );
  }
  assert.equal(hint(`a "like '%%s'"; b 'like "%%s"'`), "%$MONITOR_SYSTEM_NAME, or %'%s' in single quotes");
});

test('several are reported together, in one line, with how each is written', () => {
  const found = ownFormats('date +%s; stat -c %s f; printf %s x; find . -printf %s');
  assert.equal(found.length, 4);
  const line = describeOwnFormats(found);
  assert.match(line, /date \+%s, stat -c %s, printf '%s' and 1 more/);
  assert.match(line, /date \+%%s, stat -c %%s, printf '%%s'/);
});

test('nothing of the command itself is shown: it may be a secret', () => {
  const told = describeOwnFormats(ownFormats("printf 'user=root password=hunter2 %s' x; date '+hunter2 %s'"));
  assert.doesNotMatch(told, /hunter2/);
});

test('whatever a command is, it is looked through, and soon', () => {
  const whole = [
    'sudo ',
    'find -exec ',
    'eval ',
    'xargs ',
    'bash -c ',
    '$(',
    '`',
    'printf "',
    'strftime(',
    'sed s%',
    '{',
    "awk '",
    'env A=b ',
    'ssh h ',
  ];
  const before = process.cpuUsage();
  for (const piece of whole) {
    ownFormats(`${piece.repeat(20_000 / piece.length)} date +%s`);
    ownFormats(`${piece.repeat(10_000 / piece.length)}${'%s '.repeat(3000)}`);
    for (const other of whole) ownFormats(`${(piece + other).repeat(10_000 / (piece + other).length)} '%s', "%s"`);
  }
  const { user, system } = process.cpuUsage(before);
  assert.ok((user + system) / 1000 < 20_000, `${(user + system) / 1000} ms`);
});
