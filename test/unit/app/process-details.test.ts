import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, copyFileSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { buildStatus, statusOfOne } from '../../../src/app/status.ts';
import { whereOutputGoes } from '../../../src/app/where-output-goes.ts';
import { renderDetails } from '../../../src/cli/status/details.ts';
import type { ProcessDetails } from '../../../src/control/orders/describe.ts';
import { describe } from '../../../src/control/orders/describe.ts';
import type { LaunchRecord } from '../../../src/core/program/launch-record.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

async function details(core: Core, name: string): Promise<ProcessDetails> {
  const last = new LastRecoveries(core.state.lastRecoveries);
  const reply = await ordersOf(core, {
    status: () => buildStatus(core, last, { version: '1', pid: 7, startedAt: null }),
    statusOf: async (of) => statusOfOne(core, last, of),
  }).describe(name);
  assert(reply.kind === 'done', JSON.stringify(reply));
  // As it arrives at the other side of the socket.
  const { kind: _, ...read } = describe.reply.read(JSON.parse(JSON.stringify(reply)), 'details');
  return read;
}

/** A program of that name that runs until the test ends, its output in `file`; its pid. */
function program(t: TestContext, dir: string, name: string, file: string): number {
  copyFileSync('/bin/sleep', join(dir, name));
  const output = openSync(file, 'w');
  const child = spawn(join(dir, name), ['1000'], { stdio: ['ignore', output, output] });
  closeSync(output);
  t.after(() => child.kill('SIGKILL'));
  assert(child.pid !== undefined);
  return child.pid;
}

test('the details of a process contain all that is known about it', async (t) => {
  const dir = tempDir(t);
  const name = `p${randomUUID().slice(0, 8)}`;
  const core = await coreWith(t, dir, `[process.${name}]\nrestart_strategy = process\nsystem_name = ${dir}/${name}\n`);
  addRows(dir, [name], true);
  const pid = program(t, dir, name, join(dir, 'out.log'));
  core.holds.set(name, undefined, 'upgrade');
  await core.monitor.tick();
  await core.handler.idle();
  const process = { processId: '1', processName: name, systemName: name, systemNameConfigured: false };
  const output = ['first line', 'second \u001b[31mline', 'y'.repeat(5000), '4', '5', '6'];
  for (let i = 1; i <= 4; i++) {
    const reason = `reason ${i}`;
    core.events.emit({
      type: 'attempt_failed',
      process,
      target: name,
      attempt: 1,
      reason: 'first',
      output: ['of the attempt'],
    });
    core.events.emit({ type: 'recovery_failed', process, target: name, reason, durationMs: 5, ...(i === 4 && { output }) });
  }
  core.events.emit({ type: 'recovery_succeeded', process, target: name, attempts: 2, durationMs: 5 });
  core.events.emit({ type: 'recovery_unproved', process, target: name, reason: 'not to be resolved', durationMs: 5 });
  const found = await details(core, name);
  assert.deepEqual([found.pid, found.process.name, found.process.state], [globalThis.process.pid, name, 'held']);
  assert.equal(found.store.state, 'ok');
  assert.deepEqual(
    found.rows?.map(({ processId, inAlarm, acknowledged, since }) => [processId, inAlarm, acknowledged, since !== null]),
    [['1', true, false, true]],
  );
  assert.deepEqual(found.hold, { name, until: null, reason: 'upgrade', strict: undefined });
  const [running, ...more] = found.running ?? [];
  assert(running !== undefined && more.length === 0);
  assert.deepEqual([running.pid, running.command], [pid, `${dir}/${name} 1000`]);
  assert.ok((running.memoryBytes ?? 0) > 0 && running.cpuPercent !== null);
  assert.ok(Math.abs(Date.now() - Date.parse(running.since)) < 600_000);
  assert.equal(found.output, join(dir, 'out.log'));
  assert.deepEqual(
    found.recoveries.map(({ outcome, detail }) => [outcome, detail]),
    [
      ['not_proved', 'not to be resolved'],
      ['recovered', '2 attempts, 0 s'],
      ['failed', 'reason 4'],
      ['failed', 'reason 3'],
      ['failed', 'reason 2'],
    ],
  );
  assert.deepEqual(found.recoveries[2]?.output, ['second ?[31mline', 'y'.repeat(400), '4', '5', '6']);
  assert.deepEqual(found.recoveries[3]?.output, ['of the attempt']);
  assert.equal(found.restart.strategy, 'process');
  assert.ok(found.restart.stops.length > 0 && found.restart.refusals.some((refusal) => refusal.includes('on hold')));
});

