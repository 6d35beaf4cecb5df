import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { trustedUsers } from '../../../../../src/stores/mysql/connection/socket-peer.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';

test('root, mysql, ourselves and socket_owner may run the server; root’s and mysql’s groups may write', (t) => {
  const dir = tempDir(t);
  const [passwd, group] = [join(dir, 'passwd'), join(dir, 'group')];
  writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\nmysql:x:112:118::/nonexistent:/bin/false\n');
  writeFileSync(group, 'root:x:0:\nmysql:x:118:\n');
  const own = process.geteuid?.() ?? -1;
  const of = (owner: number | undefined, ...files: [string, string] | []) => {
    const { uids, gids } = trustedUsers(owner, ...files);
    return { uids: [...uids], gids: [...gids] };
  };
  assert.deepEqual(of(undefined, passwd, group), { uids: [...new Set([0, 112, own])], gids: [0, 118] });
  assert.deepEqual(of(4711, passwd, group), { uids: [...new Set([0, 112, own, 4711])], gids: [0, 118] });
  assert.deepEqual(of(4711, join(dir, 'none'), join(dir, 'none')), { uids: [...new Set([0, own, 4711])], gids: [0] });
});
