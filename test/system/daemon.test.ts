import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { CheckStatus, DaemonStatus } from '../../src/control/status.ts';
import { ensureMariadb, mariadbProblem, newDataCommand, serverCommand } from '../helpers/mariadb-programs.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';

// The package, installed as the README says on a machine with a real systemd and a MariaDB, and what it does there.

const project = join(import.meta.dirname, '../..');
const skip = skipUnless(containerProblem() ?? mariadbProblem());
const UNIT = 'monitor_service.service';
const LOG = '/var/log/monitor_service.log';
let container: SystemdContainer;

before(async () => {
  if (skip !== false) return;
  container = await bootSystemdContainer();
  rmSync(container.path('/opt/monitor_service'), { recursive: true, force: true });
  makePackage(container.path('/root'));
  await startDatabase();
});
after(() => container?.stop());

/** On data of its own: those of this machine may be large, and there may be no unit that runs them. */
async function startDatabase(): Promise<void> {
  const server = ensureMariadb();
  await container.read(newDataCommand(server, '/srv/database'));
  const unit = ['--unit=database', '--service-type=notify', '--property=RuntimeDirectory=mysqld'];
  await container.read(['systemd-run', '--quiet', ...unit, '--', ...serverCommand(server, '/srv/database')]);
}

/** `npm run package`, less the build that came before the tests. */
function makePackage(folder: string): void {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const name = execFileSync(join(project, '.ci/package'), { env: { ...process.env, PATH: path }, encoding: 'utf8' }).trim();
  copyFileSync(join(project, name), join(folder, name));
  rmSync(join(project, name));
}

function shell(line: string): Promise<string> {
  return container.read(['bash', '-e', '-c', line], { limitMs: 120_000 });
}

async function sql(statement: string): Promise<string> {
  return (await container.read(['mysql', '--batch', '--skip-column-names', 'v_process_monitor', '-e', statement])).trim();
}

async function property(name: string, unit = UNIT): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();
}

function journal(): Promise<string> {
  return shell(`journalctl --sync; journalctl --no-pager --output=cat -u ${UNIT}`);
}

/** Waits for a line in the journal of the unit, and shows the journal where it does not come. */
async function logged(pattern: RegExp, limitMs = 30_000): Promise<void> {
  try {
    await waitFor(String(pattern), async () => pattern.test(await journal()), limitMs);
  } catch (error) {
    throw new Error(`${String(error)}\n${await journal()}`);
  }
}

async function alarm(name: string): Promise<void> {
  await sql(
    `UPDATE STATUS_PROCESS SET alarma = 1, notes = 'by the test' WHERE process_id = (SELECT process_id FROM PROCESE WHERE process_name = '${name}')`,
  );
  const inAlarm = `SELECT COUNT(*) FROM STATUS_PROCESS JOIN PROCESE USING (process_id) WHERE process_name = '${name}' AND alarma = 1`;
  try {
    await waitFor(`the alarm of ${name} cleared`, async () => (await sql(inAlarm)) === '0');
  } catch (error) {
    throw new Error(`${String(error)}\n${await journal()}`);
  }
}

const ADDED_CONFIGURATION = `
[process.webd]
restart_strategy = service

[process.worker]
restart_strategy = process
user = other

[process.script]
restart_strategy = custom
restart_command = setsid sleep 987 & echo $! > /run/script.pid
health_check_command = kill -0 "$(cat /run/script.pid)"
`;

/** Install, steps 2 to 5, as they stand in the README; the lines between are what a person does there by hand. */
const INSTALLATION = [
  'tar -C /opt -xzf monitor_service-*-linux-*.tar.gz',
  'chown -R root:root /opt/monitor_service',
  'chmod 700 /opt/monitor_service',
  'chmod 600 /opt/monitor_service/config.ini',
  'ln -sfn /opt/monitor_service/bin/monitor_service /usr/local/bin/monitor_service',
  'mysql < /opt/monitor_service/setup.sql',
  'monitor_service check-config --database',
  'cp /opt/monitor_service/monitor_service.service /etc/systemd/system/',
  'systemctl daemon-reload',
  'install -D -m 644 /opt/monitor_service/monitor_service.8 /usr/local/share/man/man8/monitor_service.8',
  'systemctl enable --now monitor_service',
];

