import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createReload } from '../../../src/app/reload.ts';
import { readSettings, rowScope } from '../../../src/app/settings.ts';
import type { Notifier } from '../../../src/system/systemd/notify.ts';
import { coreWith } from '../../helpers/core-world.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const notifier = { ready: () => {}, reloading: () => {} } as unknown as Notifier;

/** Two hosts with the same names; each row in alarm. */
function addHosts(dir: string): void {
  const database = new DatabaseSync(join(dir, 'a.db'));
  database.exec(`CREATE TABLE PROCESE (process_id INTEGER PRIMARY KEY, process_name TEXT);
    CREATE TABLE STATUS_PROCESS (process_id INTEGER, alarma INTEGER, sound INTEGER, notes TEXT, host_id INTEGER NOT NULL);
    INSERT INTO PROCESE VALUES (1, 'web'), (2, 'web');
    INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 't', 1), (2, 1, 0, 't', 2);`);
  database.close();
}

test('the rows of [host] host_id are ours, and what a reload makes of it holds from then on', async (t) => {
  const dir = tempDir(t);
  addHosts(dir);
  const sections = (id: string): string =>
    `[host]\n${id}\n[process.default]\nrestart_strategy = custom\nrestart_command = true\n`;
  const core = await coreWith(t, dir, sections('host_id = 1'));
  assert.deepEqual(rowScope(core.settings()), { hostId: '1', onlyConfigured: false });
  await core.monitor.tick();
  await core.handler.idle();
  const inAlarm = (): unknown[] => {
    const database = new DatabaseSync(join(dir, 'a.db'));
    const rows = database.prepare('SELECT process_id FROM STATUS_PROCESS WHERE alarma = 1').all();
    database.close();
    return rows.map(({ process_id }) => process_id);
  };
  assert.deepEqual(inAlarm(), [2]);

  const reload = createReload(core, Object.assign(new RecordedLog(), { reconfigure: () => {} }), notifier, () => {});
  const { file } = core.settings();
  const database = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n[monitor]\nstate_dir = ${dir}/state\n[logging]\nfile =\n`;
  writeFileSync(file, `${database}${sections('')}`, { mode: 0o600 });
  await reload('SIGHUP');
  await core.monitor.tick();
  const { availability } = core.monitor;
  assert.ok(
    availability.state === 'unknown' && availability.reason.includes('[host] host_id'),
    'nothing says whose the rows are',
  );
  assert.equal(readSettings(file).host.hostId, undefined);

  writeFileSync(file, `${database}${sections('host_id = 2')}`, { mode: 0o600 });
  await reload('SIGHUP');
  await core.monitor.tick();
  await core.handler.idle();
  assert.deepEqual(inAlarm(), []);
});
