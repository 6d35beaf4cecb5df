import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';

// The bundle has no date-fns, which pino-roll would need for rotation by time.

describe('the log of the bundle', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());

  test('rotates by size', async (t) => {
    const world = await DaemonWorld.open(t, server, {
      monitor: { check_interval: 0.1 },
      logging: { level: 'debug', max_log_size: 1, log_files_to_keep: 3 },
    });
    const daemon = await world.start();
    const rotated = (): number => readdirSync(world.dir).filter((name) => name.endsWith('.old')).length;
    await world.until('three files were rotated', () => rotated() >= 3 && daemon.stdout().includes('Poll completed'));
  });
});
