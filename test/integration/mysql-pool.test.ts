import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { type MysqlWorld, mysqlOptions, mysqlWorld } from '../helpers/store-worlds.ts';
import { waitFor } from '../helpers/wait-for.ts';

describe('mysql connections', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  let world: MysqlWorld;
  before(async () => {
    server = await startMariadb();
    world = await mysqlWorld(server);
    await world.add(...Array.from({ length: 500 }, (_, i) => ({ id: i + 1, name: `p${i}`, alarma: i % 100 === 0 ? 1 : 0 })));
    await server.sql(`CREATE USER m@'%'; GRANT ALL ON ${world.database}.* TO m@'%'`);
  });
  after(async () => {
    await world?.close();
    await server?.stop();
  });

  const options = () => mysqlOptions(server, { database: world.database, user: 'm' });
  /** A store that is closed whatever becomes of the test: its pool would keep the process alive. */
  const open = (t: TestContext, ...how: ConstructorParameters<typeof MysqlStore>): MysqlStore => {
    const store = new MysqlStore(...how);
    t.after(() => store.close());
    return store;
  };
  /** Connections that the store's user holds, by id. */
  const connections = async (): Promise<number[]> => {
    const rows = await server.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'm' ORDER BY ID");
    return rows.map(({ ID }) => Number(ID));
  };
  const counter = async (name: string): Promise<number> =>
    Number((await server.sql(`SHOW GLOBAL STATUS LIKE '${name}'`))[0]?.Value);

  test('polls share one connection and one prepared statement', async (t) => {
    const store = open(t, options());
    await store.readAlarms();
    const before = await connections();
    const prepared = await counter('Com_stmt_prepare');
    for (let i = 0; i < 50; i++) assert.equal((await store.readAlarms()).rows.length, 5);
    assert.equal(before.length, 1);
    assert.deepEqual(await connections(), before);
    assert.equal((await counter('Com_stmt_prepare')) - prepared, 0);
    await store.close();
    await waitFor('closed', async () => (await connections()).length === 0);
  });

  test('at rest there is one connection, with one prepared statement', async (t) => {
    // On a busy machine a second passes between two calls, and the one that is to stay would be idle too.
    const store = open(t, options(), undefined, 5000);
    const [row] = (await store.readAlarms()).rows;
    await Promise.all([store.readProcess('1'), store.findProcesses('p1'), store.clearAlarm(row!, new Date())]);
    await store.raiseAlarm(row!.processId, undefined);
    assert.ok((await connections()).length <= 2 + 1, 'one of the polls, and of the others two at once');
    const atRest = async (): Promise<boolean> => {
      assert.equal((await store.readAlarms()).rows.length, 5);
      return (await connections()).length === 1;
    };
    await waitFor('only one connection is left', atRest);
    const [left] = await connections();
    // The server forgets a closed one a moment later.
    const oneStatement = (): Promise<boolean> =>
      waitFor('its statement alone is left', async () => (await counter('Prepared_stmt_count')) === 1);
    await oneStatement();
    for (let i = 0; i < 20; i++) await store.readAlarms();
    assert.deepEqual(await connections(), [left]);
    await oneStatement();
    // A re-read takes the place of the poll, and the poll that of the re-read.
    await store.readProcess('1');
    await oneStatement();
    await store.readAlarms();
    await oneStatement();
  });

  test('polls and re-reads at once share one connection; other calls use pool_size more, and no more than that', async (t) => {
    const store = open(t, { ...options(), poolSize: 3 });
    const polls = Promise.all(Array.from({ length: 50 }, () => store.readAlarms()));
    const reads = Promise.all(Array.from({ length: 50 }, () => store.readProcess('100')));
    for (const { rows } of await polls) assert.equal(rows.length, 5);
    for (const row of await reads) assert.ok(row !== 'ambiguous' && row?.processId === '100');
    assert.equal((await connections()).length, 1);
    const found = await Promise.all(Array.from({ length: 100 }, () => store.findProcesses('p7')));
    assert.ok(found.every((rows) => rows.length === 1));
    const used = (await connections()).length;
    assert.ok(used >= 2 && used <= 4, String(used));
    await store.close();
  });

  test('idle connections are closed properly, and opened again', async (t) => {
    const store = open(t, options(), undefined, 200);
    await Promise.all(Array.from({ length: 8 }, () => store.findProcesses('p1')));
    const aborted = await counter('Aborted_clients');
    await waitFor('all are gone', async () => (await connections()).length === 0);
    assert.equal((await store.readAlarms()).rows.length, 5);
    assert.equal((await connections()).length, 1);
    await store.close();
    await waitFor('closed', async () => (await connections()).length === 0);
    assert.equal(await counter('Aborted_clients'), aborted);
  });

  test('one connection is enough, and is kept between polls', async (t) => {
    const store = open(t, { ...options(), poolSize: 1 }, undefined, 60_000);
    await Promise.all(Array.from({ length: 5 }, () => store.readAlarms()));
    const [id] = await connections();
    // Once a younger pool has let its own go, this one would have too.
    const hasty = open(t, options(), undefined, 200);
    await hasty.findProcesses('p1');
    await waitFor('those of the younger are gone', async () => (await connections()).length === 1);
    await store.readAlarms();
    assert.deepEqual(await connections(), [id]);
    await store.close();
  });

  test('a compressed connection says the same', async (t) => {
    const store = open(t, { ...options(), compress: true });
    assert.equal((await store.listNames(1000)).length, 500);
    await store.close();
  });

  test('the poll reads the index alone for what it filters and sorts by', async (t) => {
    await server.sql('ANALYZE TABLE STATUS_PROCESS', world.database);
    const before = await rowsRead();
    const store = open(t, options());
    await store.readAlarms();
    const read = (await rowsRead()) - before;
    await store.close();
    assert.ok(read < 50, `${read} rows touched for 5 alarms among 500`);
    const plan = await server.sql(
      `EXPLAIN SELECT s.process_id, p.process_name FROM STATUS_PROCESS s JOIN PROCESE p ON p.process_id = s.process_id
       WHERE s.alarma = 1 AND s.sound = 0 ORDER BY s.process_id`,
      world.database,
    );
    assert.deepEqual(
      plan.map(({ table, key }) => [table, key]),
      [
        ['s', 'alarm_poll'],
        ['p', 'PRIMARY'],
      ],
    );
    assert.ok(plan.every(({ Extra }) => !/filesort|temporary/i.test(String(Extra))));
  });

  /** Rows read of real tables: the first for MariaDB, the second for MySQL. */
  async function rowsRead(): Promise<number> {
    const rows = await server.sql("SHOW GLOBAL STATUS WHERE Variable_name IN ('Rows_read', 'Innodb_rows_read')");
    return Number(rows[0]?.Value);
  }
});
