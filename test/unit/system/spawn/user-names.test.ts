import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import { AccountNames } from '../../../../src/system/accounts/names.ts';
import { UserNames } from '../../../../src/system/spawn/user-names.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const never = new AbortController().signal;

describe('user names', () => {
  it('are those of /etc/passwd', () => {
    const names = new UserNames({ clock: systemClock, signal: never });
    assert.equal(names.name(0), 'root');
  });

  it('are read again after a minute, and the first of a number counts', (t) => {
    const dir = tempDir(t);
    const file = join(dir, 'passwd');
    const clock = new FakeClock();
    writeFileSync(file, 'one:x:4000001:1::/:\nother:x:4000001:1::/:\n\nodd line\nbad:x:-1:1\n');
    const names = new UserNames({ clock, signal: AbortSignal.abort(), accounts: new AccountNames(dir) });
    assert.equal(names.name(4_000_001), 'one');
    writeFileSync(file, 'two:x:4000001:1::/:\n');
    assert.equal(names.name(4_000_001), 'one');
    return clock.advance(61_000).then(() => assert.equal(names.name(4_000_001), 'two'));
  });

  it('that only a directory knows come later; a number without a name stays one', async (t) => {
    const accounts = new AccountNames(tempDir(t));
    const names = new UserNames({ clock: systemClock, signal: never, accounts });
    assert.equal(names.name(4_000_002), '4000002');
    assert.equal(names.name(0), '0');
    await waitFor('the name by getent', () => names.name(0) === 'root');
    assert.equal(names.name(4_000_002), '4000002');
    assert.deepEqual(accounts.users.unknown([4_000_002]), [], 'it is not asked for again');
  });
});
