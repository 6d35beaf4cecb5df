import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readScript, readShebang } from '../../../../src/system/launch/script-file.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('an interpreter’s path is read as the path that it is, in any letters', (t) => {
  const dir = join(tempDir(t), 'äö');
  mkdirSync(dir);
  const file = join(dir, 'script');
  writeFileSync(file, `#!${dir}/python3 -u\nprint("ü")\n`);
  assert.deepEqual(readShebang(file), [`${dir}/python3`, '-u']);
  assert.match(readScript(file) ?? '', /print\("ü"\)/);
});

test('the text of a script that is longer than 64 KiB is not read, even if it has fewer letters', (t) => {
  const file = join(tempDir(t), 'script');
  writeFileSync(file, 'ü'.repeat(32 * 1024));
  assert.equal(readScript(file)?.length, 32 * 1024);
  writeFileSync(file, 'ü'.repeat(33 * 1024));
  assert.equal(readScript(file), undefined);
});
