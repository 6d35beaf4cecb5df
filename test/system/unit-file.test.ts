import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { ProbeOrders } from './inside/sandbox-probe.ts';

// The unit file, on a real systemd, with a probe in the daemon's place.

const skip = skipUnless(containerProblem());
const UNIT = 'monitor_service.service';
let container: SystemdContainer;

before(async () => {
  if (skip !== false) return;
  container = await bootSystemdContainer();
  const home = container.path('/opt/monitor_service');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'bin'), { recursive: true });
  mkdirSync(join(home, 'dist'));
  symlinkSync(container.node, join(home, 'bin/node'));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(home, 'dist/main.js'), `await import('${container.project}/test/system/inside/sandbox-probe.ts');`);
  // systemd wants to find what ExecReload= names.
  writeFileSync(join(home, 'bin/monitor_service'), '#!/bin/sh\n', { mode: 0o755 });
  copyFileSync(join(import.meta.dirname, '../..', UNIT), container.path(`/etc/systemd/system/${UNIT}`));
  await container.read(['systemctl', 'daemon-reload']);
});
after(() => container?.stop());

function order(orders: ProbeOrders): void {
  rmSync(container.path('/var/log/probe.json'), { force: true });
  writeFileSync(container.path('/opt/monitor_service/probe-orders.json'), JSON.stringify(orders));
}

async function property(name: string, unit = UNIT): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', `--property=${name}`, unit])).trim();
}

test('systemd has nothing to say against it, and calls its exposure 2.6 or less', { skip }, async () => {
  const verified = await container.exec(['systemd-analyze', 'verify', '--man=no', `/etc/systemd/system/${UNIT}`]);
  assert.deepEqual(verified, { code: 0, stdout: '', stderr: '' });
  const report = await container.read(['systemd-analyze', 'security', '--offline=true', `/etc/systemd/system/${UNIT}`]);
  const [, exposure] = /Overall exposure level for monitor_service\.service: ([\d.]+)/.exec(report) ?? [];
  assert(Number(exposure) <= 2.6, report);
});

test('it is enabled for the normal boot', { skip }, async () => {
  await container.read(['systemctl', 'enable', UNIT]);
  assert(lstatSync(container.path(`/etc/systemd/system/multi-user.target.wants/${UNIT}`)).isSymbolicLink());
});

test('in its sandbox the daemon can do all of its work, and nothing else', { skip }, async () => {
  const script = `useradd --create-home --home-dir /home/other other && mkdir /home/other/app && touch /home/other/secret &&
    cp /usr/bin/sleep /home/other/app/program && chmod -R go= /home/other && chown -R other: /home/other &&
    systemd-run --quiet --unit=victim --uid=other -p WorkingDirectory=/home/other/app -p Environment=TOKEN=secret /home/other/app/program 600 &&
    systemd-run --quiet --unit=condemned --uid=other sleep 600 && systemd-run --quiet --unit=restarted sleep 600`;
  await container.read(['bash', '-c', script]);
  const [victim, condemned] = [Number(await property('MainPID', 'victim')), Number(await property('MainPID', 'condemned'))];
  await waitFor('the program', async () =>
    (await container.exec(['readlink', `/proc/${victim}/exe`])).stdout.includes('program'),
  );
  appendFileSync(container.path('/etc/hosts'), '192.0.2.77 listed.example.test\n');
  order({ victim, condemned, unit: 'restarted.service' });
  await container.read(['systemctl', 'start', UNIT]);
  assert.equal(await property('ActiveState'), 'active');
  const text = await waitFor('the report', () => {
    const path = container.path('/var/log/probe.json');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
  const { reading, launched, left, ...report } = JSON.parse(text);
  assert.deepEqual(report, {
    description: 'commands run through systemd',
    uid: 0,
    libc: 'ok',
    pidfd: 'opened',
    signal: 'sent',
    state: 'ok',
    log: 'ok',
    socket: 'ok',
    stateMode: '700',
    syslog: 'sent',
    tcp: 'ECONNREFUSED',
    names: ['192.0.2.1', '192.0.2.77'],
    restarted: { kind: 'done' },
    itsProcesses: true,
    restartedAnew: true,
    leavesOne: 'exited',
    leftOutput: '/var/lib/monitor_service/runs/run-probe.N.N',
    denied: { etc: 'EROFS', opt: 'EROFS', usr: 'EROFS', home: false, seenFromOutside: true },
  });
  assert.deepEqual(
    [reading.kind, reading.record.argv, reading.record.executable, reading.record.cwd],
    ['read', ['/home/other/app/program', '600'], '/home/other/app/program', '/home/other/app'],
  );
  assert(reading.record.environment.includes('TOKEN=secret'));
  assert.equal(launched.kind, 'launched');
  await waitFor('the process killed', async () => (await property('ActiveState', 'condemned')) !== 'active');
  for (const path of ['/etc/by-command', '/home/by-command', '/tmp/by-command']) assert(existsSync(container.path(path)), path);
  const program = await container.read(['cat', `/proc/${launched.pid}/status`]);
  assert.match(program, /^NoNewPrivs:\t0$/m, 'what it starts is not in the sandbox');
  const filters = /^Seccomp_filters:\t\d+$/m;
  assert.equal(filters.exec(program)?.[0], filters.exec(await container.read(['cat', '/proc/1/status']))?.[0]);

  await container.read(['systemctl', 'stop', UNIT]);
  assert.equal(await property('Result'), 'success');
  await container.read(['kill', '-0', String(left), String(launched.pid)]);
  assert.equal(statSync(container.path('/var/log/monitor_service.log')).gid, 4);
});

test('a daemon that dies is started again', { skip }, async () => {
  order({ victim: 1, condemned: 0, unit: 'restarted.service' });
  await container.read(['systemctl', 'start', UNIT]);
  const pid = await property('MainPID');
  await container.read(['kill', '-KILL', pid]);
  await waitFor('another one', async () => {
    return !['0', pid].includes(await property('MainPID')) && (await property('ActiveState')) === 'active';
  });
});

test('a configuration that cannot be used is not tried again', { skip }, async () => {
  order({ victim: 1, condemned: 0, unit: 'x.service', exitCode: 78 });
  assert.notEqual((await container.exec(['systemctl', 'restart', UNIT])).code, 0);
  assert.deepEqual([await property('ActiveState'), await property('ExecMainStatus')], ['failed', '78']);
  order({ victim: 1, condemned: 0, unit: 'x.service', exitCode: 70 });
  await container.exec(['systemctl', 'restart', UNIT]);
  assert.equal(await property('SubState'), 'auto-restart');
});
