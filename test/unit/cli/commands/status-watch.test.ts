import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { runCli } from '../../../../src/cli/cli.ts';
import type { TextStream } from '../../../../src/cli/terminal/output.ts';
import { startControl } from '../../../helpers/control-world.ts';
import { someProcess, someStatus } from '../../../helpers/scripted-orders.ts';
import { smallBackends } from '../../../helpers/small-backends.ts';

it('status --watch draws over the last one, in colour, no longer than the screen, until its terminal goes', async (t) => {
  const processes = Array.from({ length: 100 }, (_, i) => someProcess({ name: `process-${i}`, state: 'ok' }));
  const { socket } = await startControl(t, { status: () => someStatus({ processes }) });
  const config = join(dirname(socket), 'config.ini');
  writeFileSync(config, `[control]\nsocket = ${socket}\n`, { mode: 0o600 });
  const screens: string[] = [];
  let lose: (error: Error) => void = () => {};
  const stdout: TextStream = {
    isTTY: true,
    columns: 60,
    rows: 12,
    write: (text, done) => {
      if (text !== '') screens.push(text);
      if (screens.length === 2) lose(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      done?.();
    },
    on: (_, listener) => {
      lose = listener;
    },
  };
  const stderr: TextStream = { write: (_, done) => done?.(), on: () => {} };
  const listenForSignals = () => assert.fail('a reading command leaves signals alone');
  const io = { stdout, stderr, env: {}, isRoot: true, version: '1', listenForSignals };
  const code = await runCli(['status', '--watch', '--config', config], io, async () => smallBackends().backends);
  assert.equal(code, 141);
  assert.equal(screens.length, 2);
  for (const screen of screens) {
    assert.ok(screen.startsWith('\u001b[H\u001b[J'));
    assert.match(screen, /\u001b\[32mok\u001b\[39m/);
    const lines = screen.trimEnd().split('\n');
    assert.ok(lines.length <= 11);
    assert.match(lines.at(-1) ?? '', /^… and \d+ more$/);
  }
});
