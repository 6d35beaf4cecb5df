import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createCore } from '../../../src/app/app.ts';
import { createReload } from '../../../src/app/reload.ts';
import { readSettings, type Settings } from '../../../src/app/settings.ts';
import { buildStatus } from '../../../src/app/status.ts';
import { StoreError } from '../../../src/core/errors.ts';
import { LastRecoveries } from '../../../src/monitor/history/last-recoveries.ts';
import type { Notifier } from '../../../src/system/systemd/notify.ts';
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

test('a reload takes up another [host] name, in log and status', async (t) => {
  const dir = tempDir(t);
  const settings = settingsIn(dir, '[host]\nname = db1\nhost_id = 007\n');
  assert.deepEqual(settings.host, { name: 'db1', hostId: '007' });
  const hosts: string[] = [];
  const log = Object.assign(new RecordedLog(), { reconfigure: (_: unknown, host: string) => void hosts.push(host) });
  const core = await createCore({ settings, log });
  t.after(() => core.stops.stop(5000));
  const host = () =>
    buildStatus(core, new LastRecoveries(core.state.lastRecoveries), { version: '1', pid: 1, startedAt: null }).host;
  assert.equal(host(), 'db1');
  settingsIn(dir, '[host]\nname = db2\nhost_id = 007\n');
  const reply = await createReload(core, log, notifier, () => {})('SIGHUP');
  assert.deepEqual(reply, { kind: 'done', changes: ['[host] name: db1 -> db2'], warnings: [] });
  assert.deepEqual([host(), hosts], ['db2', ['db2']]);
});

test('reloads follow each other, and one that fails unexpectedly is reported and does no harm', async (t) => {
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
  const reload = createReload({ ...core, adopt }, log, notifier, () => {});
  const replies = await Promise.all([reload('SIGHUP'), reload('SIGHUP')]);
  assert.equal(most, 1);
  assert.deepEqual(replies[0], { kind: 'refused', code: 'unavailable', reason: 'no more descriptors' });
  assert.match(log.of('error').join('\n'), /Configuration not reloaded: no more descriptors/);
});

test('a setting that takes effect only at the next start is reported as that', async (t) => {
  const dir = tempDir(t);
  const log = reloadableLog();
  const core = await createCore({ settings: settingsIn(dir), log });
  t.after(() => core.stops.stop(5000));
  settingsIn(dir, 'group = root\n[events]\n');
  const reply = await createReload(core, log, notifier, () => {})('SIGHUP');
  assert(reply.kind === 'done');
  assert(reply.changes.includes('[control] takes effect at the next start'), reply.changes.join('; '));
  assert(reply.changes.includes('[events] takes effect at the next start'), reply.changes.join('; '));
});

/** A core on `more`, and a reload of its file as `edit` changes it: what is logged of it and what runs then. */
async function reloadable(t: TestContext, more: string) {
  const dir = tempDir(t);
  const log = reloadableLog();
  const core = await createCore({ settings: settingsIn(dir, more), log });
  t.after(() => core.stops.stop(5000));
  const file = join(dir, 'config.ini');
  const reload = createReload(core, log, notifier, () => {});
  return {
    core,
    told: async (edit: (text: string) => string): Promise<string[]> => {
      writeFileSync(file, edit(readFileSync(file, 'utf8')));
      const before = log.lines.length;
      await reload('SIGHUP');
      return log.lines.slice(before).map(({ level, message }) => `${level} ${message}`);
    },
  };
}

test('a reload logs what changed, by section and key, and says so if nothing did', async (t) => {
  const { core, told } = await reloadable(t, '[process.web]\npriority = 1\n[process.old]\n');
  assert.deepEqual(await told((text) => text), ['info Configuration reloaded: nothing changed; by SIGHUP']);
  assert.deepEqual(await told((text) => `# a comment\n${text}`), ['info Configuration reloaded: nothing changed; by SIGHUP']);
  const edit = (text: string): string =>
    text
      .replace('[monitor]\n', '[monitor]\ncheck_interval = 60\n')
      .replace('priority = 1', 'priority = 2')
      .replace('[process.old]', '[process.new]');
  assert.deepEqual(await told(edit), [
    'info Configuration reloaded: [monitor] check_interval: (not set) -> 60; [process.web] priority: 1 -> 2; [process.old]: section removed; [process.new]: section added; by SIGHUP',
  ]);
  assert.equal(core.settings().monitor.checkIntervalMs, 60_000);
  assert.equal(core.plans()('web').settings.priority, 2);
});

