import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../../../src/system/files/make-folder.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

test('folders are made with their mode whatever the umask is, and stay as they are where they are', (t) => {
  const dir = tempDir(t);
  const before = modeOf(dir);
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  const path = join(dir, 'a', 'b');
  makeFolder(path, 0o755);
  assert.deepEqual([modeOf(dir), modeOf(dirname(path)), modeOf(path)], [before, 0o755, 0o755]);
  makeFolder(path, 0o700);
  assert.equal(modeOf(path), 0o755);
});

test('a folder that cannot be made is an error, and not tried for ever', () => {
  assert.throws(() => makeFolder('/proc/none/at/all', 0o755), { code: 'ENOENT' });
  assert.throws(() => makeFolder('/dev/null/none', 0o755), { code: 'ENOTDIR' });
});
