import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { callDaemon, installDaemon, DAEMON_UNIT as UNIT } from '../helpers/installed-daemon.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';

// The daemon as the unit runs it, on a real systemd: its name, and its socket when somebody takes that away.

const skip = skipUnless(containerProblem());
const options = { skip, timeout: 300_000 };
let container: SystemdContainer;

before(async () => {
  if (skip !== false) return;
  container = await bootSystemdContainer();
  await installDaemon(container, '[database]\ndriver = sqlite\npath = /var/lib/monitor_service/a.db\n');
  await container.read(['systemctl', 'start', UNIT]);
});
after(() => container?.stop());

async function mainPid(): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', '--property=MainPID', UNIT])).trim();
}

function cli(...args: string[]): ReturnType<SystemdContainer['exec']> {
  return callDaemon(container, ...args);
}

test('it is called monitor_service by ps, pgrep and systemctl', options, async () => {
  const pid = await mainPid();
  assert.equal((await container.read(['pgrep', '-x', 'monitor_service'])).trim(), pid);
  assert.equal((await container.read(['ps', '-C', 'monitor_service', '-o', 'pid='])).trim(), pid);
  const status = await container.read(['systemctl', 'status', '--no-pager', UNIT]);
  assert.match(status, new RegExp(`Main PID: ${pid} \\(monitor_service\\)`));
  assert.match(status, /main\.js run/, 'with its command line as it was');
});

test('in its sandbox its socket comes back, with its rights', options, async () => {
  const pid = await mainPid();
  const socket = '/run/monitor_service/control.sock';
  await container.read(['rm', socket]);
  await waitFor('the socket', async () => (await cli('status')).code === 0, 60_000);
  const rights = await container.read(['stat', '-c', '%a %U %G', socket]);
  assert.equal(rights, '660 root root\n');
  assert.equal(await mainPid(), pid);
});

test('a folder that its sandbox does not let it create again is reported, and created by a restart', options, async () => {
  mkdirSync(container.path(`/run/systemd/system/${UNIT}.d`), { recursive: true });
  writeFileSync(container.path(`/run/systemd/system/${UNIT}.d/ro.conf`), '[Service]\nReadOnlyPaths=/run\n');
  await container.read(['systemctl', 'daemon-reload']);
  await container.read(['systemctl', 'restart', UNIT]);
  await container.read(['rm', '-r', '/run/monitor_service']);
  const told = async (): Promise<boolean> =>
    (await container.read(['journalctl', '-u', UNIT, '-o', 'cat'])).includes('Control socket is gone, tried again every 10 s');
  await waitFor('the line', told, 60_000);
  assert.equal((await cli('status')).code, 69);
  await container.read(['systemctl', 'restart', UNIT]);
  assert.equal((await cli('status')).code, 0);
});
