import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { bindOrders } from '../../../src/app/bind-orders.ts';
import { cliBackends } from '../../../src/app/cli-backends.ts';
import { LastRecoveries } from '../../../src/app/last-recoveries.ts';
import { LaunchObserver } from '../../../src/app/launch-observer.ts';
import { buildStatus } from '../../../src/app/status.ts';
import type { Orders } from '../../../src/control/orders.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import type { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const asRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root' };
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

function ordersOf(core: Core): Orders {
  return bindOrders(core, { status: () => assert.fail(), reload: () => assert.fail() });
}

function concernOf(core: Core, name: string): string | null | undefined {
  const status = buildStatus(core, new LastRecoveries(), { version: '1', pid: 1, startedAt: null });
  return status.processes.find((process) => process.name === name)?.concern;
}

test('what would be refused is told at the start, in status and by check-config; a pin ends it', asRoot, async (t) => {
  const { dir, path, name } = await rootRunsTheirs(t);
  const core = await coreWith(t, dir, section(name));
  const observer = new LaunchObserver(core);
  await observer.look();
  await observer.look();
  const expected = `it would be started as root: ${join(dir, 'theirs')} is user 65534's; run \`monitor_service pin ${name}\` or set start_command`;
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
  const again = await orders.unpin(name);
  assert.ok(again.kind === 'refused' && again.code === 'not_found');
});

test('names of the database without a section are named and pinned as well; unknown ones are not found', asRoot, async (t) => {
  const { dir, name } = await rootRunsTheirs(t);
  const core = await coreWith(
    t,
    dir,
    '[process.default]\nrestart_strategy = process\n[process.other]\nrestart_strategy = service\n',
  );
  addRows(dir, [name, 'nothing-of-that-name'], false);
  await new LaunchObserver(core).look();
  assert.match(concernOf(core, name) ?? '', /monitor_service pin/);
  const orders = ordersOf(core);
  const offered = await orders.pins(undefined);
  assert.ok(offered.kind === 'done', JSON.stringify(offered));
  assert.deepEqual([offered.offers.map((offer) => offer.name), offered.refusals], [[name], []]);
  for (const [unknown, code] of [
    ['never-heard-of', 'not_found'],
    ['nothing-of-that-name', 'conflict'],
    ['other', 'conflict'],
  ] as const) {
    const refused = await orders.pins(unknown);
    assert.ok(refused.kind === 'refused' && refused.code === code, JSON.stringify(refused));
  }
});

test('each reload tells again of what would be refused', asRoot, async (t) => {
  const { dir, name } = await rootRunsTheirs(t);
  const core = await coreWith(t, dir, section(name));
  const told = (): number =>
    (core.log as RecordedLog).of('warning').filter((line) => line.startsWith(`${name} would not be started again: `)).length;
  void new LaunchObserver(core).run(core.stopping.signal);
  await waitFor('the first look', () => told() === 1);
  await waitFor('the look after a reload', () => {
    core.events.emit({ type: 'config_reloaded', changes: [] });
    return told() > 1;
  });
});
