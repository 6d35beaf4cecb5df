import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { unusedUser } from '../../../../src/probes/worker/own-user.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { asRoot } from '../../../helpers/requirement.ts';

test('it is a user without a name and without a process', asRoot, async (t) => {
  const passwd = readFileSync('/etc/passwd', 'utf8');
  for (let i = 0; i < 100; i++) {
    const uid = unusedUser();
    assert(uid >= 61_184 && uid <= 65_519);
    assert(!passwd.includes(`:x:${uid}:`));
  }
  const first = unusedUser(() => 0.5);
  await openZoo(t).start('/bin/sleep', ['300'], { uid: first, gid: first, cwd: '/' });
  assert.notEqual(
    unusedUser(() => 0.5),
    first,
  );
});
