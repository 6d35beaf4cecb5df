import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { cliBackends } from '../../../src/app/cli-backends.ts';
import { buildStatus } from '../../../src/app/status.ts';
import type { ProcessStatus } from '../../../src/control/status.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import { LaunchObserver } from '../../../src/strategies/launch-observer.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import type { RecordedLog } from '../../helpers/recorded-log.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const NOBODY = 65534;

/** A script of nobody's that root runs, under a name that no other process has. */
async function rootRunsTheirs(t: TestContext): Promise<{ readonly dir: string; readonly path: string; readonly name: string }> {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const name = `pinned${basename(dir)
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(-6)}`;
  const path = join(dir, 'theirs', name);
  mkdirSync(join(dir, 'theirs'));
  writeFileSync(path, '#!/bin/sh\nmkfifo "$0.pipe"\nexec 3<>"$0.pipe"\nread -r line <&3\n', { mode: 0o755 });
  chownSync(join(dir, 'theirs'), NOBODY, NOBODY);
  const child = spawn(path, ['an argument'], { stdio: 'ignore', env: { PATH: process.env.PATH, TOKEN: 'secret' } });
  t.after(() => child.kill('SIGKILL'));
  const table = new ProcessTable();
  await waitFor('the script runs', () => table.read(child.pid ?? 0, ['name'])?.name === name.slice(0, 15));
  return { dir, path, name };
}

const section = (name: string): string => `[process.${name}]\nrestart_strategy = process\n`;

function statusOf(core: Core): readonly ProcessStatus[] {
  return buildStatus(core, new LastRecoveries(core.state.lastRecoveries), { version: '1', pid: 1, startedAt: null }).processes;
}

function concernOf(core: Core, name: string): string | null | undefined {
  return statusOf(core).find((process) => process.name === name)?.concern;
}

test('what would be refused is reported at the start, in status and by check-config; a pin ends it', asRoot, async (t) => {
  const { dir, path, name } = await rootRunsTheirs(t);
  const core = await coreWith(t, dir, section(name));
  const observer = new LaunchObserver(core);
  await observer.look();
  await observer.look();
  const expected = `it would be started as root: ${join(dir, 'theirs')} belongs to user 65534; run \`monitor_service pin ${name}\` or set start_command`;
  assert.equal(concernOf(core, name), expected);
  const told = (): string[] => {
    const lines = (core.log as RecordedLog).lines.map(({ message }) => message);
    return lines.filter((line) => line.includes('would not be started again'));
  };
  assert.equal(told().length, 1, 'once');
  assert.match(told().join(), new RegExp(`${name} would not be started again: it would be started as root`));
  const report = await cliBackends.checkConfig(join(dir, 'config.ini'), { database: false });
  assert.deepEqual(
    report.problems.map(({ section: where, problem }) => [where, problem]),
    [[`process.${name}`, `its program would not be started again: ${expected}`]],
  );
  const orders = ordersOf(core);
  const offered = await orders.pins(undefined);
  assert.ok(offered.kind === 'done', JSON.stringify(offered));
  const [offer, ...others] = offered.offers;
  assert.ok(offer && others.length === 0);
  assert.deepEqual(offer.launches[0]?.argv, [path, 'an argument']);
  assert.deepEqual(
    offer.launches[0]?.files.map((file) => file.path),
    [path, '/bin/sh'],
  );
  assert.deepEqual(offer.launches[0]?.variables.slice(0, 2), ['PATH', 'TOKEN']);
  assert.doesNotMatch(JSON.stringify(offered), /secret/);
  const wrong = await orders.pin(name, 'f'.repeat(64));
  assert.ok(wrong.kind === 'refused' && wrong.code === 'conflict', 'what was not shown is not pinned');
  assert.deepEqual(await orders.pin(name, offer.digest), { kind: 'done', pinned: [name] });
  assert.equal(concernOf(core, name), null);
  assert.deepEqual(await orders.pins(undefined), { kind: 'done', offers: [], refusals: [] });
  assert.deepEqual(await orders.unpin(name), { kind: 'done', unpinned: [name] });
  assert.equal(concernOf(core, name), expected);
  assert.deepEqual(await orders.unpin(name), { kind: 'done', unpinned: [] }, 'known, and without a pin');
});

