import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { containerSql, makeContainerAlarms } from '../helpers/container-sqlite.ts';
import { callDaemon, DAEMON_UNIT, installDaemon } from '../helpers/installed-daemon.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { SYSV_GENERATOR, sysvProblem } from '../helpers/sysv-generator.ts';
import { waitFor } from '../helpers/wait-for.ts';

// The daemon as it ships, in its sandbox under a real systemd, with units that hang, wait, are skipped, or stay active without a process.

const skip = skipUnless(containerProblem());
const options = { skip, timeout: 120_000 };
const sysv = { ...options, skip: skip || skipUnless(sysvProblem()) };
const DATABASE = '/var/lib/monitor_service/alarms.db';
const LOG = '/var/log/monitor_service.log';
const NAMES = ['legacyd', 'hungjob', 'conditiond'];
let container: SystemdContainer;

const CONFIGURATION = `
[database]
driver = sqlite
path = ${DATABASE}
[monitor]
check_interval = 1
only_configured = true
[process.default]
restart_strategy = service
[process.legacyd]
watch_exit = true
max_attempts = 1
[process.hungjob]
command_timeout = 5
[process.conditiond]
max_attempts = 1
`;

const UNITS: Readonly<Record<string, readonly string[]>> = {
  hungjob: ['[Service]', 'Type=oneshot', "ExecStart=/bin/sh -c '[ -e /run/hungjob.ok ] && exit 0; sleep 100000'"],
  conditiond: ['[Unit]', 'ConditionPathExists=/run/conditiond.ok', '[Service]', 'ExecStart=/bin/sleep 600'],
};

before(async () => {
  if (skip !== false) return;
  container = await bootSystemdContainer();
  for (const [name, lines] of Object.entries(UNITS))
    writeFileSync(container.path(`/etc/systemd/system/${name}.service`), `${lines.join('\n')}\n`);
  if (sysvProblem() === undefined) addSysvService();
  await makeContainerAlarms(container, DATABASE, NAMES);
  await installDaemon(container, CONFIGURATION);
  await container.read(['systemctl', 'start', DAEMON_UNIT]);
});
after(() => container?.stop());

/** A script that puts a daemon into the background without a word of its pid, and the daemon, which lives as long as the file says. */
function addSysvService(): void {
  const generators = container.path('/usr/lib/systemd/system-generators');
  mkdirSync(generators, { recursive: true });
  copyFileSync(SYSV_GENERATOR, `${generators}/systemd-sysv-generator`);
  const script = [
    '#!/bin/sh',
    '### BEGIN INIT INFO',
    '# Provides: legacyd',
    '# Required-Start:',
    '# Required-Stop:',
    '# Default-Start: 2 3 4 5',
    '# Default-Stop:',
    '### END INIT INFO',
    'case $1 in start) setsid /opt/legacyd-bin & exit 0 ;; stop) pkill -x legacyd-bin ;; esac',
    'exit 0',
  ];
  writeFileSync(container.path('/etc/init.d/legacyd'), `${script.join('\n')}\n`, { mode: 0o755 });
  const daemon = [
    '#!/usr/bin/perl',
    "open my $file, '<', '/opt/legacyd.lives'; my $s = <$file>; $| = 1;",
    'print "no memory for $s s\\n"; select undef, undef, undef, $s;',
  ].join('\n');
  writeFileSync(container.path('/opt/legacyd-bin'), daemon, { mode: 0o755 });
  legacydLives(600);
}

function legacydLives(seconds: number): void {
  writeFileSync(container.path('/opt/legacyd.lives'), String(seconds));
}

interface Shown {
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
}

async function shown(name: string): Promise<Shown> {
  const { stdout } = await callDaemon(container, 'status', '--json');
  const { processes } = JSON.parse(stdout) as { processes: Shown[] };
  return processes.find((process) => process.name === name) ?? assert.fail(stdout);
}

async function becomes(name: string, state: string): Promise<Shown> {
  return known(`${name} is ${state}`, async () => {
    const now = await shown(name);
    return now.state === state ? now : undefined;
  });
}

/** waitFor that shows the log if it does not come. */
async function known<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  try {
    return (await waitFor(what, look, 40_000)) as NonNullable<T>;
  } catch (error) {
    throw new Error(`${String(error)}\n${logged()}`);
  }
}

/** The lines of the log, since the end of `from`. */
function logged(from = ''): string {
  return readFileSync(container.path(LOG), 'utf8').slice(from.length);
}

async function property(name: string, unit: string): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();
}

