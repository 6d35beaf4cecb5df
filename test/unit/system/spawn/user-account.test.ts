import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asUser, findAccount } from '../../../../src/system/spawn/user-account.ts';
import { never } from '../../../helpers/strategy-parts.ts';

test('a user is found by name and by uid; a missing one is reported', async () => {
  for (const user of ['root', '0']) {
    const found = await findAccount(user, never);
    assert.ok(found.kind === 'found' && found.account.name === 'root' && found.account.uid === 0, JSON.stringify(found));
  }
  const reason = 'there is no user no-such-user';
  assert.deepEqual(await findAccount('no-such-user', never), { kind: 'not_found', reason });
  for (const odd of ['-x', 'a b', 'a:b', '']) assert.equal((await findAccount(odd, never)).kind, 'not_found', odd);
});

test('one that could not be looked up is not known, and nothing is run as that', async () => {
  const reason = 'the user root could not be looked up (aborted)';
  assert.deepEqual(await findAccount('root', AbortSignal.abort()), { kind: 'unknown', reason });
  assert.deepEqual(await asUser('root', AbortSignal.abort()), { kind: 'refused', reason });
});
