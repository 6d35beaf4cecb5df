import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasMembers } from '../../../../src/system/accounts/database.ts';
import { groupWords } from '../../../../src/system/accounts/names.ts';
import { changeableBy } from '../../../../src/system/files/changeable-by.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOBODY = 65534;

test('who can change a file, or put another in its place, is reported with the folder by which', asRoot, (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const [folder, file] = [join(dir, 'folder'), join(dir, 'folder/file')];
  mkdirSync(folder);
  writeFileSync(file, '');
  symlinkSync(folder, join(dir, 'link'));
  const own = (): void => {
    for (const [path, mode] of [
      [folder, 0o755],
      [file, 0o755],
    ] as const) {
      chownSync(path, 0, 0);
      chmodSync(path, mode);
    }
  };
  for (const [path, uid, gid, mode, expected] of [
    [file, 0, 0, 0o755, undefined],
    [file, 4711, 0, 0o755, 'user 4711'],
    [file, NOBODY, 0, 0o755, 'user nobody (65534)'],
    [file, 0, 0, 0o757, 'everybody'],
    [folder, 4711, 0, 0o755, `user 4711, to whom ${folder} belongs`],
    [folder, 0, 0, 0o757, `everybody, who may write to ${folder}`],
    // In a sticky one nobody moves what is root's.
    [folder, 0, 0, 0o1777, undefined],
    [file, 0, 0, 0o1757, 'everybody'],
    // Of root's group, and of one that has no member, nobody is known who would.
    [file, 0, 0, 0o775, undefined],
    [file, 0, 4711, 0o775, undefined],
    [file, 0, NOBODY, 0o775, groupWords(NOBODY)],
    [folder, 0, NOBODY, 0o775, `${groupWords(NOBODY)}, who may write to ${folder}`],
  ] as const) {
    own();
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    assert.equal(changeableBy(file), expected, `${path} ${uid} ${gid} ${mode.toString(8)}`);
  }
  own();
  lchownSync(join(dir, 'link'), NOBODY, 0);
  assert.equal(changeableBy(join(dir, 'link/file')), undefined, 'nobody writes to a link');
  chownSync(file, 4711, 0);
  assert.equal(changeableBy(join(dir, 'link/file')), `user 4711, to whom ${file} belongs`);
  own();
  renameSync(file, join(dir, 'elsewhere'));
  assert.equal(changeableBy(file), undefined);
  assert.equal(changeableBy('relative'), undefined);
});

test('a group has members by its own line, or as theirs', (t) => {
  const dir = tempDir(t);
  assert.equal(hasMembers(1, dir), false, 'there are no such files');
  writeFileSync(join(dir, 'passwd'), 'root:x:0:1::/:\ntoor:x:0:1::/:\nana:x:1000:2::/:\nbob:x:1001:9::/:\n');
  writeFileSync(join(dir, 'group'), 'a:x:1:\nb:x:2:\nc:x:3:root,toor\nd:x:4:root,bob\ne:x:5:gone\n');
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map((gid) => hasMembers(gid, dir)),
    [false, true, false, true, false, false],
  );
});
