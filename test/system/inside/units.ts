import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Systemd } from '../../../src/system/systemd/manager.ts';
import { noUnit } from '../../helpers/fake-systemd.ts';
import { waitFor } from '../../helpers/wait-for.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

const systemd = new Systemd();
const never = new AbortController().signal;

function defineUnit(name: string, service: string): void {
  writeFileSync(
    `/run/systemd/system/${name}.service`,
    `[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=600\n[Service]\n${service}\n`,
  );
  execFileSync('systemctl', ['daemon-reload']);
}

async function status(unit: string) {
  const shown = await systemd.show(unit, never);
  assert(shown.kind === 'status', JSON.stringify(shown));
  return shown.status;
}

test('a unit is shown as it is, behind an alias too', async () => {
  defineUnit('test-real', 'ExecStart=/bin/sleep 600');
  symlinkSync('/run/systemd/system/test-real.service', '/run/systemd/system/test-alias.service');
  execFileSync('systemctl', ['daemon-reload']);
  const idle = await status('test-alias.service');
  assert.deepEqual(idle, {
    ...noUnit,
    id: 'test-real.service',
  });
  assert.deepEqual(await systemd.remainsAfterExit('test-alias.service', never), { kind: 'known', remains: false });
  assert.deepEqual(await systemd.call('start', 'test-alias.service', 10_000, never), { kind: 'done' });
  const running = await status('test-real.service');
  assert.deepEqual([running.activeState, running.subState], ['active', 'running']);
  assert(running.mainPid > 1);
  assert.match(running.controlGroup, /\/system\.slice\/test-real\.service$/);
  assert.deepEqual(await systemd.call('restart', 'test-real.service', 10_000, never), { kind: 'done' });
  assert.notEqual((await status('test-real.service')).mainPid, running.mainPid);
  assert.deepEqual(await systemd.call('stop', 'test-real.service', 10_000, never), { kind: 'done' });
  assert.equal((await status('test-real.service')).activeState, 'inactive');
});

test('a start limit is seen and lifted', async () => {
  defineUnit('test-limit', 'ExecStart=/bin/sleep 600');
  for (let i = 0; i < 3; i++) assert.equal((await systemd.call('restart', 'test-limit.service', 10_000, never)).kind, 'done');
  assert.equal((await systemd.call('restart', 'test-limit.service', 10_000, never)).kind, 'failed');
  const limited = await status('test-limit.service');
  assert.equal(limited.result, 'start-limit-hit');
  assert.deepEqual(await systemd.call('reset-failed', 'test-limit.service', 10_000, never), { kind: 'done' });
  assert.deepEqual(await systemd.call('start', 'test-limit.service', 10_000, never), { kind: 'done' });
});

test('a call is given up at its limit or when aborted, and the job continues', async () => {
  defineUnit('test-slow', 'Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 2');
  const late = await systemd.call('start', 'test-slow.service', 300, never);
  // The job has what is left once systemd has been asked for it.
  assert.match(late.kind === 'failed' ? late.reason : '', /^its job is not done after 0\.[123] s, systemd continues it$/);
  assert.equal((await status('test-slow.service')).activeState, 'activating');
  const aborted = await systemd.call('start', 'test-slow.service', 10_000, AbortSignal.timeout(100));
  assert.deepEqual(aborted, { kind: 'failed', reason: 'aborted' });
  await waitFor('the job through', async () => (await status('test-slow.service')).activeState === 'active');
});

test('a name is never an option or a pattern', async () => {
  for (const name of ['--version', '-Hroot@host', '--help', 'test-rea*']) {
    const shown = await systemd.show(name, never);
    assert(shown.kind === 'failed' || shown.status.loadState === 'not-found', JSON.stringify(shown));
    assert.equal((await systemd.call('start', name, 10_000, never)).kind, 'failed');
  }
});