test('a reload names a changed password or command, and shows neither', async (t) => {
  const { told } = await reloadable(t, '[process.web]\nrestart_command = login -p hunter2\n');
  const set = await told((text) => text.replace('[database]\n', '[database]\npassword = hunter2\n'));
  assert.equal(set[0], 'info Configuration reloaded: [database] password: set; by SIGHUP');
  const changed = await told((text) => text.replaceAll('hunter2', 'swordfish'));
  assert.equal(
    changed[0],
    'info Configuration reloaded: [database] password: changed; [process.web] restart_command: changed; by SIGHUP',
  );
  assert.doesNotMatch([...set, ...changed].join('\n'), /hunter2|swordfish/);
});

test('a reload says that the password file holds another password', async (t) => {
  const secret = join(tempDir(t), 'secret');
  writeFileSync(secret, 'hunter2\n', { mode: 0o600 });
  const { core, told } = await reloadable(t, '');
  const mysql = (text: string): string =>
    text.replace(
      /driver = sqlite\npath = .*\n/,
      `host = 127.0.0.1:9\nuser = monitor\ndatabase = d\npassword_file = ${secret}\n`,
    );
  await told(mysql);
  const store = core.store();
  assert.deepEqual(await told((text) => text), ['info Configuration reloaded: nothing changed; by SIGHUP']);
  writeFileSync(secret, 'swordfish\n');
  const lines = await told((text) => text);
  assert.deepEqual(lines, ['info Configuration reloaded: [database]: a file that it names has changed; by SIGHUP']);
  assert.notEqual(core.store(), store);
});

test('the lines about a reload name the command that closes a breaker that stays open', async (t) => {
  const { core, told } = await reloadable(t, '[process.web frontend]\npriority = 1\n');
  const name = 'web frontend';
  const web = { processId: null, processName: name, systemName: name, systemNameConfigured: false };
  for (let i = 0; i < 3; i++) core.breakers.failed(name, web);
  const [line = ''] = await told((text) => text.replace('priority = 1', 'priority = 2'));
  assert.match(line, /stays open for .* \(`monitor_service breaker 'web frontend' --reset` closes it\)/);
});

test('a refused reload reports all problems as check-config does, and how many there are', async (t) => {
  const dir = tempDir(t);
  const log = reloadableLog();
  const core = await createCore({ settings: settingsIn(dir), log });
  t.after(() => core.stops.stop(5000));
  const file = join(dir, 'config.ini');
  writeFileSync(file, `${readFileSync(file, 'utf8')}gruop = root\n[process.a]\nmax_attempts = often\nfoo = 1\n`);
  const reply = await createReload(core, log, notifier, () => {})('SIGHUP');
  assert(reply.kind === 'refused');
  const [gruop, often, foo, last, ...more] = reply.reason.replaceAll(file, 'F').split('\n');
  assert.equal(gruop, 'F:10: [control] gruop: unknown key, ignored (did you mean group?) (warning)');
  assert.match(often ?? '', /^F:12: \[process\.a\] max_attempts: invalid value "often", expected .*$/);
  assert.equal(foo, 'F:13: [process.a] foo: unknown key, ignored (warning)');
  assert.deepEqual([last, more], ['F cannot be used: 1 error, 2 warnings', []]);
});

test('a file that cannot be used is reported line by line, and the running configuration stays', async (t) => {
  const { core, told } = await reloadable(t, '[process.web]\npriority = 1\n');
  const before = [core.settings(), core.plans(), core.store()];
  const lines = await told((text) =>
    text.replace('priority = 1', 'priority = 2\nmax_attempts = often\nrestart_strategy = magic'),
  );
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.match(lines[0] ?? '', /^error Configuration not reloaded: .*config\.ini:\d+: \[process\.web\] max_attempts: /);
  assert.match(lines[1] ?? '', /^error Configuration not reloaded: .*config\.ini:\d+: \[process\.web\] restart_strategy: /);
  for (const [index, now] of [core.settings(), core.plans(), core.store()].entries()) assert.equal(now, before[index]);
  const mended = await told((text) => text.replace('max_attempts = often\nrestart_strategy = magic', ''));
  assert.deepEqual(mended, ['info Configuration reloaded: [process.web] priority: 1 -> 2; by SIGHUP']);
});
