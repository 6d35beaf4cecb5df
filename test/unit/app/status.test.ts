import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Core } from '../../../src/app/app.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { buildStatus } from '../../../src/app/status.ts';
import { judge } from '../../../src/cli/status/judge.ts';
import type { DaemonStatus, ProcessStatus } from '../../../src/control/status.ts';
import { localTimestamp } from '../../../src/core/clock.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import { ordersOf } from '../../helpers/bound-orders.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { statusLine } from '../../helpers/status-line.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

function statusOf(core: Core, last = new LastRecoveries(core.state.lastRecoveries)): DaemonStatus {
  return buildStatus(core, last, { version: '1', pid: 1, startedAt: null });
}

function named(status: DaemonStatus, name: string): ProcessStatus {
  const found = status.processes.find((process) => process.name === name);
  assert(found, name);
  return found;
}

test('a process that waits for another is shown to, until that one has ended', async (t) => {
  const dir = tempDir(t);
  const go = join(dir, 'go');
  const core = await coreWith(
    t,
    dir,
    `[process.default]
restart_strategy = custom
restart_command = true
[process.app]
depends_on = db, cache
[process.db]
restart_command = until [ -e ${go} ]; do sleep 0.02; done
`,
  );
  addRows(dir, ['app', 'db', 'cache'], true);
  await core.monitor.tick();
  assert.deepEqual(named(statusOf(core), 'db').waitingFor, []);
  const waiting = await waitFor('the cache is well', () => {
    const app = named(statusOf(core), 'app');
    return app.waitingFor.length === 1 ? app : undefined;
  });
  assert.deepEqual([waiting.state, waiting.reason, waiting.waitingFor], ['waiting', 'waits for db', ['db']]);
  assert.equal(named(statusOf(core), 'db').state, 'recovering');
  writeFileSync(go, '');
  await core.handler.idle();
  assert.deepEqual([named(statusOf(core), 'app').state, named(statusOf(core), 'app').waitingFor], ['quiet', []]);
});

test('who shares the target of another shows the recovery that was for both, also after a restart of the daemon', async (t) => {
  for (const [command, outcome] of [
    ['true', 'recovered'],
    ['false', 'failed'],
  ] as const) {
    const dir = tempDir(t);
    const both = `restart_strategy = custom\nsystem_name = nginx\nmax_attempts = 1\nrestart_command = sleep 0.1; ${command}\n`;
    const core = await coreWith(t, dir, `[process.web]\n${both}[process.www]\n${both}`);
    addRows(dir, ['web', 'www'], true);
    const last = new LastRecoveries(core.state.lastRecoveries);
    last.follow(core.events);
    await core.monitor.tick();
    await core.handler.idle();
    const { lastRecovery } = named(statusOf(core, last), 'web');
    assert.equal(lastRecovery?.outcome, outcome);
    assert.deepEqual(named(statusOf(core, last), 'www').lastRecovery, lastRecovery);
    const later = new LastRecoveries(core.state.lastRecoveries);
    const reloaded = named(statusOf(core, later), 'www').lastRecovery;
    assert.deepEqual([reloaded?.outcome, reloaded?.detail], [lastRecovery.outcome, lastRecovery.detail]);
  }
});

test('the configuration is shown by its absolute path, however it was named', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '');
  const file = join(dir, 'config.ini');
  const settings = readSettings(relative(process.cwd(), file));
  assert.equal(statusOf({ ...core, settings: () => settings }).configFile, file);
});

test('a row that is held through another name says so, beside its open breaker', async (t) => {
  const dir = tempDir(t);
  const section = 'restart_strategy = custom\nrestart_command = false\nsystem_name = nginx\n';
  const core = await coreWith(t, dir, `[process.web]\n${section}[process.www]\n${section}`);
  addRows(dir, ['web'], true);
  const poll = async (): Promise<string> => {
    await core.monitor.tick();
    await core.handler.idle();
    return named(statusOf(core), 'web').reason ?? '';
  };
  core.holds.set('www', undefined, 'upgrade');
  assert.equal(await poll(), 'on hold through www: upgrade');
  const process = { processId: '1', processName: 'web', systemName: 'nginx', systemNameConfigured: true };
  for (let i = 0; i < 3; i++) core.breakers.failed('nginx', process);
  assert.equal(await poll(), '3 failed recoveries; on hold through www: upgrade');
  assert.equal(named(statusOf(core), 'web').state, 'open');
  core.holds.release('www');
  assert.equal(await poll(), '3 failed recoveries');
});

