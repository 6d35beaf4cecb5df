import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { groupId, userId } from '../../../../src/system/accounts/database.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('a group by name or number', (t) => {
  const file = join(tempDir(t), 'group');
  writeFileSync(file, 'root:x:0:\nadm:x:4:syslog\nbroken\nodd:x:-1:\n');
  assert.equal(groupId('adm', file), 4);
  assert.equal(groupId('77', file), 77);
  for (const name of ['ad', 'broken', 'odd', '', 'x', '-1']) assert.equal(groupId(name, file), undefined, name);
  assert.equal(groupId('adm', `${file}.none`), undefined);
  assert.equal(groupId('root'), 0);
});

test('a user by name or number', (t) => {
  const file = join(tempDir(t), 'passwd');
  writeFileSync(file, 'root:x:0:0:root:/root:/bin/sh\nmysql:x:112:118::/nonexistent:/bin/false\nbroken\nodd:x:-1:\n');
  assert.equal(userId('mysql', file), 112);
  assert.equal(userId('4294967294', file), 4_294_967_294);
  for (const name of ['', 'mysq', 'broken', 'odd', '-1', '4294967295', '99999999999'])
    assert.equal(userId(name, file), undefined, name);
});
