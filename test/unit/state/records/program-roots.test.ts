import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programRootKind } from '../../../../src/state/records/program-roots.ts';

test('who keeps a program comes back as it was written; a record that makes no sense does not', () => {
  const root = { pid: 7, startTime: 70 };
  const parsed = (keepers: unknown): unknown => programRootKind.parse({ bootId: 'b', roots: [{ ...root, keepers }] })?.roots[0];
  assert.deepEqual(programRootKind.parse({ bootId: 'b', roots: [root] })?.roots, [root]);
  const keepers = [
    { pid: 6, startTime: 60, startsAgain: true },
    { pid: 5, startTime: 50 },
  ];
  assert.deepEqual(parsed(JSON.parse(JSON.stringify(keepers))), { ...root, keepers });
  for (const wrong of ['x', [6], [{ pid: 6 }], [{ pid: 6, startTime: 60, startsAgain: 'yes' }], null])
    assert.equal(parsed(wrong), undefined, JSON.stringify(wrong));
});