test('who shares the target of another has the recoveries of that one', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n[process.www]\n');
  const process = { processId: '1', processName: 'web', systemName: 'nginx', systemNameConfigured: true };
  core.events.emit({ type: 'recovery_failed', process, target: 'nginx', reason: 'no', durationMs: 5, output: ['line'] });
  core.events.emit({ type: 'recovery_shared', process: { ...process, processName: 'www' }, leaderName: 'web' });
  const { recoveries } = await details(core, 'www');
  assert.deepEqual(recoveries, [{ at: recoveries[0]?.at, outcome: 'failed', detail: 'no', output: ['line'] }]);
});

test('a store that hangs, and a systemd that hangs, leave out only what they would have reported', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\nrestart_strategy = service\n');
  const hangs = (): Promise<never> => new Promise(() => {});
  core.store().findProcesses = hangs;
  const plan = core.plans()('web');
  plan.strategy.preview = hangs;
  plan.strategy.findRunning = hangs;
  plan.strategy.resolve = hangs;
  const found = await details(core, 'web');
  assert.deepEqual([found.rows, found.running, found.unit, found.output], [null, null, null, null]);
  assert.match(found.restart.refusals.join(), /could not be determined/);
  assert.equal(found.process.state, 'unknown');
});

test('a name that nobody knows has no details', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n');
  addRows(dir, ['web'], false);
  const orders = ordersOf(core);
  const reply = await orders.describe('wbe');
  assert(reply.kind === 'refused');
  assert.equal(reply.code, 'not_found');
});

test('where the output goes is known from what runs, else from its unit, else from how it was recorded', () => {
  const record = { surroundings: { standardOutput: '/var/log/a.log', standardError: '/var/log/b.log' } } as LaunchRecord;
  const at = (unit: string | undefined, ...outputs: (string | undefined)[]): string | null =>
    whereOutputGoes({ unit, outputs }, record);
  assert.equal(at('nginx.service', 'socket:[1]', 'socket:[1]'), 'journalctl -u nginx.service');
  assert.equal(at('nginx.service', '/var/log/x', '/var/log/x'), '/var/log/x');
  assert.equal(at(undefined, '/var/log/x', '/var/log/y'), '/var/log/x, errors /var/log/y');
  assert.equal(at(undefined, '/dev/null', '/dev/null'), 'nowhere (/dev/null)');
  assert.equal(at(undefined, '/dev/pts/3', '/dev/pts/3'), 'a terminal (/dev/pts/3)');
  assert.equal(at(undefined, 'pipe:[7]', 'pipe:[7]'), 'a pipe to another program');
  assert.equal(at(undefined, 'socket:[1]', 'socket:[1]'), null);
  assert.equal(at('nginx.service'), 'journalctl -u nginx.service');
  // As it is typed.
  assert.equal(at('app\\x2done.service'), "journalctl -u 'app\\x2done.service'");
  assert.equal(at(undefined), '/var/log/a.log, errors /var/log/b.log');
  assert.equal(whereOutputGoes(undefined, undefined), null);
});

test('a row whose flags are not numbers is not called well, and its process is not either', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n[process.db]\n[process.app]\n');
  addRows(dir, ['web', 'db', 'app'], false);
  const database = new DatabaseSync(join(dir, 'a.db'));
  database.exec(`UPDATE STATUS_PROCESS SET alarma = 'Y' WHERE process_id = 1;
    UPDATE STATUS_PROCESS SET sound = 'N' WHERE process_id = 2; UPDATE STATUS_PROCESS SET alarma = 1, sound = 'N' WHERE process_id = 3`);
  database.close();
  await core.monitor.tick();
  const seen = async (name: string) => {
    const { rows, process } = await details(core, name);
    return [rows?.map(({ inAlarm }) => inAlarm), process.inAlarm, process.state];
  };
  assert.deepEqual(await seen('web'), [[null], null, 'unknown']);
  assert.deepEqual(await seen('db'), [[false], false, 'quiet'], 'what is not in alarm needs no acknowledgement');
  assert.deepEqual(await seen('app'), [[null], null, 'unknown']);
  const lines = renderDetails(await details(core, 'web'), new Date(), { width: undefined, colour: false });
  assert.ok(lines.includes('rows           process_id 1 may be in alarm: alarma or sound is not a number'), lines.join('\n'));
});
