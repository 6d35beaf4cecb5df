import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../src/app/app.ts';
import { offlineAlarm, offlineDetails, offlineOrders, offlineStatus } from '../../../src/app/offline.ts';
import { readSettings } from '../../../src/app/settings.ts';
import { storedKey } from '../../../src/core/alarm.ts';
import { addRows, coreWith } from '../../helpers/core-world.ts';
import { openZoo } from '../../helpers/process-zoo.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const COMMANDED = 'restart_strategy = custom\nrestart_command = true\nhealth_check_command = true\n';

test('without a daemon an attempt that was under way is told of by the restart that settles it, and by nothing else', async (t) => {
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
  const line = 'RESTART LOG: Attempt 2 for web was under way when the daemon ended; it is settled first';
  assert.ok(daemon.of('warning').includes(line), 'a daemon settles all of them');

  const restarted = await offlineOrders(options, (orders) => orders.recover('web'));
  assert.equal(restarted.kind, 'recovered', JSON.stringify(restarted));
  assert.deepEqual(told(), [line]);
  await offlineOrders(options, (orders) => orders.recover('web'));
  assert.deepEqual(told(), [line], 'it is settled');
});

test('without a daemon nothing is watched: what runs is quiet, and told since when it runs', async (t) => {
  const zoo = openZoo(t);
  const name = `unwatched-${process.pid}`;
  const dir = tempDir(t);
  const core = await coreWith(t, dir, `[process.${name}]\nrestart_strategy = process\nwatch_exit = true\nany_user = true\n`);
  addRows(dir, [name], false);
  await core.stops.stop(5000);
  const options = { configFile: join(dir, 'config.ini'), version: '1', log: new RecordedLog() };
  const shown = async () => (await offlineStatus(options)).processes.find((each) => each.name === name);
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