test('it is installed as the README says', { skip }, async () => {
  const readme = readFileSync(join(project, 'README.md'), 'utf8').split('\n');
  for (const step of INSTALLATION) {
    assert(
      readme.some((line) => line.replace(/\s+#.*/, '') === step),
      `the README says: ${step}`,
    );
    if (step.startsWith('monitor_service check-config')) await configure();
    if (step.startsWith('systemctl enable'))
      assert.equal(await shell(`systemd-analyze verify /etc/systemd/system/${UNIT} 2>&1`), '');
    await shell(`cd /root; ${step}`);
  }
  assert.equal(await property('ActiveState'), 'active');
  await logged(/monitor_service \S+ started \(pid \d+\): .*commands run through systemd, mode act/);
});

async function configure(): Promise<void> {
  await sql(`CREATE USER 'monitor_service'@'localhost' IDENTIFIED BY 'pa#ss;word';
    GRANT SELECT ON v_process_monitor.PROCESE TO 'monitor_service'@'localhost';
    GRANT SELECT, UPDATE (alarma, notes) ON v_process_monitor.STATUS_PROCESS TO 'monitor_service'@'localhost';
    DELETE FROM STATUS_PROCESS; DELETE FROM PROCESE;
    INSERT INTO PROCESE (process_id, process_name) VALUES (1, 'webd'), (2, 'worker'), (3, 'script');
    INSERT INTO STATUS_PROCESS (process_id, alarma, sound, notes) VALUES (1, 0, 0, NULL), (2, 0, 0, ''), (3, 0, 0, NULL)`);
  const path = container.path('/opt/monitor_service/config.ini');
  const shipped = readFileSync(path, 'utf8');
  const [head = ''] = shipped.split(/^\[process\.(?!default)/m);
  const edited = head
    .replace(/^password = .*$/m, 'password = pa#ss;word')
    .replace(/^check_interval = .*$/m, 'check_interval = 0.5')
    .replace(/^;?group =\s.*$/m, 'group = adm');
  writeFileSync(path, edited + ADDED_CONFIGURATION);
  // The programs that it is to look after: a unit, and a plain process of another user's.
  writeFileSync(container.path('/etc/systemd/system/webd.service'), '[Service]\nExecStart=/bin/sleep 600\n');
  await shell(`useradd --create-home --home-dir /home/other other; install -d -o other -m 700 /home/other/app
    install -o other /usr/bin/sleep /home/other/app/worker; systemctl daemon-reload; systemctl start webd
    (cd /home/other/app && TOKEN='a secret' exec setsid setpriv --reuid=other --regid=other --init-groups \\
      bash -c 'exec -a "worker of mine" ./worker 654') </dev/null >/dev/null 2>&1 &
    sleep 0.2`);
}

function pidOf(program: string): Promise<string> {
  return shell(`for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" != ${program} ] || echo \${p#/proc/}; done`).then((text) =>
    text.trim(),
  );
}

test('the license texts of what it holds are there', { skip }, async () => {
  const text = await shell('cat /opt/monitor_service/dist/THIRD-PARTY-LICENSES /opt/monitor_service/bin/node.LICENSE');
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const versions = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')).packages;
  for (const name of Object.keys(dependencies))
    assert.ok(text.includes(`\n${name} ${versions[`node_modules/${name}`].version}\n`), name);
  assert.match(text, /Node\.js is licensed for use as follows/);
  assert.ok(text.split('Permission is hereby granted').length > 20, 'the texts themselves');
});

test('a unit in alarm is healed', { skip }, async () => {
  await shell('systemctl kill --signal=KILL webd');
  await waitFor('its death', async () => (await property('ActiveState', 'webd')) === 'failed');
  await alarm('webd');
  assert.equal(await property('ActiveState', 'webd'), 'active');
  assert.match(
    await sql('SELECT notes FROM STATUS_PROCESS WHERE process_id = 1'),
    /^by the test - Restarted at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  );
});

test('a plain process in alarm is started as it was, and outside of the sandbox', { skip }, async () => {
  const pid = await waitFor('the worker', () => pidOf('/home/other/app/worker'));
  await container.read(['kill', '-KILL', pid]);
  await alarm('worker');
  const again = await pidOf('/home/other/app/worker');
  assert.notEqual(again, pid);
  assert.equal(await shell(`tr '\\0' '|' < /proc/${again}/cmdline`), 'worker of mine|654|');
  assert.match(await shell(`tr '\\0' '\\n' < /proc/${again}/environ`), /^TOKEN=a secret$/m);
  assert.equal((await shell(`readlink /proc/${again}/cwd; stat -c %U /proc/${again}`)).trim(), '/home/other/app\nother');
  assert.match(await shell(`cat /proc/${again}/cgroup`), /monitor_service-app-worker\.service/);
});

test('a command leaves its daemon behind', { skip }, async () => {
  await alarm('script');
  await shell('kill -0 "$(cat /run/script.pid)"');
});

test('status, log file and journal report it', { skip }, async () => {
  await waitFor('the status at rest', async () => (await property('StatusText')) === '0 in alarm, 0 recovering, db ok');
  const status = JSON.parse(await shell('monitor_service status --json'));
  assert.equal(String(status.pid), await property('MainPID'));
  const log = container.path('/var/log/monitor_service.log');
  const lines = readFileSync(log, 'utf8');
  for (const name of ['webd', 'worker', 'script']) {
    assert.match(
      lines,
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  \\[INFO\\] - RESTART LOG: Successfully restarted and verified process: ${name}`,
        'm',
      ),
    );
  }
  assert.equal(statSync(log).mode & 0o777, 0o640);
  assert.equal((await shell('stat -c %G /var/log/monitor_service.log')).trim(), 'adm');
  const said = (await journal()).match(/Successfully restarted and verified process: webd/g);
  assert.equal(said?.length, 1, 'no line twice');
  for (const secret of ['pa#ss', 'a secret']) assert(!(await journal()).includes(secret) && !lines.includes(secret));
});

test('a reload takes up a good file, and refuses a bad one visibly', { skip }, async () => {
  const path = container.path('/opt/monitor_service/config.ini');
  const good = readFileSync(path, 'utf8');
  writeFileSync(path, good.replace('check_interval = 0.5', 'check_interval = 0.6'));
  await shell('systemctl reload monitor_service');
  await logged(/Configuration reloaded: .*check_interval[^;]*; by root \(monitor_client\), started by systemd/);
  writeFileSync(path, good.replace('check_interval = 0.5', 'check_interval = soon'));
  assert.notEqual((await container.exec(['systemctl', 'reload', 'monitor_service'])).code, 0);
  assert.equal(await property('ActiveState'), 'active');
  writeFileSync(path, good);
  await shell('systemctl reload monitor_service');
});

test('in its sandbox it notices itself that a watched program dies', { skip }, async () => {
  const path = container.path('/opt/monitor_service/config.ini');
  const good = readFileSync(path, 'utf8');
  const watching = good.replace('[process.worker]\n', '[process.worker]\nwatch_exit = true\n');
  writeFileSync(path, watching.replace('check_interval = 0.5', 'check_interval = 300'));
  await shell('systemctl reload monitor_service');
  const status = async () => JSON.parse(await shell('monitor_service status --json'));
  const watched = async (): Promise<number | undefined> =>
    (await status()).processes.find(({ name }: { name: string }) => name === 'worker')?.watched?.pid;
  const pid = Number(await pidOf('/home/other/app/worker'));
  await waitFor('it is watched', async () => (await watched()) === pid);
  assert.match((await status()).exitWatch, /^exits by pidfd, /);
  await container.read(['kill', '-SEGV', String(pid)]);
  const notes = (): Promise<string> => sql('SELECT notes FROM STATUS_PROCESS WHERE process_id = 2');
  const healed = new RegExp(`signal SIGSEGV.* \\(pid ${pid}, up .*\\) - Restarted at [-\\d]+ [:\\d]+$`);
  await waitFor('it is healed', async () => healed.test(await notes())).catch(async (error) => {
    throw new Error(`${String(error)}\n${await notes()}\n${await journal()}`);
  });
  assert.notEqual(Number(await pidOf('/home/other/app/worker')), pid);
  writeFileSync(path, good);
  await shell('systemctl reload monitor_service');
});

/** The story of an incident without what differs each time, and with its blanks as they are. */
function plainStory(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [+-]\d{4})?/g, 'TIME')
    .replace(/\d+(?:\.\d+)? (?:s|ms|min)\b/g, 'DURATION')
    .replace(/incident \d+/, 'incident N');
}

const STORY = `webd: incident N, TIME, over after DURATION
first sign: the check page
TIME  check page is failing: status 404 (expected 2xx)
TIME  alarm raised by check page, in the store: check page: status 404 (expected 2xx)
TIME  alarm found: check page: status 404 (expected 2xx)
TIME  recovery begins: webd, strategy service
TIME  attempt 1: systemctl restart webd.service
TIME  health check passed after DURATION
TIME  recovered: 1 attempt, DURATION
TIME  alarm cleared DURATION after it was found
TIME  check page is ok
It was healed: nothing has to be done.
`;

test('a web server whose page is gone is healed by its check, which looks without root, and cleared once the page is back', {
  skip,
}, async () => {
  const path = container.path('/opt/monitor_service/config.ini');
  const good = readFileSync(path, 'utf8');
  const server =
    'systemd-run --quiet --unit=httpd -p RuntimeDirectory=web python3 -m http.server -d /run/web --bind 127.0.0.1 8086';
  // The page is what another unit makes, two seconds after it is up.
  const unit = '[Service]\nExecStart=/bin/bash -c "sleep 2; echo well > /run/web/page; exec sleep 600"\n';
  writeFileSync(container.path('/etc/systemd/system/webd.service'), unit);
  const check =
    '[check.page]\ntype = url\nurl = http://user:secret-word@127.0.0.1:8086/page\nexpect_body = well\nprocess = webd';
  const keys = 'interval = 1\nretry_interval = 1\nstart_grace = 1\ntimeout = 30\n';
  const healed = good.replace('[process.webd]\n', '[process.webd]\nhealth_check_timeout = 60\n');
  writeFileSync(path, `${healed}\n${check}\n${keys}`);
  await shell(`${server}; systemctl daemon-reload; systemctl restart webd; systemctl reload monitor_service`);
  const state = async (): Promise<string> => JSON.parse(await shell('monitor_service status --json')).checks?.[0]?.state;
  await waitFor('the page is well', async () => (await state()) === 'ok').catch(async (error) => {
    throw new Error(`${String(error)}\n${await shell('monitor_service status; journalctl --no-pager -t monitor_worker')}`);
  });
  const worker = (await shell("systemctl list-units --no-legend --plain 'monitor_service-worker-*' | cut -d' ' -f1")).trim();
  const pid = await property('MainPID', worker);
  const uid = (await shell(`stat -c %u /proc/${pid}`)).trim();
  assert.notEqual(uid, '0');
  const notes = 'check page: status 404 (expected 2xx)';
  await shell('rm /run/web/page');
  const isHealed = async (): Promise<boolean> =>
    (await sql('SELECT CONCAT(alarma, notes) FROM STATUS_PROCESS WHERE process_id = 1')).startsWith(`0${notes} - Restarted`);
  await waitFor('it is healed', isHealed).catch(async (error) => {
    throw new Error(`${String(error)}\n${await journal()}`);
  });
  assert(existsSync(container.path('/run/web/page')), 'the page was there before the alarm was cleared');
  await waitFor('the check is ok again', async () => (await state()) === 'ok');
  assert.equal(plainStory(await shell('monitor_service why webd')), STORY);
  for (const line of ['monitor_service status --json', 'monitor_service check --json', 'monitor_service history', `cat ${LOG}`])
    assert(!(await shell(line)).includes('secret-word'), line);
  // It ends with the daemon, and nothing else does.
  await shell('systemctl stop monitor_service');
  await waitFor('the worker has ended', async () => (await property('ActiveState', worker)) === 'inactive');
  assert.equal(await property('ActiveState', 'webd'), 'active');
  writeFileSync(container.path('/etc/systemd/system/webd.service'), '[Service]\nExecStart=/bin/sleep 600\n');
  writeFileSync(path, good);
  await shell('systemctl stop httpd; systemctl daemon-reload; systemctl restart webd; systemctl start monitor_service');
});

test('checks of the host, of files that the unit hides, of a journal, by a schedule, and of a group of them', {
  skip,
}, async () => {
  const path = container.path('/opt/monitor_service/config.ini');
  const good = readFileSync(path, 'utf8');
  const sections = [
    '[check.default]\ninterval = 1\nretry_interval = 1\ntimeout = 60',
    // Of the host that the container runs on: whether it is well is not what is tested.
    '[check.host]\ntype = host\nroot_programs = /usr/bin/true\nzombies = off',
    `[check.file]\ntype = file\npath = /home/someone/file\nsha256 = ${createHash('sha256').update('here\n').digest('hex')}`,
    '[check.log]\ntype = log\njournal = talkd\npattern = /^disk .* failed$/',
    '[check.each]\ntype = command\ncommand = true\nschedule = * * * * *\ntimezone = Asia/Kolkata',
    '[check.all]\ntype = group\nmembers = file, log',
  ];
  await shell('mkdir -p /home/someone; echo here > /home/someone/file; systemd-run --quiet --unit=talkd sleep 600');
  writeFileSync(path, `${good}\n${sections.join('\n')}\n`);
  await shell('systemctl reload monitor_service');
  const states = async (): Promise<Record<string, CheckStatus>> => {
    const { checks } = JSON.parse(await shell('monitor_service status --json')) as DaemonStatus;
    return Object.fromEntries((checks ?? []).map((check) => [check.name, check]));
  };
  const until = (what: string, isSo: (states: Record<string, CheckStatus>) => boolean): Promise<unknown> =>
    waitFor(what, async () => isSo(await states())).catch(async (error) => {
      throw new Error(
        `${String(error)}\n${await shell('monitor_service status --json; journalctl --no-pager -t monitor_worker')}`,
      );
    });
  await until(
    'all have looked',
    ({ file, log, all, 'host/root_programs': host }) =>
      [file, log, all].every((check) => check?.state === 'ok') && host?.state === 'failing',
  );
  const { 'host/root_programs': host, ...others } = await states();
  assert.match(host?.reason ?? '', /other programs run as root: /);
  assert.equal(others['host/swap_percent']?.lookedAt !== null, true);
  assert(
    Object.keys(others).some((name) => name.startsWith('host/disk_percent:/')),
    'its filesystems',
  );
  await shell("systemctl stop talkd; systemd-run --quiet --wait --unit=talkd sh -c 'echo disk sda failed; sleep 1'");
  await waitFor('the line is seen', async () =>
    (await journal()).includes('Check log is failing: 1 new line matches /^disk .* failed$/'),
  );
  await until('that is over', ({ log }) => log?.state === 'ok');
  await shell('echo other > /home/someone/file');
  await until('the file has changed', ({ file, all }) => file?.state === 'failing' && all?.state === 'failing');
  assert.equal((await states()).all?.reason, '1 of 2 are ok (expected at least 2): file is failing');
  await until('the minute has come', ({ each }) => each?.state === 'ok');
  writeFileSync(path, good);
  await shell('systemctl reload monitor_service; rm -r /home/someone');
});

test('a daemon that hangs is killed by the watchdog, and starts again', { skip }, async () => {
  mkdirSync(container.path(`/run/systemd/system/${UNIT}.d`), { recursive: true });
  writeFileSync(container.path(`/run/systemd/system/${UNIT}.d/test.conf`), '[Service]\nWatchdogSec=2\n');
  await shell('systemctl daemon-reload; systemctl restart monitor_service');
  const pid = await property('MainPID');
  await container.read(['kill', '-STOP', pid]);
  await waitFor('another daemon', async () => {
    return !['0', pid].includes(await property('MainPID')) && (await property('ActiveState')) === 'active';
  });
  await shell('systemctl kill --signal=KILL webd');
  await alarm('webd');
});

/** As a bash service's configuration has it. */
const MIGRATED_CONFIGURATION = `
[process.legacyd]
restart_strategy = process  # Strategy: service, process, auto, or custom
health_check_command = pgrep %s  # Command to verify successful restart
health_check_timeout = 10   # Maximum time in seconds to wait for health check to pass
restart_delay = 1           # Delay between restart attempts

[process.reportd]
restart_strategy = process
health_check_command = pgrep %s
health_check_timeout = 10
restart_delay = 1
`;

test('migrated, root’s daemons are healed without a word; one that others can change is named before, and healed once pinned', {
  skip,
}, async () => {
  const path = container.path('/opt/monitor_service/config.ini');
  const before = readFileSync(path, 'utf8');
  await shell(`install /usr/bin/sleep /usr/sbin/legacyd; install -d -o other /home/other/tool
    printf '#!/bin/bash\n/usr/bin/sleep 600\n:\n' > /home/other/tool/reportd; chmod 755 /home/other/tool/reportd
    cd /; for program in '/usr/sbin/legacyd 600' '/home/other/tool/reportd'; do
      setsid $program </dev/null >/dev/null 2>&1 &
    done`);
  await sql(`INSERT INTO PROCESE (process_id, process_name) VALUES (4, 'legacyd'), (5, 'reportd'), (6, '/usr/sbin/legacyd');
    INSERT INTO STATUS_PROCESS (process_id, alarma, sound, notes) VALUES (4, 0, 0, NULL), (5, 0, 0, NULL), (6, 0, 0, NULL)`);
  writeFileSync(path, before + MIGRATED_CONFIGURATION);
  await shell('systemctl restart monitor_service');
  const named =
    /reportd would not be started again: it would be started as root: \/home\/other belongs to user \d+; run `monitor_service pin reportd` or set start_command/;
  await logged(named);
  assert.doesNotMatch(await journal(), /legacyd/);
  // Under the shell of an administrator, who is in no sandbox.
  assert.match(
    await shell('monitor_service check-config 2>&1'),
    new RegExp(`\\[process\\.reportd\\] .*${named.source.slice(8)}`),
  );
  assert.match(
    (await container.exec(['monitor_service', 'match', 'reportd'])).stdout,
    /would fail: it would be started as root: /,
  );
  assert.match(await shell('monitor_service status'), new RegExp(`reportd .*\\n.*${named.source.slice(8)}`));
  const legacy = await pidOf('/usr/sbin/legacyd');
  await container.read(['kill', '-KILL', legacy]);
  await alarm('legacyd');
  assert.notEqual(await pidOf('/usr/sbin/legacyd'), legacy);
  const kill = 'kill -KILL -- "$(pgrep -x reportd)"; while pgrep -x reportd; do sleep 0.05; done';
  await shell(kill);
  await sql('UPDATE STATUS_PROCESS SET alarma = 1 WHERE process_id = 5');
  await logged(/Failed to restart reportd: it would be started as root: /);
  assert.equal((await container.exec(['pgrep', '-x', 'reportd'])).code, 1);
  assert.match(
    await shell('monitor_service pin --all --yes'),
    /executes: +\/home\/other\/tool\/reportd .*\npinned: reportd\ncircuit breaker closed: reportd\n$/s,
  );
  await alarm('reportd');
  await shell('pgrep -x reportd');
  assert.doesNotMatch(await shell('monitor_service status'), /would not be started again/);
  // What stands in a row says neither what is started nor what it is called.
  const running = await pidOf('/usr/sbin/legacyd');
  await sql('UPDATE STATUS_PROCESS SET alarma = 1 WHERE process_id = 6');
  await logged(/"\/usr\/sbin\/legacyd" holds a "\/": set system_name/);
  assert.equal(await pidOf('/usr/sbin/legacyd'), running);
  await shell('monitor_service unpin --all; systemctl stop monitor_service-app-legacyd monitor_service-app-reportd');
  await sql('DELETE FROM STATUS_PROCESS WHERE process_id > 3; DELETE FROM PROCESE WHERE process_id > 3');
  writeFileSync(path, before);
  await shell('systemctl reload monitor_service');
});

test('the manual page is there', { skip }, async () => {
  assert.match(await shell('MANWIDTH=80 man monitor_service | cat'), /monitor_service/);
  assert.equal(await shell('man --warnings monitor_service 2>&1 >/dev/null'), '');
});

test('stopped, it leaves everything alive that it restarted, and nothing of its own', { skip }, async () => {
  const worker = await pidOf('/home/other/app/worker');
  await shell('systemctl stop monitor_service');
  assert.deepEqual([await property('Result'), await property('ExecMainStatus')], ['success', '0']);
  await shell(`kill -0 ${worker} "$(cat /run/script.pid)"`);
  assert.equal(await property('ActiveState', 'webd'), 'active');
  assert(!existsSync(container.path('/run/monitor_service')));
  assert.equal((await shell("systemctl list-units --plain --no-legend --failed 'monitor_service*'")).trim(), '');
  await logged(/monitor_service stopped/);
});
