import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recallLaunch } from '../../../src/strategies/launch-memory.ts';
import { ProcessLook } from '../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';

const table = new ProcessTable();
const sight = { table, starter: process.pid };
const name = { systemName: 'released', userUid: undefined };

test('of a number that is another process’s by now nothing is learned', () => {
  const root = new ProcessLook(table).all.get(process.pid)!;
  const tree = { root, descendants: [], orphaned: false, by: 'name' as const };
  const recalled = recallLaunch(sight, undefined, tree, name);
  assert(recalled.kind === 'known');
  const earlier = { ...tree, root: { ...root, startTime: root.startTime - 1 } };
  assert.deepEqual(recallLaunch(sight, undefined, earlier, name), { kind: 'unknown', reason: 'it ended meanwhile' });
  const stored = { ...recalled.record, argv: ['stored'] };
  assert.deepEqual(recallLaunch(sight, stored, earlier, name), { kind: 'known', record: stored, fresh: false });
});
