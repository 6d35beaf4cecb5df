import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostPath, hostStat, linkedFile } from '../../../../src/system/files/host-path.ts';
import { isPlainPath } from '../../../../src/system/files/plain-path.ts';
import { readShebang } from '../../../../src/system/launch/script-file.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('files, folders, links and what is missing can be followed', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  writeFileSync(join(dir, 'a/b/file'), '');
  symlinkSync('../b/file', join(dir, 'a/b/near'));
  symlinkSync(join(dir, 'a'), join(dir, 'far'));
  for (const path of [
    '/',
    '/bin/sh',
    '/usr/../bin//./sh',
    '/dev/null',
    dir,
    `${dir}/a/b/file`,
    `${dir}/far/b/near`,
    `${dir}/none/b`,
  ])
    assert.ok(isPlainPath(path), path);
  // The kernel refuses these by itself.
  for (const path of [`/${'x'.repeat(256)}`, `${dir}/a/b/file/further`, '/a\0b']) assert.ok(isPlainPath(path), path);
});

test('a way through proc, also by a link, and one that takes too many steps, is not followed', (t) => {
  const dir = tempDir(t);
  const script = join(dir, 'script');
  writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
  const through = `/proc/${process.pid}/root${script}`;
  symlinkSync(through, join(dir, 'link'));
  symlinkSync(`/proc/self/root${dir}`, join(dir, 'folder'));
  symlinkSync(`${'./'.repeat(1000)}script`, join(dir, 'long'));
  for (let i = 0; i < 20; i++) symlinkSync(i === 19 ? script : `chain${i + 1}`, join(dir, `chain${i}`));
  symlinkSync('loop', join(dir, 'loop'));
  const names = ['link', 'folder/script', 'long', 'chain0', 'loop'].map((name) => join(dir, name));
  for (const path of [through, '/proc', '/usr/../proc/self/exe', '/dev/fd/0', '/dev/stdin', ...names]) {
    assert.equal(isPlainPath(path), false, path);
    assert.equal(hostStat(path), 'unknown', path);
    assert.deepEqual([linkedFile(path), readShebang(path)], [path, []], path);
  }
  assert.ok(isPlainPath(join(dir, 'chain10')));
  assert.equal(hostPath(join(dir, 'chain10')), join(dir, 'chain10'));
});
