import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';
import { waitFor } from '../helpers/wait-for.ts';

// The daemon as the unit runs it, on a real systemd: its name, and its socket when somebody takes that away.

const skip = skipUnless(containerProblem());
const options = { skip, timeout: 180_000 };
const UNIT = 'monitor_service.service';
let container: SystemdContainer;

before(async () => {
  if (skip !== false) return;
  container = await bootSystemdContainer();
  const home = container.path('/opt/monitor_service');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'bin'), { recursive: true });
  symlinkSync(container.node, join(home, 'bin/node'));
  symlinkSync(`${container.project}/dist`, join(home, 'dist'));
  const script = '#!/bin/sh\nexec /opt/monitor_service/bin/node /opt/monitor_service/dist/main.js "$@"\n';
  writeFileSync(join(home, 'bin/monitor_service'), script, { mode: 0o755 });
  const config = '[database]\ndriver = sqlite\npath = /var/lib/monitor_service/a.db\n';
  writeFileSync(join(home, 'config.ini'), config, { mode: 0o600 });
  copyFileSync(join(import.meta.dirname, '../..', UNIT), container.path(`/etc/systemd/system/${UNIT}`));
  await container.read(['systemctl', 'daemon-reload']);
  await container.read(['systemctl', 'start', UNIT]);
});
after(() => container?.stop());

async function mainPid(): Promise<string> {
  return (await container.read(['systemctl', 'show', '--value', '--property=MainPID', UNIT])).trim();
}

function cli(...args: string[]): ReturnType<SystemdContainer['exec']> {
  return container.exec(['/opt/monitor_service/bin/monitor_service', ...args]);
}

test('it is called monitor_service by ps, pgrep and systemctl', options, async () => {
  const pid = await mainPid();
  assert.equal((await container.read(['pgrep', '-x', 'monitor_service'])).trim(), pid);
  assert.equal((await container.read(['ps', '-C', 'monitor_service', '-o', 'pid='])).trim(), pid);
  const status = await container.read(['systemctl', 'status', '--no-pager', UNIT]);
  assert.match(status, new RegExp(`Main PID: ${pid} \\(monitor_service\\)`));
  assert.match(status, /main\.js run/, 'with its command line as it was');
});

test('its socket comes back, and until then every command says that it runs', options, async () => {
  const pid = await mainPid();
  const socket = '/run/monitor_service/control.sock';
  const sentence = `monitor_service: monitor_service runs (pid ${pid}), its socket is gone: nobody listens on `;
  let asked = 0;
  for (const command of [['status'], ['match', 'x'], ['release', '--all'], ['reload']]) {
    await container.read(['rm', '-f', socket]);
    const { code, stderr } = await cli(...command);
    // It may have been made anew since.
    if (existsSync(container.path(socket))) continue;
    assert.deepEqual([code, stderr.slice(0, sentence.length)], [69, sentence], command.join(' '));
    asked++;
  }
  assert.ok(asked > 1);
  await waitFor('the socket', async () => (await cli('status')).code === 0, 60_000);
  const rights = await container.read(['stat', '-c', '%a %U %G', socket]);
  assert.equal(rights, '660 root root\n');
  assert.equal(await mainPid(), pid);
});

test('a folder that its sandbox does not let it make anew is told, and made by a restart', options, async () => {
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
