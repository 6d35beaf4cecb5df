import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { startDetectors } from '../../../src/app/start-detectors.ts';
import { buildStatus, lookAtTargets, statusOfOne } from '../../../src/app/status.ts';
import type { ProcessDetails } from '../../../src/control/orders/describe.ts';
import type { ProcessStatus } from '../../../src/control/status.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { define, property, systemctl } from './watched-unit.ts';

// What status says of units, all of the daemon but its loop. Runs under a real systemd, where it is PID 1: see transient.test.ts.

/** A unit of that name; gone after the test. */
function defineUnit(t: TestContext, name: string, ...lines: string[]): void {
  define(t, `${name}.service`, '[Service]', ...lines);
}

async function open(t: TestContext, names: readonly string[], sections: string) {
  const dir = mkdtempSync('/var/lib/status-test-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const core: Core = await coreWith(t, dir, sections);
  addRows(dir, names, false);
  const { exits } = core;
  startDetectors(core, undefined);
  t.after(() => exits.stop());
  const last = new LastRecoveries(core.state.lastRecoveries);
  last.follow(core.events);
  const orders = ordersOf(core, { statusOf: async (name) => statusOfOne(core, last, name, { runs: exits.runs }) });
  await core.monitor.look();
  const shown = async (name: string): Promise<ProcessStatus> => {
    await lookAtTargets(core);
    const { processes } = buildStatus(core, last, { version: '1', pid: 1, startedAt: null }, { runs: exits.runs });
    return processes.find((process) => process.name === name) ?? assert.fail(name);
  };
  const details = async (name: string): Promise<ProcessDetails> => {
    const reply = await orders.describe(name);
    return reply.kind === 'done' ? reply : assert.fail(JSON.stringify(reply));
  };
  const becomes = (name: string, state: string): Promise<ProcessStatus> =>
    waitFor(`${name} is ${state}`, async () => {
      const process = await shown(name);
      return process.state === state ? process : undefined;
    });
  return { core, orders, details, becomes };
}

test('a unit that runs, was never started, was stopped on purpose, or is masked', async (t) => {
  defineUnit(t, 'logged', 'ExecStart=/bin/sh -c "echo hello; exec sleep 600"');
  const section = 'restart_strategy = service\nwatch_exit = true\n';
  const { core, details, becomes } = await open(
    t,
    ['logged', 'hooded'],
    `[process.logged]\n${section}[process.hooded]\nrestart_strategy = service\n`,
  );
  symlinkSync('/dev/null', '/run/systemd/system/hooded.service');
  t.after(() => rmSync('/run/systemd/system/hooded.service', { force: true }));
  systemctl('daemon-reload');
  assert.match((await becomes('hooded', 'refused')).reason ?? '', /masked/);
  assert.match((await becomes('logged', 'down')).reason ?? '', /never seen/);
  const down = await details('logged');
  assert.deepEqual([down.unit, down.running, down.output], ['logged.service', [], 'journalctl -u logged.service']);

  systemctl('start', 'logged');
  await becomes('logged', 'ok');
  const up = await details('logged');
  const pid = Number(property('logged', 'MainPID'));
  assert.deepEqual(
    [up.unit, up.output, up.running?.map((one) => one.pid)],
    ['logged.service', 'journalctl -u logged.service', [pid]],
  );
  assert.match(up.running?.[0]?.command ?? '', /^sleep 600$/);
  assert.equal(up.restart.stops.length, 1);

  systemctl('stop', 'logged');
  const stopped = await becomes('logged', 'quiet');
  assert.match(stopped.reason ?? '', /^stopped on purpose/);
  assert.equal(stopped.watched?.stopped, true);
  core.holds.set('logged', undefined, 'moving the disk');
  assert.match((await becomes('logged', 'held')).reason ?? '', /moving the disk/);
});

test('a unit that is starting or stopping is not known to be well', async (t) => {
  // One that hangs is stopped by nobody's word.
  t.after(() => {
    for (const name of ['starting', 'stopping', 'misfiled']) spawnSync('systemctl', ['kill', '--signal=SIGKILL', name]);
    rmSync('/run/starting-go', { force: true });
  });
  const hangs = ['TimeoutStartSec=60', 'TimeoutStopSec=60'];
  defineUnit(
    t,
    'starting',
    'Type=notify',
    'NotifyAccess=all',
    ...hangs,
    'ExecStart=/bin/sh -c "until [ -e /run/starting-go ]; do sleep 0.1; done; systemd-notify --ready; exec sleep 600"',
  );
  defineUnit(t, 'stopping', 'ExecStart=/bin/sleep 600', 'ExecStop=/bin/sleep 600', ...hangs);
  defineUnit(t, 'misfiled', 'Type=forking', 'PIDFile=/run/no-such.pid', ...hangs, 'ExecStart=/bin/sh -c "sleep 600 &"');
  const names = ['starting', 'stopping', 'misfiled'];
  const sections = names.map((name) => `[process.${name}]\nrestart_strategy = service\nwatch_exit = true\n`);
  const { details, becomes } = await open(t, names, sections.join(''));
  for (const name of names) await becomes(name, 'down');

  systemctl('start', '--no-block', 'starting');
  await waitFor('it is told', async () =>
    /^starting\.service has been starting/.test((await becomes('starting', 'unknown')).reason ?? ''),
  );
  writeFileSync('/run/starting-go', '');
  await becomes('starting', 'ok');

  systemctl('start', 'stopping');
  await becomes('stopping', 'ok');
  systemctl('stop', '--no-block', 'stopping');
  // Its main process runs on.
  assert.match((await becomes('stopping', 'unknown')).reason ?? '', /^stopping\.service has been stopping/);
  systemctl('kill', '--signal=SIGKILL', 'stopping');
  assert.match((await becomes('stopping', 'quiet')).reason ?? '', /^stopped on purpose/);

  systemctl('start', '--no-block', 'misfiled');
  await waitFor('it is told', async () => /has been starting/.test((await becomes('misfiled', 'unknown')).reason ?? ''));
  // systemd knows of no main process, and something runs nevertheless.
  await waitFor('it is seen', async () => (await details('misfiled')).running?.some(({ command }) => command === 'sleep 600'));
});
