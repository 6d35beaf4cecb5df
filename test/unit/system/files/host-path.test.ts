import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFile, hostStat } from '../../../../src/system/files/host-path.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('any string may be asked for: what cannot be a file’s name is none, what cannot be determined is unknown', (t) => {
  const dir = tempDir(t);
  const at = (name: string): string => join(dir, name);
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
  symlinkSync('file', at('link'));
  symlinkSync('loop', at('loop'));
  const deep = `${dir}${'/folder'.repeat(700)}`;
  const cases: readonly (readonly [string, string])[] = [
    [at('file'), 'file'],
    [at('link'), 'file'],
    [at('folder'), 'none'],
    ['/dev/null', 'none'],
    [at('missing'), 'none'],
    [at('file/below'), 'none'],
    ['', 'none'],
    [at('x'.repeat(256)), 'none'],
    [`${at('x'.repeat(256))}/below`, 'none'],
    [at('a\0b'), 'none'],
    [at('loop'), 'unknown'],
    [at('loop/below'), 'unknown'],
    // What stands there can be had from the folder itself.
    [deep, 'unknown'],
  ];
  for (const [path, expected] of cases) assert.equal(hostFile(path), expected, path.slice(0, 300));
  assert.equal(hostStat(at('loop')), 'unknown');
  assert.equal(typeof hostStat(at('folder')), 'object');
});
