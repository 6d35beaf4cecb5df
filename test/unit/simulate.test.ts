import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, '../simulate/simulate.ts');

/** In a process of its own: what a daemon that was cut off still throws is nobody's there. */
async function simulate(...args: readonly string[]): Promise<{ readonly isWell: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ isWell: error === null, output: `${stdout}${stderr}` }),
    );
  });
}

test('the promise holds in a thousand simulated lives of a machine', async () => {
  // The same each time: what breaks here was changed here. `npm run simulate` does others.
  const { isWell, output } = await simulate('--runs', '1000', '--seed', '1');
  assert.ok(isWell, output);
});

test('a run goes the same way each time', async () => {
  const args = ['--runs', '1', '--seed', '42', '--trace'];
  const [one, other] = [await simulate(...args), await simulate(...args)];
  const lines = (output: string): string[] => output.split('\n').filter((line) => !line.includes('runs/s'));
  assert.ok(one.isWell, one.output);
  assert.deepEqual(lines(one.output), lines(other.output));
  assert.ok(lines(one.output).length > 50);
});
