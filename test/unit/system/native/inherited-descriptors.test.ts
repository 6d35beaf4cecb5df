import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const file = join(import.meta.dirname, '../../../../src/system/native/inherited-descriptors.ts');

const SCRIPT = `
  import { spawnSync } from 'node:child_process';
  import { keepInheritedDescriptors } from ${JSON.stringify(file)};
  const opened = () => spawnSync('ls', ['/proc/self/fd'], { encoding: 'utf8' }).stdout.split('\\n').filter((fd) => fd >= 40);
  const before = opened();
  keepInheritedDescriptors();
  console.log(JSON.stringify([before, opened()]));`;

test('what whoever started us left open does not reach the programs that we start', () => {
  const stdio = Array.from({ length: 41 }, (_, i) => (i === 1 || i === 2 || i === 40 ? 'pipe' : 'ignore') as 'pipe' | 'ignore');
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8', stdio });
  assert.equal(stderr, '');
  const [before, after] = JSON.parse(stdout);
  assert.ok(before.includes('40'), stdout);
  assert.deepEqual(after, []);
});
