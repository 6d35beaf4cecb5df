import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../helpers/temp-dir.ts';
import { noTinyDisk, runOnTinyDisk } from '../../helpers/tiny-disk.ts';

test('a full disk: one complaint, on from memory, and all of it written once there is room', { skip: noTinyDisk }, (t) => {
  const script = join(import.meta.dirname, '../../fixtures/state/full-disk.ts');
  assert.deepEqual(runOnTinyDisk(script, tempDir(t), '1m'), {
    whileFull: {
      targets: ['before', 'during 199'],
      log: ['error'],
      history: 200,
      problem: 'state.db cannot be used',
    },
    afterwards: null,
    log: ['error', 'debug', 'info', 'info'],
    found: ['after', 'before', 'during 199'],
    history: 200,
  });
});
