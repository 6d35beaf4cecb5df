import assert from 'node:assert/strict';
import { closeSync, linkSync, openSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileIdentity } from '../../../../src/system/native/file-identity.ts';
import { libcProblem, loadLibc } from '../../../../src/system/native/libc.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('a file is the same by all its names and links, and has none when it was removed', (t) => {
  assert.ok(loadLibc()?.statx, libcProblem());
  const dir = tempDir(t);
  const [one, two] = [join(dir, 'one'), join(dir, 'two')];
  writeFileSync(one, '');
  linkSync(one, two);
  const fd = openSync(one, 'r');
  t.after(() => closeSync(fd));
  const link = `/proc/self/fd/${fd}`;
  const known = fileIdentity(one);
  assert.deepEqual([known?.isFile, known?.names], [true, 2]);
  for (const path of [two, link]) assert.deepEqual(fileIdentity(path), known);
  for (const path of [one, two]) unlinkSync(path);
  assert.deepEqual(fileIdentity(link), { ...known, names: 0 });
  assert.equal(fileIdentity(one), undefined);
  assert.deepEqual([fileIdentity(dir)?.isFile, fileIdentity('/dev/null')?.isFile], [false, false]);
  assert.notEqual(fileIdentity(dir)?.key, known?.key);
  assert.equal(BigInt(fileIdentity(dir)?.key.split(' ')[1] ?? ''), statSync(dir, { bigint: true }).ino);
});
