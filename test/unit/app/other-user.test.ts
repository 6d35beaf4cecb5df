import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../helpers/temp-dir.ts';

const NOBODY = 65534;
const ENTRY = join(import.meta.dirname, '../../fixtures/app/run-as.ts');

test('a user without rights gets a message that says what to do about it', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const own = join(dir, 'own');
  mkdirSync(own);
  chownSync(own, NOBODY, NOBODY);
  const file = join(dir, 'config.ini');
  const socket = join(dir, 'run', 'control.sock');
  const places = `[database]\ndriver = sqlite\npath = ${own}/a.db\n[monitor]\nstate_dir = ${own}/state\n[logging]\nfile =\n`;
  writeFileSync(file, `${places}[control]\nsocket = ${socket}\n`, { mode: 0o600 });
  const run = (...argv: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, String(NOBODY), ...argv, '--config', file], {
      encoding: 'utf8',
      timeout: 300_000,
    });
    const lines = `${stdout}${stderr}`.trimEnd().split('\n');
    // Only because it has changed its user itself.
    return { status, lines: lines.filter((line) => !line.includes('could not be called monitor_service')) };
  };
  for (const command of ['check-config', 'run']) {
    const { status, lines } = run(command);
    assert.deepEqual([status, lines[0]], [78, `${file}: cannot be read: permission denied (run as root)`], command);
  }
  chownSync(file, NOBODY, NOBODY);
  const cure =
    'run as root, or set [control] socket, [monitor] state_dir and [logging] file to places where this user may write';
  const told = `monitor_service: control socket ${socket}: permission denied (${cure})`;
  assert.deepEqual(run('run'), { status: 78, lines: [told] }, 'the folder cannot be made');
  // A daemon of root's has its socket there.
  mkdirSync(join(dir, 'run'), { mode: 0o755 });
  const daemon = createServer().listen(socket);
  t.after(() => daemon.close());
  await once(daemon, 'listening');
  chmodSync(socket, 0o600);
  assert.deepEqual(run('run'), { status: 78, lines: [told] });
});
