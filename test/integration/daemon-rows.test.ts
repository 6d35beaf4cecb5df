import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DaemonWorld } from '../helpers/daemon-world.ts';
import { shareMariadb } from '../helpers/shared-mariadb.ts';

const { skip, server } = shareMariadb();
const options = { skip, timeout: 300_000 };

/** The tables of the bash service's successor: one database for many hosts, the same names once for each. */
const SUCCESSOR = [
  'DROP TABLE STATUS_PROCESS',
  'DROP TABLE PROCESE',
  `CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT NOT NULL DEFAULT 0, sound TINYINT NOT NULL DEFAULT 0,
     notes VARCHAR(100), host_id INT NOT NULL DEFAULT 1)`,
  `CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(100) NOT NULL,
     FOREIGN KEY (process_id) REFERENCES STATUS_PROCESS (process_id))`,
  'CREATE INDEX idx_host_alarma ON STATUS_PROCESS (host_id, alarma)',
];

/** Keys of its config.ini that are not ours. */
const FOREIGN = {
  self_recovery: { heartbeat_file: '/var/run/x.heartbeat', restart_command: 'a || b || c', precheck_command: '' },
  predictive: { enabled: 1 },
};

test(
  'two hosts on one database, with the same names and the successor’s configuration: each heals its own',
  options,
  async (t) => {
    const one = await DaemonWorld.open(t, server(), {
      host: { host_id: 1 },
      ...FOREIGN,
      logging: { format: 'json', json_pretty: false },
    });
    for (const statement of SUCCESSOR) await one.sql(statement);
    const names = ['sshd', 'crond', 'httpd', 'rsyslogd'];
    const rows = [1, 2].flatMap((host) => names.map((name, i) => ({ id: host * 100 + i, name, host })));
    for (const { id, name, host } of rows) {
      await one.sql('INSERT INTO STATUS_PROCESS VALUES (?, 1, 0, ?, ?)', [id, `down on ${host}`, host]);
      await one.sql('INSERT INTO PROCESE VALUES (?, ?)', [id, name]);
    }
    const inAlarm = async (): Promise<number[]> =>
      (await one.sql<{ id: number }>('SELECT process_id AS id FROM STATUS_PROCESS WHERE alarma = 1 ORDER BY 1')).map(
        ({ id }) => id,
      );
    const first = await one.start();
    await one.until('its own are well', async () => (await inAlarm()).every((id) => id >= 200));
    const { lastPollAt } = (await one.status()).store;
    await one.until('it has polled again', async () => (await one.status()).store.lastPollAt !== lastPollAt);
    assert.deepEqual(await inAlarm(), [200, 201, 202, 203], 'those of the other host stand');
    assert.deepEqual(one.restarts().toSorted(), [100, 101, 102, 103]);
    const line = JSON.parse(
      first
        .stdout()
        .split('\n')
        .find((text) => text.includes('Found process in alarm: sshd')) ?? '{}',
    ) as Record<string, unknown>;
    assert.deepEqual([line.process_id, typeof line.host, typeof line.pid], ['100', 'string', 'number']);

    const two = await DaemonWorld.open(t, server(), { database: { database: one.database }, host: { host_id: 2 } });
    await two.start();
    await two.until('the other host heals its own', async () => (await inAlarm()).length === 0);
    assert.deepEqual([one.restarts().length, two.restarts().toSorted()], [4, [200, 201, 202, 203]]);
    assert.match((await one.row(203)).notes ?? '', /^down on 2 - Restarted at \d{4}-/);
    const shown = (await two.status()).processes.find(({ name }) => name === 'sshd');
    assert.notEqual(shown?.processId, '100');

    const unsaid = await DaemonWorld.open(t, server(), { database: { database: one.database } });
    const report = await unsaid.cli('check-config', '--database');
    assert.equal(report.code, 78, report.stderr);
    assert.match(report.stderr, /\[host\] host_id/);
    const silent = await unsaid.start();
    await silent.line(/Alarm store cannot be used: .*\[host\] host_id/);
    await one.raise(100, 'again');
    await one.until('only its own host heals it', async () => (await one.row(100)).alarma === 0);
    assert.deepEqual([unsaid.restarts(), (await unsaid.status()).store.alarms], [[], null]);
  },
);

test('ids of 64 bits are healed once, cleared, and shown as they are', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  await world.sql('ALTER TABLE STATUS_PROCESS MODIFY process_id BIGINT UNSIGNED');
  await world.sql('ALTER TABLE PROCESE MODIFY process_id BIGINT UNSIGNED');
  const ids = ['9007199254740993', '18446744073709551615'];
  for (const id of ids) {
    await world.sql('INSERT INTO PROCESE VALUES (?, ?)', [id, `p${id}`]);
    await world.sql('INSERT INTO STATUS_PROCESS VALUES (?, 1, 0, NULL)', [id]);
  }
  world.configure({ monitor: { clear_alarm: false } });
  await world.start();
  const restarted = (): string[] => readFileSync(join(world.dir, 'restarts'), 'utf8').split('\n').filter(Boolean).toSorted();
  await world.until('both are healed', () => restarted().length === 2);
  const shown = (await world.status()).processes.map(({ processId }) => processId);
  assert.deepEqual(shown.toSorted(), ids.toSorted());
  const status = await world.cli('status');
  for (const id of ids) assert.match(status.stdout, new RegExp(`\\b${id}\\b`));
  world.configure({ monitor: { clear_alarm: true } });
  assert.equal((await world.cli('reload')).code, 0);
  await world.allClear();
  assert.deepEqual(restarted(), ids.toSorted());
});

test('one odd row breaks nothing else; notes keep their head through four recoveries', options, async (t) => {
  const world = await DaemonWorld.open(t, server());
  await world.sql('ALTER TABLE STATUS_PROCESS MODIFY notes VARCHAR(100), DROP PRIMARY KEY, MODIFY alarma VARCHAR(5)');
  const id = await world.add('billing');
  for (const [odd, alarma] of [
    [50, '1'],
    [50, '0'],
    [51, 'yes'],
  ] as const)
    await world.sql('INSERT INTO STATUS_PROCESS VALUES (?, ?, 0, NULL)', [odd, alarma]);
  await world.sql("INSERT INTO PROCESE VALUES (50, 'twice'), (51, 'spoken')");
  const words = 'Billing web server; call the shop before touching it';
  await world.raise(id, words);
  const daemon = await world.start();
  for (let i = 1; i <= 4; i++) {
    await world.until(`recovery ${i}`, () => world.restarts().length === i);
    await world.until('it is cleared', async () => Number((await world.row(id)).alarma) === 0);
    await world.sql('UPDATE STATUS_PROCESS SET alarma = 1 WHERE process_id = ?', [id]);
  }
  assert.match((await world.row(id)).notes ?? '', new RegExp(`^${words} - Restarted at [-\\d]+ [:\\d]+$`));
  const { store, processes } = await world.status();
  assert.equal(store.state, 'ok');
  assert.ok(!processes.some(({ name, inAlarm }) => inAlarm && name !== 'billing'));
  assert.equal(daemon.stdout().match(/Alarm store: process_id "50": several rows/g)?.length, 1, 'told once');
  assert.equal(daemon.stdout().match(/not a number in a row/g)?.length, 1);
  assert.deepEqual([...new Set(world.restarts())], [id]);
  assert.equal((await world.cli('alarm', '50')).code === 0, false, 'nobody’s row is touched');
});
