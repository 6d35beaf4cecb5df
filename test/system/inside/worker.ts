import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../src/core/clock.ts';
import { Worker } from '../../../src/probes/worker/client.ts';
import { createWorker } from '../../../src/probes/worker/create.ts';
import { unitStarter } from '../../../src/probes/worker/start-unit.ts';
import { groupOfService, pidsOfGroup } from '../../../src/system/proc/group-members.ts';
import { Pid1 } from '../../../src/system/systemd/pid1.ts';
import { dnsServer } from '../../helpers/dns-server.ts';
import { isAlive } from '../../helpers/process-zoo.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { bundledProgram, never, tcpServer, tcpWork, urlWork } from '../../helpers/worker-world.ts';
import { knownUnits } from './runs.ts';

// The worker under a real systemd, in its sandbox: see transient.test.ts.

const LONG_MS = 60_000;

/** From the sources, or as it is installed. */
type Kind = 'sources' | 'bundle';

function open(t: TestContext, kind: Kind = 'sources') {
  const onTrouble = (reason: string): void => t.diagnostic(reason);
  const worker =
    kind === 'sources'
      ? createWorker({ clock: systemClock, underSystemd: true, onTrouble })
      : new Worker({ clock: systemClock, start: unitStarter(new Pid1(), bundledProgram(), undefined), onTrouble });
  t.after(async () => {
    worker.stop();
    await waitFor('no unit', () => knownUnits('monitor_service-worker-*').length === 0);
  });
  return worker;
}

/** The unit of the worker that runs, and its process. */
async function running(): Promise<{ unit: string; pid: number }> {
  const unit = knownUnits('monitor_service-worker-*')[0]?.split(' ')[0] ?? assert.fail('no unit');
  const pid = await waitFor('its process', () => pidsOfGroup(groupOfService(unit))[0]);
  return { unit, pid };
}

for (const [kind, most] of [
  ['sources', 1.2],
  ['bundle', 1.1],
] as const) {
  test(`it looks, without root, capabilities, files of others and other processes (${kind})`, async (t) => {
    const worker = open(t, kind);
    const port = await tcpServer(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'));
    const work = tcpWork(port, { expect: { kind: 'text', text: 'hello' } });
    assert.deepEqual(await worker.ask(work, LONG_MS, never), { kind: 'ok' });
    const { unit, pid } = await running();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^Uid:\t(6[1-5]\d{3})\t\1\t\1\t\1$/m);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status, new RegExp(`^${set}:\\t0+$`, 'm'));
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    for (const namespace of ['mnt', 'ipc', 'uts'])
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/${namespace}`), readlinkSync(`/proc/self/ns/${namespace}`), namespace);
    const shown = ['--target', String(pid), '--mount', 'ls', '/run/monitor_service'];
    assert.equal(execFileSync('nsenter', shown, { encoding: 'utf8' }), 'node\nprogram\n');
    const url = { ...urlWork(`http://127.0.0.1:${port}/`), expectBody: { kind: 'text', text: 'hello' } } as const;
    assert.deepEqual(await worker.ask(url, LONG_MS, never), { kind: 'ok' });
    const secure = await worker.ask(urlWork(`https://127.0.0.1:${port}/`), LONG_MS, never);
    assert.deepEqual(secure, { kind: 'failing', reason: 'the TLS handshake failed (EPROTO)' });
    const exposure = execFileSync('systemd-analyze', ['security', '--no-pager', unit], { encoding: 'utf8' });
    const rss = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(exposure)?.[1]);
    t.diagnostic(`exposure ${level}, resident ${Math.round(rss / 1024)} MiB`);
    for (const line of exposure.split('\n').filter((one) => /^✗/.test(one))) t.diagnostic(line.replace(/\s+/g, ' '));
    assert(level <= most, `exposure ${level}`);
  });

  test(`names are resolved inside (${kind})`, async (t) => {
    const worker = open(t, kind);
    const port = await tcpServer(t, () => {});
    assert.deepEqual(await worker.ask(tcpWork(port, { host: 'localhost' }), LONG_MS, never), { kind: 'ok' });
    const unknown = await worker.ask(tcpWork(port, { host: 'no-such-host.invalid' }), LONG_MS, never);
    assert(unknown.kind === 'unknown');
    assert.match(unknown.reason, /^no-such-host\.invalid could not be resolved: /);
    assert.doesNotMatch(unknown.reason, /getent/, 'getent can be run inside');
    const dns = await dnsServer(t, { 'www.example.test': ['192.0.2.1'] });
    const question = {
      type: 'dns',
      name: 'www.example.test',
      record: 'A',
      server: dns.address,
      expect: ['192.0.2.1'],
    } as const;
    assert.deepEqual(await worker.ask(question, LONG_MS, never), { kind: 'ok' });
  });
}

test('killed, it is started again; stopped in the middle, it is killed', async (t) => {
  const worker = open(t);
  const port = await tcpServer(t, () => {});
  assert.deepEqual(await worker.ask(tcpWork(port), LONG_MS, never), { kind: 'ok' });
  const first = await running();
  const waiting = worker.ask(tcpWork(port, { expect: { kind: 'text', text: 'x' } }), LONG_MS, never);
  process.kill(first.pid, 'SIGKILL');
  assert.deepEqual(await waiting, {
    kind: 'away',
    reason: `the worker has failed: ${first.unit} has ended (journalctl -t monitor_worker)`,
  });
  await waitFor('a second worker', async () => (await worker.ask(tcpWork(port), LONG_MS, never)).kind === 'ok');
  const second = await running();
  await delay(2100);
  process.kill(second.pid, 'SIGSTOP');
  const hung = await worker.ask(tcpWork(port), 500, never);
  assert.equal(hung.kind, 'away');
  await waitFor('its end', () => !isAlive(second.pid));
});

test('its program is in a folder of root, and it ends with the service that started it, even if it is stopped', async (t) => {
  // As /opt/monitor_service is: nobody else can enter it.
  mkdirSync('/opt/closed', { mode: 0o700 });
  const home = '/opt/closed/inside';
  const project = join(import.meta.dirname, '../../..');
  mkdirSync(home, { mode: 0o755 });
  for (const part of ['src', 'test/system/inside', 'test/helpers', 'package.json'])
    cpSync(join(project, part), join(home, part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(home, 'node_modules'));
  copyFileSync(process.execPath, join(home, 'node'));
  const port = await tcpServer(t, () => {});
  const script = join(home, 'test/system/inside/worker-owner.ts');
  execFileSync('systemd-run', ['--quiet', '--unit=owner', join(home, 'node'), script, String(port)]);
  t.after(() => execFileSync('systemctl', ['stop', 'owner.service']));
  const said = await waitFor('what it said', () => {
    execFileSync('journalctl', ['--sync']);
    const lines = execFileSync('journalctl', ['--unit=owner', '--output=cat', '--no-pager'], { encoding: 'utf8' }).split('\n');
    return lines.find((line) => line.includes('"kind"'));
  });
  assert.equal(said, '{"kind":"ok"}');
  const { unit, pid } = await running();
  assert.equal(
    execFileSync('systemctl', ['show', '--property=BindsTo', '--value', unit], { encoding: 'utf8' }),
    'owner.service\n',
  );
  process.kill(pid, 'SIGSTOP');
  execFileSync('systemctl', ['kill', '--signal=KILL', 'owner.service']);
  await waitFor('its end', () => !isAlive(pid));
  await waitFor('no unit', () => knownUnits('monitor_service-worker-*').length === 0);
});
