import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { containerSql, makeContainerAlarms } from '../helpers/container-sqlite.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { runInside } from '../helpers/run-inside.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';

// How PID 1 is spoken to, on a real systemd: whatever becomes of the message bus, of PID 1 and of the machine meanwhile. The files
// under inside/ are tests that run in a container.

const skip = skipUnless(containerProblem());
const UNIT = 'monitor_service.service';
const STOPPED_MS = 20_000;
let container: SystemdContainer;

before(async () => {
  if (skip === false) container = await bootSystemdContainer();
});
after(() => container?.stop());

for (const suite of ['bus', 'reexec', 'many', 'secrets', 'pgrep', 'surroundings']) {
  test(`under a real systemd: pid1-${suite}`, { skip }, (t) => runInside(t, container, `pid1-${suite}`));
}

test('in its sandbox the daemon can do all of its work over the private socket, and over the bus', { skip }, async () => {
  const probe = 'pid1-probe.service';
  const report = '/var/log/pid1-probe.json';
  const target = 'pid1-probed.service';
  installUnit(target, '[Service]\nExecStart=/bin/sleep 600\n');
  const script = `${container.project}/test/system/inside/pid1-sandbox-probe.ts`;
  installUnit(probe, sandboxed([container.node, script, target, '/var/lib/pid1-probe', report]));
  await container.read(['systemctl', 'daemon-reload']);
  await container.read(['systemctl', 'start', target, probe]);
  const text = await waitFor('the report', async () => {
    const [active, path] = [await property('ActiveState', probe), container.path(report)];
    assert.equal(active, 'active', (await container.exec(['journalctl', '-u', probe, '--no-pager'])).stdout);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
  const ended = { kind: 'exited', exitCode: 3, output: 'NoNewPrivs:\t0\na value\n' };
  const expected = {
    restarted: { kind: 'done' },
    isAnother: true,
    isActive: 'active',
    check: ended,
    action: ended,
    asOther: { kind: 'exited', exitCode: 0, output: 'nobody\n' },
    launched: 'launched',
  };
  assert.deepEqual(JSON.parse(text), { private: { ...expected, way: 'private' }, bus: { ...expected, way: 'bus' } });
  await container.read(['systemctl', 'stop', probe]);
  assert.equal(await property('Result', probe), 'success');
  const programs = await container.read(['systemctl', 'stop', 'monitor_service-app-pid1*']);
  assert.equal(programs, '');
});

test('PID 1 stands still for 20 s: neither we nor the daemon are delayed or killed, and it ends correctly', {
  skip,
}, async (t) => {
  const pid = await startDaemon();
  const signpost = (name: string): string => container.path(`/run/pid1-stopped/${name}`);
  const inside = runInside(t, container, 'pid1-stopped');
  // They end only once PID 1 goes on, but say before that they have failed.
  const said = (name: string): boolean => existsSync(signpost(name)) || existsSync(signpost('failed'));
  await Promise.race([waitFor('the tests are ready', () => said('ready'), 60_000), inside]);
  await delay(Math.random() * 300);
  const leader = leaderPid();
  process.kill(leader, 'SIGSTOP');
  try {
    await waitFor('PID 1 is stopped', () => / T /.test(readFileSync(`/proc/${leader}/stat`, 'utf8').replace(/.*\)/s, '')));
    const since = performance.now();
    writeFileSync(signpost('stopped'), '');
    await raiseAlarm();
    await waitFor('all is asked', () => said('asked'), 60_000);
    if (!existsSync(signpost('failed'))) await delay(Math.max(STOPPED_MS - (performance.now() - since), 0));
  } finally {
    process.kill(leader, 'SIGCONT');
  }
  writeFileSync(signpost('continued'), '');
  await inside;
  assert.deepEqual([await property('MainPID'), await property('NRestarts')], [pid, '0'], 'the same daemon lives');
  await waitFor('the alarm is cleared', async () => !(await isInAlarm())).catch(async (error) => {
    throw new Error(`${String(error)}\n${await journal()}`);
  });
  assert.doesNotMatch(await journal(), /watchdog/i);
  await container.read(['systemctl', 'stop', UNIT]);
  assert.equal(await property('Result'), 'success');
});

function installUnit(name: string, text: string): void {
  writeFileSync(container.path(`/etc/systemd/system/${name}`), text);
}

/** The daemon's unit as it ships, with another program in it and folders of its own. */
function sandboxed(argv: readonly string[]): string {
  const shipped = readFileSync(join(import.meta.dirname, '../..', UNIT), 'utf8');
  const changed = shipped
    .replace(
      /^ExecStart=\S+ (.*) \S+main\.js run$/m,
      (_, options) => `ExecStart=${[argv[0], options, ...argv.slice(1)].join(' ')}`,
    )
    .replace(/^ExecReload=.*$/m, '')
    .replace(/^Restart=.*$/m, '')
    .replace(/^(StateDirectory|RuntimeDirectory)=.*$/gm, '$1=pid1-probe');
  assert(changed.includes(argv.join(' ').slice(argv[0]?.length)) && changed.includes('SystemCallFilter='), changed);
  return changed;
}

async function property(name: string, unit = UNIT): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();
}

function journal(): Promise<string> {
  return container.read(['journalctl', '--no-pager', '--output=cat', '-u', UNIT]);
}

/** As seen from here. */
function leaderPid(): number {
  const [, pid] = /^\/proc\/(\d+)\/root$/.exec(container.path('')) ?? assert.fail(container.path(''));
  return Number(pid);
}

const DATABASE = '/var/lib/monitor_service/alarms.db';
const CONFIGURATION = `
[database]
driver = sqlite
path = ${DATABASE}
[monitor]
check_interval = 0.5
[process.webd]
restart_strategy = service
`;

/** The daemon in its unit as it ships, but with a watchdog that waits for 5 s only; its pid, once it looks after a unit. */
async function startDaemon(): Promise<string> {
  const home = container.path('/opt/monitor_service');
  rmSync(home, { recursive: true, force: true });
  for (const folder of ['bin', 'dist']) mkdirSync(join(home, folder), { recursive: true });
  symlinkSync(container.node, join(home, 'bin/node'));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'dist/main.js'), `await import('${container.project}/src/main.ts');`);
  writeFileSync(join(home, 'config.ini'), CONFIGURATION, { mode: 0o600 });
  installUnit(UNIT, readFileSync(join(import.meta.dirname, '../..', UNIT), 'utf8'));
  mkdirSync(container.path(`/run/systemd/system/${UNIT}.d`), { recursive: true });
  writeFileSync(container.path(`/run/systemd/system/${UNIT}.d/test.conf`), '[Service]\nWatchdogSec=5\n');
  installUnit('webd.service', '[Service]\nExecStart=/bin/sleep 600\n');
  await makeContainerAlarms(container, DATABASE, ['webd']);
  await container.read(['systemctl', 'daemon-reload']);
  await container.read(['systemctl', 'start', 'webd', UNIT]);
  await waitFor('its loop runs', async () => (await property('StatusText')).startsWith('0 in alarm'));
  return property('MainPID');
}

async function raiseAlarm(): Promise<void> {
  const raise = "UPDATE STATUS_PROCESS SET alarma = 1, sound = 0, notes = 'while PID 1 stood still'";
  await containerSql(container, DATABASE, raise);
}

async function isInAlarm(): Promise<boolean> {
  const [row] = await containerSql(container, DATABASE, 'SELECT alarma FROM STATUS_PROCESS');
  return row?.alarma === 1;
}
