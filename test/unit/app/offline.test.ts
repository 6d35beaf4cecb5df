import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { offlineAlarm, offlineDetails, offlineLook, offlineOrders, offlineStatus } from '../../../src/app/offline.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('without a daemon nothing makes a database that is not there: a mistyped path is told', async (t) => {
  const dir = tempDir(t);
  const configFile = join(dir, 'config.ini');
  const path = join(dir, 'mistyped.db');
  const sections = `[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile =\n[process.web]\nrestart_strategy = custom\nrestart_command = true\n`;
  writeFileSync(configFile, `[database]\ndriver = sqlite\npath = ${path}\n${sections}`, { mode: 0o600 });
  const options = { configFile, version: '1', log: new RecordedLog() };
  const missing = `sqlite ${path}: there is no such file (the daemon makes it as it starts)`;

  const { store, processes } = await offlineStatus(options);
  assert.deepEqual([store.state, store.reason, processes[0]?.inAlarm], ['unknown', missing, null]);
  const details = await offlineDetails(options, 'web');
  assert.deepEqual(details.kind === 'done' && [details.process.inAlarm, details.rows], [null, null]);
  const unknown = { kind: 'refused', code: 'unavailable' };
  const other = `it cannot be told whether there is a process of the name "other": ${missing}`;
  assert.deepEqual(await offlineLook(options, (orders) => orders.preview('other')), { ...unknown, reason: other });
  assert.deepEqual(await offlineAlarm(options, ['web', false, undefined]), { ...unknown, reason: missing });
  assert.deepEqual(await offlineOrders(options, (orders) => orders.recover('other')), { ...unknown, reason: other });
  assert.equal((await offlineOrders(options, (orders) => orders.hold('web', undefined, '', false))).kind, 'done');
  assert.equal(existsSync(path), false);
});