test('names of the database without a section are named and pinned as well; unknown ones are not found', asRoot, async (t) => {
  const { dir, name } = await rootRunsTheirs(t);
  const core = await coreWith(
    t,
    dir,
    '[process.default]\nrestart_strategy = process\n[process.other]\nrestart_strategy = service\n[process.commanded]\nstart_command = sleep 9\n',
  );
  addRows(dir, [name, 'nothing-of-that-name'], false);
  await new LaunchObserver(core).look();
  assert.match(concernOf(core, name) ?? '', /monitor_service pin/);
  const orders = ordersOf(core);
  const offered = await orders.pins(undefined);
  assert.ok(offered.kind === 'done', JSON.stringify(offered));
  assert.deepEqual([offered.offers.map((offer) => offer.name), offered.refusals], [[name], []]);
  const unknown = await orders.pins('never-heard-of');
  assert.ok(unknown.kind === 'refused' && unknown.code === 'not_found', JSON.stringify(unknown));
  for (const [known, reason] of [
    ['nothing-of-that-name', /./],
    ['other', /^a command restarts it/],
    ['commanded', /^start_command says how it is started, which needs no pin$/],
  ] as const) {
    const reply = await orders.pins(known);
    assert.ok(reply.kind === 'done' && reply.offers.length === 0, JSON.stringify(reply));
    assert.deepEqual(
      reply.refusals.map((refusal) => refusal.name),
      [known],
    );
    assert.match(reply.refusals[0]?.reason ?? '', reason);
  }
});

test('a pin closes the breaker of its program, shows in status, and is known under every name', asRoot, async (t) => {
  const { dir, name } = await rootRunsTheirs(t);
  const other = `[process.other]\nrestart_strategy = process\nsystem_name = ${name}\n`;
  const core = await coreWith(t, dir, `${section(name)}${other}`);
  await new LaunchObserver(core).look();
  const of = (wanted: string): ProcessStatus | undefined => statusOf(core).find((process) => process.name === wanted);
  assert.ok(of(name)?.concern && of('other')?.concern);
  assert.equal(of(name)?.pinnedAt, null);
  const failed = { processId: '1', processName: name, systemName: name, systemNameConfigured: false };
  for (let i = 0; i < 3; i++) core.breakers.failed('its target', failed);
  core.breakers.failed('another target', { ...failed, processName: 'no-relation', systemName: 'no-relation' });
  assert.equal(of(name)?.breaker.state, 'open');
  const orders = ordersOf(core);
  const offered = await orders.pins(name);
  assert.ok(offered.kind === 'done', JSON.stringify(offered));
  const digest = offered.offers[0]?.digest ?? '';
  assert.deepEqual(await orders.pin(name, digest), { kind: 'done', pinned: [name], closed: [name] });
  assert.equal(of(name)?.breaker.state, 'closed');
  assert.equal(of('no-relation')?.breaker.failures, 1);
  assert.deepEqual([of(name)?.concern, of('other')?.concern], [null, null]);
  assert.equal(of('other')?.pinnedAt, core.state.pins.get(name)?.pinnedAt.toISOString());
  assert.deepEqual(await orders.unpin('other'), { kind: 'done', unpinned: [name] });
  assert.ok(of(name)?.concern && of('other')?.concern);
});

test('unpin takes the pin of the named program alone; one of its own name from before is its too', async (t) => {
  const dir = tempDir(t);
  const alias = (name: string, systemName: string): string => `${section(name)}system_name = ${systemName}\n`;
  const core = await coreWith(t, dir, `${alias('web', 'nginx')}${alias('front', 'web')}${alias('app', 'app-backend')}`);
  const { pins } = core.state;
  const record = { argv: ['x'], executable: '/x', cwd: '/', environment: [], uid: 0, gid: 0, groups: [] };
  for (const systemName of ['nginx', 'web', 'app'])
    pins.set({ systemName, launches: [{ record, files: [] }], pinnedAt: new Date() });
  assert.ok(statusOf(core).some(({ name, pinnedAt }) => name === 'app' && pinnedAt === null));
  const orders = ordersOf(core);
  assert.deepEqual(await orders.unpin('web'), { kind: 'done', unpinned: ['nginx'] });
  assert.deepEqual(await orders.unpin('app'), { kind: 'done', unpinned: ['app'] });
  assert.deepEqual(
    pins.list().map(({ systemName }) => systemName),
    ['web'],
  );
  assert.deepEqual(await orders.unpin('front'), { kind: 'done', unpinned: ['web'] });
});

test('each reload reports again what would be refused', asRoot, async (t) => {
  const { dir, name } = await rootRunsTheirs(t);
  const core = await coreWith(t, dir, section(name));
  const told = (): number =>
    (core.log as RecordedLog).of('warning').filter((line) => line.startsWith(`${name} would not be started again: `)).length;
  const observer = new LaunchObserver(core);
  void observer.run(core.stopping.signal);
  await waitFor('the first look', () => told() === 1);
  await waitFor('the look after a reload', () => {
    observer.lookAgain();
    return told() > 1;
  });
});
