import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccountNames, parseNames } from '../../../../src/system/accounts/names.ts';
import { learnAccountNames } from '../../../../src/system/spawn/learn-account-names.ts';
import { missing } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('names are those of the files, and follow them', (t) => {
  const dir = tempDir(t);
  const passwd = join(dir, 'passwd');
  writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/:\nanother:x:1000:1:::\n');
  const names = new AccountNames(dir);
  names.refresh();
  assert.deepEqual([names.users.name(0), names.users.name(1000), names.users.name(7)], ['root', 'ana', undefined]);
  assert.equal(names.groups.name(0), undefined, 'there is no such file');
  writeFileSync(`${passwd}+`, 'toor:x:0:0:::\n');
  renameSync(`${passwd}+`, passwd);
  assert.equal(names.users.name(0), 'root');
  names.refresh();
  assert.deepEqual([names.users.name(0), names.users.name(1000)], ['toor', undefined]);
  rmSync(passwd);
  names.refresh();
  assert.equal(names.users.name(0), 'toor', 'a file that is being replaced takes no name away');
});

test('invalid lines give no names', () => {
  const text = '\n#x\n:x:1:\na:x::\nb:x:-1:\nc:x:1e3:\nd:x\n+::::::\ne:x: 5:\nf:x:6\n';
  assert.deepEqual([...parseNames(text)], [[6, 'f']]);
});

test('what no file lists is asked of the system’s databases, once', { skip: missing('getent') }, async (t) => {
  const names = new AccountNames(tempDir(t));
  const ids = { uids: [0, 0, 3_999_999_999], gids: [0, 3_999_999_999] };
  await learnAccountNames(names, ids, new AbortController().signal);
  assert.equal(names.users.name(0), 'root');
  assert.ok(names.groups.name(0));
  assert.equal(names.users.name(3_999_999_999), undefined);
  assert.deepEqual(names.users.unknown([0, 3_999_999_999, 5]), [5], 'the unknown one is not asked for again');
});
