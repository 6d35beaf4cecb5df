import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ledByOthers, notRootsFile, notRootsPlace } from '../../../../src/system/files/roots-own.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOBODY = 65534;

/** Root's folder with root's file in it, under /tmp, which is sticky. */
function rootsFile(t: TestContext): { readonly dir: string; readonly folder: string; readonly file: string } {
  const dir = tempDir(t);
  const folder = join(dir, 'folder');
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, 'file'), '', { mode: 0o755 });
  return { dir, folder, file: join(folder, 'file') };
}

test('what is root’s alone is, below a sticky folder too', asRoot, (t) => {
  const { dir, file, folder } = rootsFile(t);
  assert.equal(notRootsFile(file), undefined);
  assert.equal(notRootsFile(`${folder}/../folder/./file`), undefined);
  symlinkSync(file, join(dir, 'link'));
  assert.equal(notRootsFile(join(dir, 'link')), undefined);
  assert.equal(notRootsFile('/bin/sh'), undefined);
  assert.equal(notRootsPlace(folder), undefined);
  assert.equal(notRootsPlace(join(folder, 'to come')), undefined);
});

test('another’s file, folder or link on the way is reported by its name', asRoot, (t) => {
  const { dir, file, folder } = rootsFile(t);
  const judge = (change: () => void, undo: () => void, expected: RegExp, path = file): void => {
    change();
    assert.match(notRootsFile(path) ?? 'root’s', expected);
    undo();
  };
  judge(
    () => chownSync(file, NOBODY, 0),
    () => chownSync(file, 0, 0),
    /folder\/file belongs to user 65534$/,
  );
  judge(
    () => chmodSync(file, 0o775),
    () => chmodSync(file, 0o755),
    /folder\/file is writable by others$/,
  );
  judge(
    () => chownSync(folder, NOBODY, 0),
    () => chownSync(folder, 0, 0),
    /folder belongs to user 65534$/,
  );
  judge(
    () => chmodSync(folder, 0o757),
    () => chmodSync(folder, 0o755),
    /folder is writable by others$/,
  );
  chmodSync(dir, 0o755);
  const link = join(dir, 'link');
  symlinkSync(folder, link);
  lchownSync(link, NOBODY, NOBODY);
  // Who owns the link can put another one in its place, though it leads to what is root's.
  assert.match(notRootsFile(join(link, 'file')) ?? '', /link belongs to user 65534$/);
  mkdirSync(join(dir, 'theirs'));
  writeFileSync(join(dir, 'theirs', 'file'), '');
  symlinkSync(join(dir, 'theirs/file'), join(folder, 'out'));
  chownSync(join(dir, 'theirs'), NOBODY, NOBODY);
  assert.match(notRootsFile(join(folder, 'out')) ?? '', /theirs belongs to user 65534$/);
  assert.match(notRootsFile(`${dir}/theirs/../folder/file`) ?? '', /theirs belongs to user 65534$/);
});

test('what is not a regular file, is not there or goes round in circles is not root’s', asRoot, (t) => {
  const { dir, folder } = rootsFile(t);
  symlinkSync('loop', join(dir, 'loop'));
  assert.match(notRootsFile(folder) ?? '', / is not a regular file$/);
  assert.match(notRootsFile(join(folder, 'none')) ?? '', /none is not there$/);
  assert.match(notRootsFile(join(dir, 'loop')) ?? '', /one symbolic link too many$/);
  assert.match(notRootsFile('bin/sh') ?? '', /is not an absolute path$/);
  assert.match(notRootsFile(`${folder}/file/x`) ?? '', /is not a folder$/);
});

test('the owner of the links on the way to a folder is reported, whoever owns the folders', asRoot, (t) => {
  const { dir, folder } = rootsFile(t);
  const theirs = join(dir, 'theirs');
  mkdirSync(join(theirs, 'below'), { recursive: true });
  chownSync(theirs, NOBODY, NOBODY);
  assert.equal(ledByOthers(join(theirs, 'below')), undefined);
  const link = join(theirs, 'link');
  symlinkSync('../folder', link);
  assert.equal(ledByOthers(link), undefined);
  lchownSync(link, NOBODY, NOBODY);
  assert.equal(ledByOthers(link), `${link} is reached through the link ${link} of user 65534`);
  assert.equal(ledByOthers(`${link}/../folder`), `${link}/../folder is reached through the link ${link} of user 65534`);
  // By a link of root's too.
  const roots = join(folder, 'roots');
  symlinkSync(`${link}/`, roots);
  assert.equal(ledByOthers(roots), `${roots} is reached through the link ${link} of user 65534`);
  symlinkSync('loop', join(dir, 'loop'));
  assert.match(ledByOthers(join(dir, 'loop')) ?? '', /one symbolic link too many$/);
  assert.equal(ledByOthers('/'), undefined);
  assert.match(ledByOthers('x') ?? '', /is not an absolute path$/);
});

test('a place that anybody could fill is not root’s, sticky or not', asRoot, (t) => {
  assert.match(notRootsPlace('/tmp') ?? '', /\/tmp is writable by others$/);
  assert.match(notRootsPlace('/tmp/nobody-has-this-yet/lib') ?? '', /\/tmp is writable by others$/);
  const { folder } = rootsFile(t);
  chownSync(folder, NOBODY, NOBODY);
  assert.match(notRootsPlace(join(folder, 'to come')) ?? '', /folder belongs to user 65534$/);
});
