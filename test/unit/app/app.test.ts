import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCore } from '../../../src/app/app.ts';
import { createReload } from '../../../src/app/reload.ts';
import { readSettings, type Settings } from '../../../src/app/settings.ts';
import { StoreError } from '../../../src/core/errors.ts';
import type { Notifier } from '../../../src/system/sd-notify.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

function settingsIn(dir: string, more = ''): Settings {
  const file = join(dir, 'config.ini');
  const sections = `[database]\ndriver = sqlite\npath = ${join(dir, 'a.db')}\n[monitor]\nstate_dir = ${join(dir, 'state')}\n`;
  writeFileSync(file, `${sections}[logging]\nfile =\n[control]\nsocket = ${join(dir, 's')}\n${more}`, { mode: 0o600 });
  return readSettings(file);
}

const reloadableLog = () => Object.assign(new RecordedLog(), { reconfigure: () => {} });

const notifier: Notifier = {
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  status: () => {},
  watchdog: () => {},
  extendTimeout: () => {},
  watchdogIntervalMs: undefined,
};

test('a start that fails gives back what it had opened', async (t) => {
  const settings = settingsIn(tempDir(t));
  const log = reloadableLog();
  const open = () => Promise.reject(new StoreError('failed', 'no driver'));
  await assert.rejects(createCore({ settings: { ...settings, database: { ...settings.database, open } }, log }), /no driver/);
  const core = await createCore({ settings, log });
  await core.stops.stop(5000);
});

test('reloads follow each other, and one that fails in an unforeseen way is told and survived', async (t) => {
  const dir = tempDir(t);
  const settings = settingsIn(dir);
  const log = reloadableLog();
  const core = await createCore({ settings, log });
  t.after(() => core.stops.stop(5000));
  let atOnce = 0;
  let most = 0;
  const adopt = async (): Promise<void> => {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce--;
    throw new Error('no more descriptors');
  };
  const reload = createReload({ ...core, adopt }, log, notifier);
  const replies = await Promise.all([reload(), reload()]);
  assert.equal(most, 1);
  assert.deepEqual(replies[0], { kind: 'refused', code: 'unavailable', reason: 'no more descriptors' });
  assert.match(log.of('error').join('\n'), /Configuration not reloaded: no more descriptors/);
});

test('what takes effect only at the next start is said to', async (t) => {
  const dir = tempDir(t);
  const log = reloadableLog();
  const core = await createCore({ settings: settingsIn(dir), log });
  t.after(() => core.stops.stop(5000));
  settingsIn(dir, 'group = root\n');
  const reply = await createReload(core, log, notifier)();
  assert(reply.kind === 'done');
  assert(reply.changes.includes('[control] takes effect at the next start'), reply.changes.join('; '));
});
