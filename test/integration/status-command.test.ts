import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();

test('status and its codes, as alarms come, a login is refused, and the daemon goes', { skip, timeout: 300_000 }, async (t) => {
  const world = await DaemonWorld.open(t, server(), { monitor: { mode: 'observe' }, 'process.ill': {}, 'process.well': {} });
  const ill = await world.add('ill');
  await world.add('well');
  await world.sql(`CREATE OR REPLACE USER shown@localhost IDENTIFIED BY 'a secret'`);
  await world.sql(`GRANT SELECT, UPDATE ON ${world.database}.* TO shown@localhost`);
  world.configure({ database: { user: 'shown', password: 'a secret' } });
  const daemon = await world.start();
  await world.until('the store is read', async () => (await world.status()).store.state === 'ok');
  assert.deepEqual(await codes(world), [0, 0, '']);

  await world.sql(`UPDATE STATUS_PROCESS SET alarma = 1, notes = 'disk full' WHERE process_id = ?`, [ill]);
  await world.until('it is judged', async () => (await world.status()).processes.some(({ state }) => state === 'observed'));
  const [plain, check, lines] = await codes(world);
  assert.deepEqual([plain, check], [0, 1]);
  assert.match(lines, /^ill: in alarm \(mode = observe.*\)\n$/);
  assert.equal((await world.cli('status', 'well', '--check')).code, 0);
  assert.match(
    (await world.cli('status')).stdout,
    /^ill +observed +yes .*\n(?: .*\n)* +alarm +process_id 1 in alarm for .* s: disk full\n/m,
  );

  await world.sql(`ALTER USER shown@localhost IDENTIFIED BY 'another secret'`);
  await world.sql('KILL USER shown@localhost');
  await daemon.line(/Access denied/);
  const [unknown, checked, told] = await codes(world);
  assert.deepEqual([unknown, checked], [69, 69]);
  assert.match(
    told,
    /^alarm store: .*: alarms unknown for .* mysql .*: database login refused: .*\n(?:.*\n)*ill: was in alarm when/,
  );
  const { stdout } = await world.cli('status');
  assert.match(stdout, /^ill +unknown +unknown .*\n(?: .*\n)* +alarm +process_id 1 was in alarm .* s ago: disk full\n/m);
  assert.match(stdout, /^well +unknown +unknown /m);
  assert.doesNotMatch(stdout, /^\S+ +\w+ +no /m);
  const details = await world.cli('status', 'ill');
  assert.equal(details.code, 69);
  assert.match(details.stdout, /^alarm +unknown\nrows +process_id 1 was in alarm .* s ago: disk full\n/m);

  assert.equal((await daemon.stop()).code, 0);
  const [offline, last, all] = await codes(world);
  assert.deepEqual([offline, last], [3, 3]);
  assert.match(all, /^no daemon runs: nothing is restarted\nalarm store: .*: database login refused/);
  assert.equal((await world.cli('status', 'ill', '--check')).code, 3);
});

/** The codes of `status` and of `status --check`, and what that prints. */
async function codes(world: DaemonWorld): Promise<[number | null, number | null, string]> {
  const check = await world.cli('status', '--check');
  return [(await world.cli('status')).code, check.code, check.stdout];
}