/** The lines that a command says; fails if it does. */
async function said(...args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await callDaemon(container, ...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  return stdout.split('\n');
}

/** From the alarm to its clearing: the log of that time. */
async function healed(name: string): Promise<string> {
  const before = logged();
  await raise(name);
  await known(`the alarm of ${name} is cleared`, async () => !(await isInAlarm(name)));
  return logged(before);
}

async function raise(name: string): Promise<void> {
  const id = NAMES.indexOf(name) + 1;
  await containerSql(container, DATABASE, `UPDATE STATUS_PROCESS SET alarma=1, sound=0, notes='t' WHERE process_id=${id}`);
}

async function isInAlarm(name: string): Promise<boolean> {
  const id = NAMES.indexOf(name) + 1;
  const [row] = await containerSql(container, DATABASE, `SELECT alarma FROM STATUS_PROCESS WHERE process_id=${id}`);
  return row?.alarma !== 0;
}

async function pidOfLegacyd(): Promise<number> {
  return Number((await container.exec(['pgrep', '-x', 'legacyd-bin'])).stdout);
}

/** Its first attempt was its last: nothing of it failed. */
function assertFirstAttempt(log: string, name: string, detail: string): void {
  assert.doesNotMatch(log, /failed|\(attempt 2/i);
  assert.match(log, new RegExp(`RESTART LOG: Restart command executed for ${name}: ${detail}\n`));
  assert.match(log, new RegExp(`Health check passed for ${name} `));
  assert.match(log, new RegExp(`RESTART LOG: Successfully restarted and verified process: ${name}\n`));
  assert.match(log, new RegExp(`DB UPDATE LOG: Alarm cleared for ${name} `));
}

test('D2: a oneshot that hangs is restarted by force, within its first attempt', options, async () => {
  await container.read(['systemctl', 'start', '--no-block', 'hungjob']);
  await waitFor('it hangs', async () => (await property('SubState', 'hungjob')) === 'start');
  writeFileSync(container.path('/run/hungjob.ok'), '');
  const log = await healed('hungjob');
  assertFirstAttempt(log, 'hungjob', 'systemctl restart hungjob.service by force: it was activating \\(start\\) for 5 s');
  assert.deepEqual([await property('Result', 'hungjob'), await property('ActiveState', 'hungjob')], ['success', 'inactive']);
});

test('a condition that is not met is the reason in the log, in status NAME and in match', options, async () => {
  const reason =
    'systemctl start conditiond.service: systemd skipped its start: ConditionPathExists=/run/conditiond.ok is not met';
  const before = logged();
  await raise('conditiond');
  await known('its breaker opens', () => /Circuit breaker opened for conditiond/.test(logged(before)));
  assert.ok(logged(before).includes(`RESTART LOG: Failed to restart conditiond: ${reason}`), logged(before));
  const details = await said('status', 'conditiond');
  assert.equal(details.filter((line) => line.includes(` failed: ${reason}`)).length, 3, details.join('\n'));
  // systemd has forgotten the unit meanwhile, with how its condition was tested: nothing refers to it.
  const warning =
    /conditiond\.service is inactive \(dead\): (it is started only if )?ConditionPathExists=\/run\/conditiond\.ok( is not met)?$/;
  assert.ok(
    details.some((line) => line.startsWith('warning') && warning.test(line)),
    details.join('\n'),
  );
  assert.ok((await said('match', 'conditiond')).some((line) => line.startsWith('  warning: ') && warning.test(line)));
  assert.equal((await shown('conditiond')).state, 'open');
});

test('D1: a SysV service has ended once its daemon has, and is healed', sysv, async () => {
  await container.read(['systemctl', 'start', 'legacyd']);
  await becomes('legacyd', 'ok');
  const [first, before] = [await pidOfLegacyd(), logged()];
  await container.read(['kill', '-KILL', String(first)]);
  await known('it is healed', () => /Alarm cleared for legacyd/.test(logged(before)));
  assert.match(logged(before), new RegExp(`Process exited: legacyd: signal SIGKILL \\(pid ${first}, `));
  assertFirstAttempt(logged(before).replace(/^.*Process exited.*\n/m, ''), 'legacyd', 'systemctl restart legacyd.service');
  assert.notEqual(await pidOfLegacyd(), first);
  await becomes('legacyd', 'ok');
});

const HOLLOW_STOP = /would stop: +legacyd\.service: active \(exited\), but none of its processes runs any more$/m;

test('a SysV service whose daemon is gone, without an alarm, is down', sysv, async () => {
  await said('hold', 'legacyd', '--for', '10m');
  await container.read(['kill', '-KILL', String(await pidOfLegacyd())]);
  await known('its alarm', () => isInAlarm('legacyd'));
  await containerSql(container, DATABASE, 'UPDATE STATUS_PROCESS SET alarma=0 WHERE process_id=1');
  await said('release', 'legacyd');
  const down = await becomes('legacyd', 'down');
  assert.match(down.reason ?? '', /^ended: signal SIGKILL/);
  assert.match((await said('status')).join('\n'), /^legacyd +\S.* down\b/m);
  assert.equal((await callDaemon(container, 'status', '--check')).code, 1);
  assert.deepEqual(
    [await property('ActiveState', 'legacyd'), await property('SubState', 'legacyd')],
    ['active', 'exited'],
    'which is no health',
  );
  // Nor does another daemon take it for well.
  await container.read(['systemctl', 'restart', DAEMON_UNIT]);
  await becomes('legacyd', 'down');
  assert.match((await said('match', 'legacyd')).join('\n'), HOLLOW_STOP);
});