test('a kept alarm and a watched life are shown, and an operator may end the alarm', async (t) => {
  const core = await coreWith(t, tempDir(t), '[process.web]\n[process.cron]\nwatch_exit = true\n');
  await core.monitor.look();
  core.holds.set('web', undefined, '');
  await core.alarms.raise('web', 'exit code 1', 'exit');
  await core.handler.idle();
  core.lives.seen({ type: 'process_seen', processName: 'cron', pid: 7, since: new Date(5) });
  const web = named(statusOf(core), 'web');
  assert.deepEqual([web.inAlarm, web.alarmKept, web.processId, web.state], [true, true, null, 'held']);
  assert.match(statusLine(core), /1 kept/);
  const cron = named(statusOf(core), 'cron');
  assert.deepEqual([cron.alarmKept, cron.watched?.pid, cron.watched?.since], [false, 7, new Date(5).toISOString()]);
  const orders = ordersOf(core);
  assert.deepEqual(await orders.alarm('web', true, undefined), { kind: 'done', processes: [{ id: null, name: 'web' }] });
  assert.equal((await orders.alarm('web', true, undefined)).kind, 'refused');
  assert.equal(named(statusOf(core), 'web').inAlarm, false);
});

test('systemctl status says since when the alarms are unknown in local time', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '');
  const at = core.clock.date();
  writeFileSync(join(dir, 'a.db'), 'no database at all'.repeat(100));
  await core.monitor.tick();
  assert.match(statusLine(core), /^alarms unknown since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 0 recovering, db away$/);
  const since = statusOf(core).store.since ?? '';
  assert.ok(Date.parse(since) >= at.getTime() && since.endsWith('Z'), since);
  assert.ok(statusLine(core).includes(localTimestamp(new Date(since))));
});

test('an alarm without a name belongs to no process: status and status --check report it, and the log once', async (t) => {
  const dir = tempDir(t);
  const core = await coreWith(t, dir, '[process.web]\n');
  addRows(dir, ['web'], false);
  const database = new DatabaseSync(join(dir, 'a.db'));
  t.after(() => database.close());
  database.exec("INSERT INTO STATUS_PROCESS VALUES (302, 1, 0, 'only status'), (303, 0, 0, NULL)");
  await core.monitor.tick();
  await core.monitor.tick();
  const status = statusOf(core);
  assert.deepEqual([status.store.alarms, status.store.nameless], [1, 1]);
  assert.deepEqual(status.store.remarks, [
    '1 row in alarm without a name in PROCESE, and so never healed: process_id "302" (expected a row there that names the process)',
  ]);
  assert.deepEqual(judge(status, new Date()), {
    lines: ['alarm store: 1 row in alarm without a name in PROCESE, and so never healed'],
    exitCode: 1,
  });
  const { log } = core;
  assert(log instanceof RecordedLog);
  assert.equal(log.lines.filter(({ message }) => /without a name \(ID: 302\)/.test(message)).length, 1);
  database.exec("INSERT INTO PROCESE VALUES (302, 'named')");
  await core.monitor.tick();
  assert.deepEqual([statusOf(core).store.nameless, statusOf(core).store.remarks], [0, []]);
});

test('the STATE of a process whose user does not exist shows that once it is in alarm, as its warning says', async (t) => {
  for (const strategy of ['process', 'auto']) {
    const dir = tempDir(t);
    const name = `no-such-program-${process.pid}`;
    const core = await coreWith(
      t,
      dir,
      `[process.${name}]\nrestart_strategy = ${strategy}\nuser = no-such-user\nmax_attempts = 1\n`,
    );
    const last = new LastRecoveries(core.state.lastRecoveries);
    last.follow(core.events);
    addRows(dir, [name], false);
    await core.monitor.tick();
    assert.equal(named(statusOf(core, last), name).state, 'quiet');
    const database = new DatabaseSync(join(dir, 'a.db'));
    database.exec('UPDATE STATUS_PROCESS SET alarma = 1');
    database.close();
    await core.monitor.tick();
    await core.handler.idle();
    const { state, lastRecovery } = named(statusOf(core, last), name);
    assert.deepEqual([state, lastRecovery?.outcome], ['alarm', 'failed'], strategy);
  }
});
