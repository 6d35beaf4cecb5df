import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../src/app/app.ts';
import { offlineAlarm, offlineDetails, offlineLook, offlineOrders, offlineStatus } from '../../../src/app/offline.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { storedKey } from '../../../src/core/alarm.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { openZoo } from '../../helpers/process-zoo.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const COMMANDED = 'restart_strategy = custom\nrestart_command = true\nhealth_check_command = true\n';

test('without a daemon an attempt that was under way is reported by the restart that waits for it, and by nothing else', async (t) => {
  const dir = tempDir(t);
  const died = await coreWith(t, dir, `[process.web]\n${COMMANDED}[process.db]\n${COMMANDED}`);
  addRows(dir, ['web', 'db'], true);
  const alarm = { source: 'store', key: storedKey('1'), processName: 'web', notes: null, notesDigest: null } as const;
  died.state.journal.begin({ target: 'command web', runId: 'r1', attempt: 2, alarms: [alarm], startedAt: new Date() });
  await died.stops.stop(5000);
  const log = new RecordedLog();
  const options = { configFile: join(dir, 'config.ini'), version: '1', log };
  const told = () => log.of('warning').filter((line) => line.includes('was under way when the daemon ended'));

  await offlineOrders(options, (orders) => orders.hold('web', undefined, ''));
  await offlineOrders(options, (orders) => orders.release('web'));
  await offlineAlarm(options, ['web', false, undefined]);
  await offlineOrders(options, (orders) => orders.recover('db'));
  assert.deepEqual(told(), []);

  const daemon = new RecordedLog();
  const core = await createCore({ settings: readSettings(options.configFile), log: daemon });
  await core.stops.stop(5000);
  const line = 'RESTART LOG: Attempt 2 for web was under way when the daemon ended; its end is awaited first';
  assert.ok(daemon.of('warning').includes(line), 'a daemon settles all of them');

  const restarted = await offlineOrders(options, (orders) => orders.recover('web'));
  assert.equal(restarted.kind, 'recovered', JSON.stringify(restarted));
  assert.deepEqual(told(), [line]);
  await offlineOrders(options, (orders) => orders.recover('web'));
  assert.deepEqual(told(), [line], 'it is settled');
});

test('without a daemon nothing is watched: what runs is quiet, and shown with the time since when it runs', async (t) => {
  const zoo = openZoo(t);
  const name = `unwatched-${process.pid}`;
  const dir = tempDir(t);
  const core = await coreWith(t, dir, `[process.${name}]\nrestart_strategy = process\nwatch_exit = true\nany_user = true\n`);
  addRows(dir, [name], false);
  await core.stops.stop(5000);
  const options = { configFile: join(dir, 'config.ini'), version: '1', log: new RecordedLog() };
  // A look has little time, which may not do on a busy machine.
  const shown = () =>
    waitFor('it to be seen', async () => {
      const found = (await offlineStatus(options)).processes.find((each) => each.name === name);
      return found?.state === 'unknown' ? undefined : found;
    });
  assert.equal((await shown())?.state, 'down');

  const pid = await zoo.start(zoo.sleeper(name));
  const found = await shown();
  assert.deepEqual([found?.state, found?.reason], ['quiet', 'runs, and no daemon watches it']);
  assert.deepEqual([found?.watched?.runs, found?.watched?.pid], [true, pid]);
  const details = await offlineDetails(options, name);
  assert(details.kind === 'done', JSON.stringify(details));
  assert.deepEqual([details.process.state, details.process.reason], [found?.state, found?.reason]);
  const [first] = details.running ?? [];
  assert.equal(first?.pid, pid);
  for (const since of [found?.watched?.since, details.process.watched?.since])
    assert.ok(Math.abs(Date.parse(since ?? '') - Date.parse(first?.since ?? '')) < 1000, `${since} ${first?.since}`);
});

test('without a daemon nothing creates a missing database: a mistyped path is reported', async (t) => {
  const dir = tempDir(t);
  const configFile = join(dir, 'config.ini');
  const path = join(dir, 'mistyped.db');
  const sections = `[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile =\n[process.web]\nrestart_strategy = custom\nrestart_command = true\n`;
  writeFileSync(configFile, `[database]\ndriver = sqlite\npath = ${path}\n${sections}`, { mode: 0o600 });
  const options = { configFile, version: '1', log: new RecordedLog() };
  const missing = `sqlite ${path}: there is no such file (the daemon creates it when it starts)`;

  const { store, processes } = await offlineStatus(options);
  assert.deepEqual([store.state, store.reason, processes[0]?.inAlarm], ['unknown', missing, null]);
  const details = await offlineDetails(options, 'web');
  assert.deepEqual(details.kind === 'done' && [details.process.inAlarm, details.rows], [null, null]);
  const unknown = { kind: 'refused', code: 'unavailable' };
  const other = `it is not known whether a process named "other" exists: ${missing}`;
  assert.deepEqual(await offlineLook(options, (orders) => orders.preview('other')), { ...unknown, reason: other });
  assert.deepEqual(await offlineAlarm(options, ['web', false, undefined]), { ...unknown, reason: missing });
  assert.deepEqual(await offlineOrders(options, (orders) => orders.recover('other')), { ...unknown, reason: other });
  assert.equal((await offlineOrders(options, (orders) => orders.hold('web', undefined, '', false))).kind, 'done');
  assert.equal(existsSync(path), false);
});
