import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const main = join(import.meta.dirname, '../../../src/main.ts');

test('a demo that is stopped while programs are being started leaves no process and no file', {
  timeout: 300_000,
}, async () => {
  const moments = [
    { line: 'Demo: starting', signals: 1 },
    { line: 'Demo: starting', signals: 2 },
    { line: 'Restarting demo-web', signals: 1 },
  ];
  for (const { line, signals } of moments) {
    const demo = spawn(process.execPath, [main, 'demo'], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const ended = once(demo, 'close');
    await waitFor(line, () => said.includes(line) || demo.exitCode !== null);
    for (let i = 0; i < signals; i++) demo.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    const dir = /Demo in (\S+);/.exec(said)?.[1];
    assert(dir);
    const left = new ProcessTable().list(['argv']).filter(({ argv }) => argv?.some((argument) => argument.startsWith(dir)));
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    assert.deepEqual(left, []);
    assert.equal(existsSync(dir), false);
  }
});
