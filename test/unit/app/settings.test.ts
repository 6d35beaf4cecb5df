import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSettings } from '../../../src/app/settings.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

function warningsOf(t: TestContext, sections: string): string[] {
  const dir = tempDir(t);
  const file = join(dir, 'config.ini');
  const database = `[database]\ndriver = sqlite\npath = ${dir}/a.db\n`;
  writeFileSync(file, `${database}${sections}`, { mode: 0o600 });
  return readSettings(file).problems.map(({ section, key, problem }) => `[${section}] ${key}: ${problem}`);
}

test('boot_grace in a section of its own needs ensure_running', (t) => {
  const told = '[process.app] boot_grace: has no effect: ensure_running is not true';
  assert.deepEqual(warningsOf(t, '[process.app]\nboot_grace = 5\n'), [told]);
  assert.deepEqual(warningsOf(t, '[process.app]\nboot_grace = 5\nensure_running = true\n'), []);
  assert.deepEqual(warningsOf(t, '[process.default]\nboot_grace = 5\n[process.app]\n'), []);
});

test('of what [process.default] says nothing is told that does nothing for one of them', (t) => {
  const section = '[process.app]\nrestart_strategy = service\n';
  assert.deepEqual(warningsOf(t, `[process.default]\nsupervisor_wait = 5\nany_user = true\n${section}`), []);
  assert.deepEqual(warningsOf(t, `${section}supervisor_wait = 5\n`), [
    '[process.app] supervisor_wait: has no effect for app: restart_strategy = service restarts the unit only',
  ]);
});
