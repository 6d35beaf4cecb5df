import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { HeldFolder } from '../../../../src/system/files/held-folder.ts';
import { makeFolder } from '../../../../src/system/files/make-folder.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o7777;

test('folders are created with their mode whatever the umask is, and existing ones are not changed', (t) => {
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

test('nothing is created or used if somebody else could put another folder in its place', asRoot, (t) => {
  const dir = tempDir(t);
  const victim = join(dir, 'victim');
  mkdirSync(victim, { mode: 0o710 });
  const joes = join(dir, 'joes');
  mkdirSync(joes);
  for (const [owner, mode] of [
    [4711, 0o755],
    [0, 0o770],
    [0, 0o707],
  ] as const) {
    chownSync(joes, owner, 0);
    chmodSync(joes, mode);
    for (const path of ['a', 'a/b', '../joes/a', '.']) assert.throws(() => makeFolder(`${joes}/${path}`, 0o700), /joes/);
    assert.deepEqual(readdirSync(joes), []);
  }
  // In a sticky folder what is ours stays ours, and a stranger's link is not followed.
  chownSync(joes, 0, 0);
  chmodSync(joes, 0o1777);
  symlinkSync(victim, join(joes, 'link'));
  lchownSync(join(joes, 'link'), 4711, 4711);
  assert.throws(() => makeFolder(join(joes, 'link'), 0o755), /link belongs to user 4711, mode 0777/);
  assert.throws(() => makeFolder(join(joes, 'link/a'), 0o755), /link belongs to user 4711/);
  assert.deepEqual([modeOf(victim), readdirSync(victim)], [0o710, []]);
  assert.equal(makeFolder(join(joes, 'ours'), 0o700).path, join(joes, 'ours'));
});

test('what is done in a held folder is done there, whatever has been put in its place', (t) => {
  const dir = tempDir(t);
  const [victim, place] = [join(dir, 'victim'), join(dir, 'place')];
  mkdirSync(victim);
  mkdirSync(place);
  for (const folder of [victim, place]) writeFileSync(join(folder, 's'), '', { mode: 0o600 });
  const held = new HeldFolder(place);
  t.after(() => held.close());
  renameSync(place, join(dir, 'moved'));
  symlinkSync(victim, place);
  chmodSync(held.path('s'), 0o660);
  renameSync(held.path('s'), held.path('t'));
  assert.equal(modeOf(join(victim, 's')), 0o600);
  assert.equal(modeOf(join(dir, 'moved/t')), 0o660);
  assert.throws(() => new HeldFolder(place), { code: 'ENOTDIR' });
});
