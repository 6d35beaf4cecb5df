import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const file = join(import.meta.dirname, '../../../../src/system/native/unused-memory.ts');

// The pieces that stay keep the C library from returning the rest by itself.
const SCRIPT = `
  import { readFileSync } from 'node:fs';
  import { returnUnusedMemory } from ${JSON.stringify(file)};
  const residentKb = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]);
  let pieces = Array.from({ length: 2000 }, () => new Uint8Array(32_768).fill(1));
  const kept = pieces.filter((_, i) => i % 50 === 0);
  pieces = undefined;
  gc();
  const before = residentKb();
  returnUnusedMemory();
  console.log(before - residentKb(), kept.length, kept.every((piece) => piece.every((byte) => byte === 1)));`;

test('unused memory is returned to the kernel, and what is used stays', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', SCRIPT], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const [returnedKb, kept, isWhole] = stdout.trim().split(' ');
  assert(Number(returnedKb) > 10_000, stdout);
  assert.deepEqual([kept, isWhole], ['40', 'true']);
});
