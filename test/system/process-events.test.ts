import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { documentedDropIn } from '../helpers/documented-drop-in.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { bootSystemdContainer, containerProblem, type SystemdContainer } from '../helpers/systemd-container.ts';

// Where process events cannot be had, and what the unit needs where they can.

const skip = skipUnless(containerProblem());
const UNIT = 'monitor_service.service';
const root = join(import.meta.dirname, '../..');
const SUBSCRIBE = 'test/fixtures/process-events/subscribe.ts';
let container: SystemdContainer;

before(async () => {
  if (skip === false) container = await bootSystemdContainer();
});
after(() => container?.stop());

test('in a container with a network of its own', { skip }, async () => {
  const said = await container.read([container.node, join(container.project, SUBSCRIBE)]);
  assert.match(said, /^the kernel reports process events only outside of containers: run the daemon on the host, [^\n]*\n$/);
});

test('check-config says that the [events] of a file are not available', { skip }, async () => {
  const file = '/root/events.ini';
  const sections = '[database]\ndriver = sqlite\npath = /root/a.db\n[events]\n';
  writeFileSync(container.path(file), sections, { mode: 0o600 });
  const command = [container.node, join(container.project, 'dist/main.js'), 'check-config', '--config', file];
  const { code, stderr, stdout } = await container.exec(command);
  const why = 'process events are not available here: the kernel reports process events only outside of containers: ';
  assert(stderr.startsWith(`${file}: [events] ${why}`) && stderr.endsWith(' (warning)\n'), stderr);
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split('\n').at(-1), `${file}: 0 errors, 1 warning; 0 configured processes`);
});

test('in another pid namespace, which the kernel does not answer', { skip }, () => {
  const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, join(root, SUBSCRIBE)];
  const { stdout, status } = spawnSync('unshare', namespace, { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^the kernel does not answer: in a container it never reports process events \(run the daemon [^\n]*\n$/,
  );
});

/** Runs it as a unit with these settings. */
function asUnit(...settings: string[]): Promise<string> {
  const properties = settings.map((setting) => `--property=${setting}`);
  const program = [container.node, join(container.project, SUBSCRIBE)];
  return container.read(['systemd-run', '--quiet', '--pipe', '--wait', '--collect', ...properties, ...program]);
}

test('in a unit that lets no netlink socket be made', { skip }, async () => {
  const said = await asUnit('RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6');
  assert.match(
    said,
    /^process events need a netlink socket, and the unit allows none: run "systemctl edit monitor_service" and [^\n]*\n$/,
  );
  // The address family alone is what was missing.
  assert.match(await asUnit('RestrictAddressFamilies=AF_UNIX AF_NETLINK'), /^the kernel reports process events only outside/);
});

test('the drop-in of the documents is one that systemd takes, adds to what the unit allows, and costs little', {
  skip,
}, async () => {
  const lines = documentedDropIn();
  const manual = readFileSync(join(root, 'monitor_service.8'), 'utf8');
  for (const line of lines) assert(manual.includes(`\n${line}\n`), line);

  copyFileSync(join(root, UNIT), container.path(`/etc/systemd/system/${UNIT}`));
  // Those that the unit names have to be there, or that is said.
  mkdirSync(container.path('/opt/monitor_service/bin'), { recursive: true });
  for (const file of ['node', 'monitor_service']) {
    writeFileSync(container.path(`/opt/monitor_service/bin/${file}`), '#!/bin/sh\n', { mode: 0o755 });
  }
  mkdirSync(container.path(`/etc/systemd/system/${UNIT}.d`), { recursive: true });
  writeFileSync(container.path(`/etc/systemd/system/${UNIT}.d/override.conf`), `${lines.join('\n')}\n`);
  await container.read(['systemctl', 'daemon-reload']);
  const verified = await container.exec(['systemd-analyze', 'verify', '--man=no', `/etc/systemd/system/${UNIT}`]);
  assert.deepEqual(verified, { code: 0, stdout: '', stderr: '' });
  const show = (name: string): Promise<string> => container.read(['systemctl', 'show', '--value', `--property=${name}`, UNIT]);
  assert.deepEqual((await show('RestrictAddressFamilies')).trim().split(' ').toSorted(), [
    'AF_INET',
    'AF_INET6',
    'AF_NETLINK',
    'AF_UNIX',
  ]);
  assert.match(await show('CapabilityBoundingSet'), /cap_chown.*cap_kill.*cap_net_admin/);
  const report = await container.read(['systemd-analyze', 'security', '--no-pager', UNIT]);
  const [, exposure] = /Overall exposure level for monitor_service\.service: ([\d.]+)/.exec(report) ?? [];
  assert(exposure !== undefined && manual.includes(`an exposure of ${exposure} instead of 2.6`), report);
});
