import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recallLaunch } from '../../../../../src/strategies/process/launch/memory.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { seenNow, treeOf } from '../../../../helpers/process-trees.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

const table = new ProcessTable();
const sight = { table, starter: process.pid };
const name = { systemName: 'released', userUid: undefined };

test('of a number that is another process’s by now nothing is learned', async () => {
  const root = seenNow(table, process.pid);
  const tree = treeOf(root);
  const recalled = await recallLaunch(sight, undefined, tree, name);
  assert(recalled.kind === 'known');
  const earlier = { ...tree, root: { ...root, startTime: root.startTime - 1 } };
  assert.deepEqual(await recallLaunch(sight, undefined, earlier, name), {
    kind: 'unknown',
    reason: 'it ended meanwhile',
    passing: true,
  });
  const stored = { ...recalled.record, argv: ['stored'] };
  assert.deepEqual(await recallLaunch(sight, stored, earlier, name), { kind: 'known', record: stored, fresh: false });
});

test('a log that was rotated keeps the name that it was opened by; any other name is another file', async (t) => {
  const dir = tempDir(t);
  const [log, rotated, other] = ['x.log', 'x.log.1', 'y.log'].map((file) => join(dir, file)) as [string, string, string];
  const output = openSync(log, 'a');
  const child = spawn('/bin/sleep', ['300'], { stdio: ['ignore', output, output], cwd: '/' });
  t.after(() => child.kill('SIGKILL'));
  closeSync(output);
  const { pid = 0 } = child;
  const root = await waitFor('sleep', () => {
    const seen = seenNow(table, pid);
    return seen.executable?.endsWith('sleep') ? seen : undefined;
  });
  const tree = treeOf(root);
  const first = await recallLaunch(sight, undefined, tree, name);
  assert(first.kind === 'known');
  assert.equal(first.record.surroundings?.standardOutput, log);
  renameSync(log, rotated);
  assert.deepEqual(await recallLaunch(sight, first.record, tree, name), { ...first, fresh: false });
  renameSync(rotated, other);
  const moved = await recallLaunch(sight, first.record, tree, { ...name, userUid: process.getuid?.() });
  assert.ok(moved.kind === 'known');
  assert.equal(moved.fresh || moved.otherwise !== undefined, true);
});
