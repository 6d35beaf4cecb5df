import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlWorld, type Row, type StoreWorld } from '../helpers/store-worlds.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);
const NOTE = ' - Restarted at 2026-01-02 03:04:05';

/** Tables as the years have left them. */
const tables = (notes: string, rest = 'ENGINE = MyISAM DEFAULT CHARSET = latin1'): string =>
  `CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255)) ${rest};
   CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes ${notes}) ${rest};`;

describe('mysql tables of every kind', { skip: skipUnless(mariadbProblem()) }, () => {
  let server: Mariadb;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());

  /** Clears the one alarm there is and returns the notes it leaves. */
  async function clearOnly(world: StoreWorld): Promise<Buffer | null | undefined> {
    const [seen] = await world.store.readAlarms();
    assert.ok(seen);
    assert.equal(await world.store.clearAlarm(seen, AT), 'cleared');
    const row = await world.row(seen.processId);
    assert.equal(row?.alarma, 0);
    return row?.notes;
  }

  async function withTables(sql: string, row: Partial<Row>, use: (world: StoreWorld) => Promise<void>): Promise<void> {
    for (const mode of ['', 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO']) {
      await server.sql(`SET GLOBAL sql_mode = '${mode}'`);
      const world = await mysqlWorld(server, sql);
      try {
        await world.add({ id: 1, name: 'nginx', alarma: 1, ...row });
        await use(world);
      } finally {
        await world.close();
      }
    }
  }

  test('VARCHAR(50), latin1, MyISAM: the note fits, the oldest goes', async () => {
    await withTables(tables('VARCHAR(50)'), { notes: 'é'.repeat(50) }, async (world) => {
      assert.equal(String(await clearOnly(world)), 'é'.repeat(50 - NOTE.length) + NOTE);
      assert.match((await world.store.inspect()).notes, /^VARCHAR\(50\), 50 characters, latin1$/);
      assert.match((await world.store.inspect()).remarks.join(), /no index/);
    });
  });

  test('a column shorter than the note', async () => {
    await withTables(tables('VARCHAR(10)'), { notes: 'old' }, async (world) => {
      assert.equal(String(await clearOnly(world)), NOTE.slice(-10));
    });
  });

  test('TINYTEXT in utf8mb4: bytes count, and no character is halved', async () => {
    await withTables(tables('TINYTEXT', 'DEFAULT CHARSET = utf8mb4'), { notes: '😀'.repeat(63) }, async (world) => {
      assert.equal(String(await clearOnly(world)), '😀'.repeat(Math.floor((255 - NOTE.length) / 4)) + NOTE);
    });
  });

  test('TINYTEXT in latin1: a character is a byte', async () => {
    await withTables(tables('TINYTEXT'), { notes: 'é'.repeat(255) }, async (world) => {
      assert.equal(String(await clearOnly(world)), 'é'.repeat(255 - NOTE.length) + NOTE);
    });
  });

  for (const charset of ['utf8mb3', 'ucs2', 'utf16', 'utf32', 'cp1250', 'latin2', 'gbk', 'utf8mb4 COLLATE utf8mb4_bin']) {
    test(`notes in ${charset} are read, compared and cut`, async () => {
      await withTables(tables('TINYTEXT', `DEFAULT CHARSET = ${charset}`), { notes: 'Zażółć' }, async (world) => {
        const [seen] = await world.store.readAlarms();
        assert.ok(seen);
        await world.exec("UPDATE STATUS_PROCESS SET notes = 'zażółć'");
        assert.equal(await world.store.clearAlarm(seen, AT), 'changed');
        assert.match(String(await clearOnly(world)), /- Restarted at 2026-01-02 03:04:05$/);
        assert.equal(await world.store.raiseAlarm(1, 'x'.repeat(300)), 'raised');
        assert.match(String(await clearOnly(world)), /^x+ - Restarted at 2026-01-02 03:04:05$/);
      });
    });
  }

  test('BLOB notes keep their bytes', async () => {
    const notes = Buffer.from([0x61, 0xff, 0x00, 0xc3, 0x28]);
    await withTables(tables('BLOB', 'DEFAULT CHARSET = utf8mb4'), { notes }, async (world) => {
      const [seen] = await world.store.readAlarms();
      assert.equal(await world.store.clearAlarm(seen!, AT), 'cleared');
      const [row] = await server.sql(
        `SELECT HEX(notes) AS hex FROM ${(world as unknown as { database: string }).database}.STATUS_PROCESS`,
      );
      assert.equal(
        row?.hex,
        Buffer.concat([notes, Buffer.from(NOTE)])
          .toString('hex')
          .toUpperCase(),
      );
    });
  });

  test('bytes that are no text harm nothing: the alarm is read, told apart and cleared', async () => {
    await withTables(tables('VARBINARY(60)', 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4'), {}, async (world) => {
      await world.exec("UPDATE STATUS_PROCESS SET notes = x'61FF62C328'");
      await world.exec('ALTER TABLE PROCESE MODIFY process_name VARBINARY(255)');
      await world.exec("UPDATE PROCESE SET process_name = x'6EFF6E'");
      await damage(world);
      const [seen] = await world.store.readAlarms();
      assert.ok(seen);
      assert.equal((await world.store.findProcesses(seen.processName ?? '')).length, 1);
      await world.exec('SET @was = (SELECT notes FROM STATUS_PROCESS)');
      assert.equal(await world.store.clearAlarm({ ...seen, notes: `${seen.notes}x` }, AT), 'changed');
      assert.equal(await world.store.clearAlarm(seen, AT), 'cleared');
      assert.equal((await world.row(1))?.alarma, 0);
    });
  });

  /** Declares the bytes to be utf8mb4 without looking at them, as a careless restore does. */
  async function damage(world: StoreWorld): Promise<void> {
    await world.exec("SET SESSION sql_mode = ''");
    await world.exec('ALTER IGNORE TABLE STATUS_PROCESS MODIFY notes VARCHAR(60) CHARACTER SET utf8mb4').catch(() => undefined);
    await world
      .exec('ALTER IGNORE TABLE PROCESE MODIFY process_name VARCHAR(255) CHARACTER SET utf8mb4')
      .catch(() => undefined);
  }

  test('an alarm is cleared even where the note cannot be left: a column altered meanwhile', async () => {
    await withTables(tables('TEXT', 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4'), { notes: 'x' }, async (world) => {
      await clearOnly(world);
      await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'y'");
      await world.exec('ALTER TABLE STATUS_PROCESS MODIFY notes VARCHAR(20)');
      const [first] = await world.store.readAlarms();
      assert.equal(await world.store.clearAlarm(first!, AT), 'cleared');
      assert.equal((await world.row(1))?.alarma, 0);
      await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'y'");
      assert.equal((await clearOnly(world))?.length, 20);
    });
  });

  test('NOT NULL columns, wide ids and odd types are no obstacle', async () => {
    const sql = `CREATE TABLE PROCESE (process_id BIGINT UNSIGNED PRIMARY KEY, process_name CHAR(40));
      CREATE TABLE STATUS_PROCESS (process_id BIGINT UNSIGNED PRIMARY KEY, alarma BOOL NOT NULL, sound INT UNSIGNED NOT NULL, notes LONGTEXT NOT NULL);`;
    await withTables(sql, { id: 4_294_967_296, notes: '' }, async (world) => {
      assert.equal(String(await clearOnly(world)), NOTE);
      assert.equal((await world.store.readProcess(4_294_967_296))?.processName, 'nginx');
    });
  });
});
