import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';

// The bundle has no tables of character sets: sessions speak utf8mb4, whatever a server and its columns hold.

/** Each with letters that are other bytes in it than in UTF-8. */
const NAMES = { latin1: 'café', latin2: 'zażółć', cp850: 'café', cp1251: 'процесс', gbk: '磁盘已满', utf16: 'zażółć' };

describe('a server of another character set', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());

  for (const [charset, name] of Object.entries(NAMES)) {
    test(`${charset}: names are read correctly, alarms healed, and its errors reported`, async (t) => {
      await server.restart([`--character-set-server=${charset}`]);
      const world = await DaemonWorld.open(t, server, {
        'process.default': { restart_command: 'printf "%s\\n" "$MONITOR_PROCESS_NAME"' },
      });
      await world.sql(`ALTER TABLE PROCESE CONVERT TO CHARACTER SET ${charset}`);
      await world.sql(`ALTER TABLE STATUS_PROCESS CONVERT TO CHARACTER SET ${charset}`);
      const id = await world.add(name);
      await world.raise(id, `${name} is down`);
      const daemon = await world.start();
      await world.allClear();
      assert.match(String((await world.row(id)).notes), new RegExp(`^${name} is down - Restarted`));
      assert.ok(daemon.stdout().includes(`Found process in alarm: ${name} `), daemon.stdout());
      await world.sql('DROP TABLE PROCESE');
      await world.until('the error is told', () => daemon.stdout().includes("PROCESE' doesn't exist"));
    });
  }
});
