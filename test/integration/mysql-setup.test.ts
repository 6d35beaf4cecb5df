import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MysqlStore } from '../../src/stores/mysql/store.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlOptions, setupSql } from '../helpers/store-worlds.ts';

const DATABASE = 'v_process_monitor';

describe('setup.sql', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());

  test('it creates what the daemon needs, once, and says what to do next', async () => {
    const [first, second] = [server.script(setupSql), server.script(setupSql)];
    assert.equal(first, second);
    const processes = await server.sql('SELECT process_name FROM PROCESE ORDER BY process_id', DATABASE);
    assert.ok(processes.length >= 3);
    const [status] = await server.sql('SELECT COUNT(*) AS n, SUM(alarma) AS alarms FROM STATUS_PROCESS', DATABASE);
    assert.deepEqual([status?.n, Number(status?.alarms)], [processes.length, 0], 'a sample restarts nothing');
    const kinds = await server.sql(
      `SELECT DISTINCT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${DATABASE}'`,
    );
    assert.deepEqual(
      kinds.map(({ ENGINE, TABLE_COLLATION }) => [ENGINE, String(TABLE_COLLATION).split('_')[0]]),
      [['InnoDB', 'utf8mb4']],
    );
    const index = await server.sql("SHOW INDEX FROM STATUS_PROCESS WHERE Key_name <> 'PRIMARY'", DATABASE);
    assert.deepEqual(
      index.map(({ Column_name }) => Column_name),
      ['alarma', 'sound', 'process_id'],
    );
  });

  test('the user it prints can do what the daemon does, and no more', async (t) => {
    await server.sql(server.script(setupSql));
    const store = new MysqlStore(mysqlOptions(server, { user: 'monitor_service', password: 'your_password' }));
    t.after(() => store.close());
    assert.equal(await store.raiseAlarm('1', 'broken'), 'raised');
    const [seen] = (await store.readAlarms()).rows;
    assert.deepEqual([seen?.processId, seen?.notes], ['1', 'broken']);
    assert.equal(await store.clearAlarm(seen!, new Date()), 'cleared');
    assert.equal(await store.raiseAlarm('1', undefined), 'raised');
    assert.equal(await store.dropAlarm('1', undefined), 'dropped');
    const report = await store.inspect();
    assert.deepEqual([report.processes, report.alarms, report.canClear, report.remarks], [3, 0, true, []]);
    await server.sql('UPDATE STATUS_PROCESS SET sound = 1', DATABASE);
    await assert.rejects(store.raiseAlarm('1', undefined), /sound/, 'an acknowledgement is not ours to take back');
    const grants = await server.sql("SHOW GRANTS FOR 'monitor_service'@'localhost'");
    assert.equal(grants.length, 3);
  });

  test('over the database of the bash service it adds the index and leaves the rest', async () => {
    await server.sql(`DROP DATABASE IF EXISTS ${DATABASE}; CREATE DATABASE ${DATABASE} CHARACTER SET latin1`);
    await server.sql(
      `CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT) ENGINE = MyISAM;
       CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255)) ENGINE = MyISAM;
       INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'é'), (2, NULL, NULL, NULL);
       INSERT INTO PROCESE VALUES (1, 'tuica'), (9, 'nginx');`,
      DATABASE,
    );
    const all = async () => [
      await server.sql('SELECT * FROM STATUS_PROCESS', DATABASE),
      await server.sql('SELECT * FROM PROCESE', DATABASE),
    ];
    const before = await all();
    server.script(setupSql);
    server.script(setupSql);
    assert.deepEqual(await all(), before);
    const index = await server.sql("SHOW INDEX FROM STATUS_PROCESS WHERE Key_name = 'alarm_poll'", DATABASE);
    assert.equal(index.length, 3);
  });
});
