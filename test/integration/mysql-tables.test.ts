import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { type MysqlWorld, mysqlWorld, type Row, readRow, type StoreWorld } from '../helpers/store-worlds.ts';

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
    const [seen] = (await world.store.readAlarms()).rows;
    assert.ok(seen);
    assert.equal(await world.store.clearAlarm(seen, AT), 'cleared');
    const row = await world.row(seen.processId);
    assert.equal(row?.alarma, 0);
    return row?.notes;
  }

  async function withTables(sql: string, row: Partial<Row>, use: (world: MysqlWorld) => Promise<void>): Promise<void> {
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

  test('a letter that latin1 lacks does not keep an alarm from being raised', async () => {
    await withTables(tables('VARCHAR(50)'), { alarma: 0, notes: null }, async (world) => {
      assert.equal(await world.store.raiseAlarm('1', 'căzut, é 😀'), 'raised');
      assert.deepEqual([(await world.row(1))?.alarma, String((await world.row(1))?.notes)], [1, 'c?zut, é ?']);
      assert.equal(await world.store.dropAlarm('1', 'repornit ș'), 'dropped');
      assert.equal(String((await world.row(1))?.notes), 'repornit ?');
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

  for (const charset of ['latin1', 'utf8mb3', 'ucs2', 'gbk']) {
    test(`long notes in ${charset} that are full: read in part, cleared, the oldest goes`, async () => {
      const width = { latin1: 1, utf8mb3: 2, ucs2: 2, gbk: 2 }[charset] ?? 1;
      const full = 'é'.repeat(Math.floor(65_535 / width));
      await withTables(tables('TEXT', `DEFAULT CHARSET = ${charset}`), { notes: full }, async (world) => {
        const [seen] = (await world.store.readAlarms()).rows;
        assert.equal(seen?.notes, 'é'.repeat(1024));
        await world.exec("UPDATE STATUS_PROCESS SET notes = CONCAT(LEFT(notes, 5000), 'e', SUBSTRING(notes, 5002))");
        assert.equal(await world.store.clearAlarm(seen!, AT), 'changed');
        await world.exec('UPDATE STATUS_PROCESS SET notes = ?', [full]);
        const noteBytes = NOTE.length * (charset === 'ucs2' ? 2 : 1);
        assert.equal(String(await clearOnly(world)), 'é'.repeat(Math.floor((65_535 - noteBytes) / width)) + NOTE);
      });
    });
  }

  test('VARCHAR(5000) that is full: characters count', async () => {
    await withTables(tables('VARCHAR(5000)', 'DEFAULT CHARSET = utf8mb4'), { notes: 'ă'.repeat(5000) }, async (world) => {
      assert.equal(String(await clearOnly(world)), 'ă'.repeat(5000 - NOTE.length) + NOTE);
    });
  });

  test('LONGTEXT and long BLOB notes keep all they had', async () => {
    for (const type of ['LONGTEXT', 'BLOB']) {
      await withTables(tables(type, 'DEFAULT CHARSET = utf8mb4'), { notes: 'ă'.repeat(20_000) }, async (world) => {
        assert.equal((await world.store.readAlarms()).rows[0]?.notes, 'ă'.repeat(1024));
        assert.equal(String(await clearOnly(world)), 'ă'.repeat(20_000) + NOTE);
      });
    }
  });

  for (const charset of ['utf8mb3', 'ucs2', 'utf16', 'utf32', 'cp1250', 'latin2', 'utf8mb4 COLLATE utf8mb4_bin']) {
    test(`notes in ${charset} are read, compared and cut`, async () => {
      await withTables(tables('TINYTEXT', `DEFAULT CHARSET = ${charset}`), { notes: 'Zażółć' }, async (world) => {
        const [seen] = (await world.store.readAlarms()).rows;
        assert.ok(seen);
        await world.exec("UPDATE STATUS_PROCESS SET notes = 'zażółć'");
        assert.equal(await world.store.clearAlarm(seen, AT), 'changed');
        assert.match(String(await clearOnly(world)), /- Restarted at 2026-01-02 03:04:05$/);
        assert.equal(await world.store.raiseAlarm('1', 'x'.repeat(300)), 'raised');
        assert.match(String(await clearOnly(world)), /^x+ - Restarted at 2026-01-02 03:04:05$/);
      });
    });
  }

  test('notes in gbk, two bytes a character, are read, compared and cut', async () => {
    await withTables(tables('TINYTEXT', 'DEFAULT CHARSET = gbk'), { notes: '磁盘已满'.repeat(31) }, async (world) => {
      const kept = '磁盘已满'.repeat(31).slice(0, Math.floor((255 - NOTE.length) / 2));
      assert.equal(String(await clearOnly(world)), kept + NOTE);
    });
  });

  for (const charset of ['utf8mb4', 'utf8mb3', 'gbk']) {
    test(`bytes that are not ${charset} do no harm: the row is read, distinguished and cleared`, async () => {
      const damaged = `ENGINE = MyISAM DEFAULT CHARSET = ${charset}`;
      await withTables(tables('VARCHAR(60)', damaged), { notes: 'disk full' }, async (world) => {
        await damage(world, charset, 'VARCHAR(60)', "x'61FF62C3286364'");
        const [seen] = (await world.store.readAlarms()).rows;
        assert.ok(seen?.notes);
        assert.equal((await world.store.findProcesses(seen.processName ?? '')).length, 1);
        assert.equal(await world.store.clearAlarm({ ...seen, notes: `${seen.notes}x` }, AT), 'changed');
        assert.equal(await world.store.clearAlarm(seen, AT), 'cleared');
        assert.equal((await world.row(1))?.alarma, 0);
        await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'x'");
        assert.equal(String(await clearOnly(world)), `x${NOTE}`, 'the connection is as strict as before');
      });
    });
  }

  test('long notes that are damaged are read in part, distinguished and cleared', async () => {
    await withTables(tables('TEXT', 'ENGINE = MyISAM DEFAULT CHARSET = utf8mb4'), { notes: 'disk full' }, async (world) => {
      await damage(world, 'utf8mb4', 'TEXT', "CONCAT(x'61FF62C3286364', REPEAT('x', 50000), x'FF')");
      const [seen] = (await world.store.readAlarms()).rows;
      assert.equal(seen?.notes?.length, 1024);
      assert.equal(await world.store.clearAlarm({ ...seen, notesDigest: 'another' }, AT), 'changed');
      assert.equal(await world.store.clearAlarm(seen, AT), 'cleared');
      assert.equal((await world.row(1))?.alarma, 0);
    });
  });

  /** Puts bytes into both tables that their character set does not know, as a careless restore of files does. */
  async function damage(world: MysqlWorld, charset: string, notes: string, bytes: string): Promise<void> {
    const wide = { utf8mb4: 4, utf8mb3: 3, gbk: 2 }[charset] ?? 1;
    await world.exec('CREATE DATABASE donor');
    const donor = tables(notes.replace('60', String(60 * wide))).replace('VARCHAR(255)', `VARCHAR(${255 * wide})`);
    await server.sql(
      `${donor} INSERT INTO PROCESE VALUES (1, x'6EFF78'); INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, ${bytes});`,
      'donor',
    );
    await server.sql('FLUSH TABLES');
    const folder = join(server.dir, 'data');
    for (const file of ['PROCESE.MYD', 'PROCESE.MYI', 'STATUS_PROCESS.MYD', 'STATUS_PROCESS.MYI']) {
      copyFileSync(join(folder, 'donor', file), join(folder, world.database, file));
    }
    await server.sql('FLUSH TABLES; DROP DATABASE donor');
  }

  test('BLOB notes', async () => {
    await withTables(tables('BLOB', 'DEFAULT CHARSET = utf8mb4'), { notes: 'disk full' }, async (world) => {
      assert.equal(String(await clearOnly(world)), `disk full${NOTE}`);
      await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = x'61FF00C328'");
      await clearOnly(world);
    });
  });

  test('an alarm is cleared even if the note cannot be written: a column altered meanwhile', async () => {
    await withTables(tables('TEXT', 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4'), { notes: 'x' }, async (world) => {
      await clearOnly(world);
      await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'y'");
      await world.exec('ALTER TABLE STATUS_PROCESS MODIFY notes VARCHAR(20)');
      const [first] = (await world.store.readAlarms()).rows;
      assert.equal(await world.store.clearAlarm(first!, AT), 'cleared');
      assert.equal((await world.row(1))?.alarma, 0);
      await world.exec("UPDATE STATUS_PROCESS SET alarma = 1, notes = 'y'");
      assert.equal((await clearOnly(world))?.length, 20);
    });
  });

  test('NOT NULL columns, wide ids and odd types are accepted', async () => {
    const sql = `CREATE TABLE PROCESE (process_id BIGINT UNSIGNED PRIMARY KEY, process_name CHAR(40));
      CREATE TABLE STATUS_PROCESS (process_id BIGINT UNSIGNED PRIMARY KEY, alarma BOOL NOT NULL, sound INT UNSIGNED NOT NULL, notes LONGTEXT NOT NULL);`;
    await withTables(sql, { id: 4_294_967_296, notes: '' }, async (world) => {
      assert.equal(String(await clearOnly(world)), NOTE);
      assert.equal((await readRow(world, '4294967296'))?.processName, 'nginx');
    });
  });
});
