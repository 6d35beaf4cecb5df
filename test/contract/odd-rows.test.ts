import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StoreError } from '../../src/core/errors.ts';
import type { RowScope } from '../../src/stores/row-scope.ts';
import { MOST_ALARMS } from '../../src/stores/store.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlWorld, readRow, type StoreWorld, sqliteWorld } from '../helpers/store-worlds.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);
const NOTE = ' - Restarted at 2026-01-02 03:04:05';

const NAMES = 'CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255));';
const PLAIN = `${NAMES} CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);`;
const HOSTED = `${NAMES} CREATE TABLE STATUS_PROCESS
  (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT, host_id INT NOT NULL);`;

type Open = (tables: string, scope?: RowScope) => Promise<StoreWorld>;

let server: Mariadb | undefined;
let databases = 0;
let dir = '';

describe('mysql', { skip: skipUnless(mariadbProblem()) }, () => {
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());
  suite((tables, scope) => mysqlWorld(server!, tables, `odd_${process.pid}_${++databases}`, scope), 'mysql');
});

describe('sqlite', () => {
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'monitor-odd-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  suite(async (tables, scope) => sqliteWorld(dir, tables, scope), 'sqlite');
});

const hostScope = (hostId: string | undefined, onlyConfigured = false): RowScope => ({ hostId, onlyConfigured });

function suite(openWorld: Open, kind: 'mysql' | 'sqlite'): void {
  /** A world on these tables, for as long as `use` takes. */
  async function on(tables: string, use: (world: StoreWorld) => Promise<void>, scope?: RowScope): Promise<void> {
    const world = await openWorld(tables, scope);
    try {
      await use(world);
    } finally {
      await world.close();
    }
  }

  /** The ids of those in alarm. */
  async function inAlarm({ store }: StoreWorld): Promise<string[]> {
    return (await store.readAlarms()).rows.map(({ processId }) => processId);
  }

  const isConfigFault = (words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof StoreError);
    assert.equal(error.fault, 'config');
    assert.match(error.message, words);
    return true;
  };

  describe('whose row it is', () => {
    const twoHosts = `${HOSTED}
      INSERT INTO PROCESE VALUES (1, 'nginx'), (2, 'nginx'), (3, 'mysqld'), (4, 'mysqld');
      INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'a', 1), (2, 1, 0, 'b', 2), (3, 1, 0, 'c', 1), (4, 1, 0, 'd', 2);`;

    test('with host_id, every call sees and changes the rows of this host, and of no other', async () => {
      await on(
        twoHosts,
        async (world) => {
          const { store } = world;
          const { rows, remarks } = await store.readAlarms();
          assert.deepEqual([rows.map(({ processId }) => processId), remarks], [['2', '4'], []]);
          assert.equal(await store.readProcess('1'), undefined);
          assert.equal(await store.findHalf('1'), undefined, 'nor is half of it shown');
          assert.deepEqual(
            (await store.findProcesses('nginx')).map(({ processId }) => processId),
            ['2'],
          );
          assert.deepEqual((await store.listNames(10)).toSorted(), ['mysqld', 'nginx']);
          const report = await store.inspect();
          assert.deepEqual([report.processes, report.alarms], [2, 2]);
          assert.equal(await store.raiseAlarm('1', 'not ours'), 'missing');
          assert.equal(await store.dropAlarm('1', 'not ours'), 'missing');
          assert.equal(await store.clearAlarm({ ...rows[0]!, processId: '1', notes: 'a' }, AT), 'changed');
          assert.equal(await store.clearAlarm(rows[0]!, AT), 'cleared');
          assert.equal(await store.dropAlarm('4', undefined), 'dropped');
          assert.equal(await store.raiseAlarm('2', 'again'), 'raised');
          assert.deepEqual(await inAlarm(world), ['2']);
          assert.deepEqual([(await world.row(1))?.alarma, (await world.row(3))?.alarma], [1, 1]);
          assert.equal(String((await world.row(1))?.notes), 'a');
        },
        hostScope('2'),
      );
    });

    test('host_id of every type is compared as it is', async () => {
      const types =
        kind === 'mysql'
          ? ['INT', 'BIGINT UNSIGNED', 'VARCHAR(40)', 'CHAR(5)', 'DECIMAL(10,2)', 'VARBINARY(9)']
          : ['INT', 'TEXT', ''];
      for (const type of types) {
        const tables = twoHosts.replace('host_id INT NOT NULL', `host_id ${type} NOT NULL`);
        await on(tables, async (world) => assert.deepEqual(await inAlarm(world), ['1', '3'], type), hostScope('1'));
      }
      const texts = twoHosts
        .replace('host_id INT', `host_id VARCHAR(40)`)
        .replaceAll(', 1)', ", 'web-1')")
        .replaceAll(', 2)', ", 'WEB-1')");
      await on(texts, async (world) => assert.deepEqual(await inAlarm(world), ['2', '4']), hostScope('WEB-1'));
      await on(texts, async (world) => assert.deepEqual(await inAlarm(world), []), hostScope('web-1 '));
    });

    if (kind === 'mysql')
      test('a host_id that the column cannot hold is an error, not a host without rows', async () => {
        await on(
          twoHosts,
          async ({ store }) =>
            assert.rejects(store.readAlarms(), isConfigFault(/host_id is "web1", but the column host_id is of type int/)),
          hostScope('web1'),
        );
      });

    test('a host_id that no row has is reported: else it would look as if all were well', async () => {
      await on(
        twoHosts,
        async (world) => {
          const { rows, remarks } = await world.store.readAlarms();
          assert.deepEqual(rows, []);
          assert.match(remarks.join(), /^no row has the host_id "7"/);
          assert.match((await world.store.inspect()).remarks.join(), /no row has the host_id "7"/);
        },
        hostScope('7'),
      );
    });

    test('all: every row, and a remark says so', async () => {
      await on(
        twoHosts,
        async (world) => {
          const { rows, remarks } = await world.store.readAlarms();
          assert.equal(rows.length, 4);
          assert.match(remarks.join(), /host_id = all/);
          assert.match((await world.store.inspect()).remarks.join(), /host_id = all/);
        },
        hostScope('all'),
      );
    });

    test('a column host_id and no key: nothing is ours, and the error names the key', async () => {
      for (const onlyConfigured of [false, true])
        await on(
          twoHosts,
          async ({ store }) => {
            for (const call of [
              () => store.readAlarms(),
              () => store.readProcess('1'),
              () => store.findProcesses('nginx'),
              () => store.listNames(5),
              () => store.raiseAlarm('1', 'x'),
              () => store.dropAlarm('1', 'x'),
              () => store.inspect(),
            ])
              await assert.rejects(call(), isConfigFault(/\[host\] host_id/));
          },
          hostScope(undefined, onlyConfigured),
        );
    });

    test('a key and no column: only with only_configured', async () => {
      const rows = `${PLAIN} INSERT INTO PROCESE VALUES (1, 'nginx'); INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL);`;
      await on(rows, async (world) => assert.deepEqual(await inAlarm(world), ['1']), hostScope('7', true));
      await on(rows, async (world) => assert.deepEqual(await inAlarm(world), ['1']), hostScope(undefined));
      await on(
        rows,
        async ({ store }) =>
          assert.rejects(store.readAlarms(), isConfigFault(/host_id is "7", but the tables have no column host_id/)),
        hostScope('7'),
      );
    });

    test('a host_id in PROCESE decides as well; in both tables, the rows of one host belong together', async () => {
      const ofProcess = `CREATE TABLE PROCESE (process_id INT PRIMARY KEY, process_name VARCHAR(255), host_id INT);
        CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);
        INSERT INTO PROCESE VALUES (1, 'a', 1), (2, 'b', 2);
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL), (2, 1, 0, NULL);`;
      await on(ofProcess, async (world) => assert.deepEqual(await inAlarm(world), ['2']), hostScope('2'));
      const ofBoth = `CREATE TABLE PROCESE (process_id INT, process_name VARCHAR(255), host_id INT, PRIMARY KEY (host_id, process_id));
        CREATE TABLE STATUS_PROCESS (process_id INT, alarma TINYINT, sound TINYINT, notes TEXT, host_id INT, PRIMARY KEY (host_id, process_id));
        INSERT INTO PROCESE VALUES (1, 'a', 1), (1, 'b', 2);
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'first', 1), (1, 1, 0, 'second', 2);`;
      await on(
        ofBoth,
        async (world) => {
          const [row, ...others] = (await world.store.readAlarms()).rows;
          assert.deepEqual([row?.processName, row?.notes, others], ['b', 'second', []]);
          assert.equal(await world.store.clearAlarm(row!, AT), 'cleared');
          assert.deepEqual(await inAlarm(world), []);
          await world.exec('DELETE FROM STATUS_PROCESS WHERE host_id = 2');
          assert.equal((await world.row(1))?.alarma, 1);
        },
        hostScope('2'),
      );
    });

    test('a column that comes or goes is noticed', async () => {
      await on(
        twoHosts,
        async (world) => {
          assert.deepEqual(await inAlarm(world), ['1', '3']);
          await world.exec('ALTER TABLE STATUS_PROCESS DROP COLUMN host_id');
          await assert.rejects(world.store.readAlarms(), isConfigFault(/no column host_id/));
        },
        hostScope('1'),
      );
    });
  });

  describe('ids', () => {
    const ids: readonly (readonly [string, readonly string[]])[] =
      kind === 'mysql'
        ? [
            ['BIGINT UNSIGNED', ['9007199254740993', '18446744073709551615']],
            ['BIGINT', ['-9223372036854775808', '-1', '9223372036854775807']],
            ['DECIMAL(40,2)', ['-1.50', '12345678901234567890123456789012345678.25']],
            ['INT(6) ZEROFILL', ['000042']],
            ['VARCHAR(60)', ["a'b", 'A', 'a', 'a ', 'ș', 'x y']],
            ['VARCHAR(60) CHARACTER SET latin1', ['é', '7']],
            ['CHAR(8)', ['ab', 'abc']],
            ['VARBINARY(20)', ['ab', 'AB']],
            ['DOUBLE', ['0.5', '3']],
          ]
        : [
            ['INTEGER', ['9007199254740993', '9223372036854775807', '-9223372036854775808']],
            ['TEXT', ["a'b", 'A', 'a', 'a ', 'ș', '18446744073709551615', '007', '1.0']],
            ['TEXT COLLATE NOCASE', ['b', 'c']],
            ['', ['42', 'x']],
          ];
    for (const [type, values] of ids) {
      test(`${type || 'without a type'}: each is what the database says, found and cleared by it`, async () => {
        const collation = type.startsWith('VARCHAR(60)') && !type.includes('latin1') ? ' COLLATE utf8mb4_bin' : '';
        // MariaDB pads when it compares: 'a' and 'a ' cannot stand in one key.
        const ids = collation === '' ? values : values.filter((value) => value !== 'a ');
        const tables = `CREATE TABLE PROCESE (process_id ${type}${collation} PRIMARY KEY, process_name VARCHAR(255));
          CREATE TABLE STATUS_PROCESS (process_id ${type}${collation} PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);`;
        await on(tables, async (world) => {
          for (const id of ids) {
            await world.exec('INSERT INTO PROCESE VALUES (?, ?)', [id, `name of ${id}`]);
            await world.exec('INSERT INTO STATUS_PROCESS VALUES (?, 1, 0, NULL)', [id]);
          }
          assert.deepEqual((await inAlarm(world)).toSorted(), ids.toSorted());
          for (const row of (await world.store.readAlarms()).rows) {
            assert.equal(row.processName, `name of ${row.processId}`);
            assert.deepEqual(await readRow(world, row.processId), row);
            assert.equal(await world.store.clearAlarm(row, AT), 'cleared');
            assert.equal((await readRow(world, row.processId))?.alarma, false);
            assert.equal(await world.store.raiseAlarm(row.processId, 'again'), 'raised');
            assert.equal(await world.store.dropAlarm(row.processId, undefined), 'dropped');
          }
          for (const no of ['no such id', '1abc', '', '99999999999999999999999', "1' OR '1'='1", '\u0000'])
            assert.equal(await readRow(world, no), undefined, JSON.stringify(no));
        });
      });
    }

    test('the keys of both tables may be of different types', async () => {
      const pairs =
        kind === 'mysql'
          ? [
              ['INT', 'BIGINT UNSIGNED'],
              ['INT', 'VARCHAR(20)'],
              ['VARCHAR(20) CHARACTER SET latin1', 'VARCHAR(20)'],
              ['VARCHAR(20)', 'INT'],
              ['DECIMAL(10,0)', 'INT'],
              ['VARCHAR(9) COLLATE utf8mb4_bin', 'VARCHAR(9)'],
            ]
          : [
              ['INT', 'TEXT'],
              ['TEXT', 'INT'],
            ];
      for (const [one, other] of pairs) {
        const tables = `CREATE TABLE PROCESE (process_id ${one} PRIMARY KEY, process_name VARCHAR(255));
          CREATE TABLE STATUS_PROCESS (process_id ${other} PRIMARY KEY, alarma TINYINT, sound TINYINT, notes TEXT);
          INSERT INTO PROCESE VALUES ('42', 'nginx'), ('7', 'mysqld'); INSERT INTO STATUS_PROCESS VALUES ('42', 1, 0, NULL), ('7', 0, 0, NULL);`;
        await on(tables, async (world) => {
          const [row, ...others] = (await world.store.readAlarms()).rows;
          assert.deepEqual([row?.processId, row?.processName, others], ['42', 'nginx', []], `${one} and ${other}`);
          assert.equal(await world.store.clearAlarm(row!, AT), 'cleared');
          assert.deepEqual(await inAlarm(world), []);
        });
      }
    });

    test('an id that several rows have is left alone and reported; the others are handled', async () => {
      const tables = `CREATE TABLE PROCESE (process_id INT, process_name VARCHAR(255));
        CREATE TABLE STATUS_PROCESS (process_id INT, alarma TINYINT, sound TINYINT, notes TEXT);
        INSERT INTO PROCESE VALUES (1, 'nginx'), (2, 'mysqld'), (2, 'redis'), (3, 'cron');
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'one'), (1, 0, 0, 'other'), (2, 1, 0, NULL), (3, 1, 0, NULL);`;
      await on(tables, async (world) => {
        const { rows, remarks, doubtful } = await world.store.readAlarms();
        assert.deepEqual(
          rows.map(({ processId }) => processId),
          ['3'],
        );
        assert.deepEqual([...doubtful].sort(), ['mysqld', 'nginx', 'redis']);
        assert.match(remarks.join(), /process_id "1", "2": several rows/);
        assert.match((await world.store.inspect()).remarks.join(), /process_id "1", "2": several rows/);
        assert.equal(await world.store.readProcess('2'), 'ambiguous');
        assert.equal(await world.store.raiseAlarm('2', 'x'), 'ambiguous');
        assert.equal(await world.store.dropAlarm('1', 'x'), 'ambiguous');
        const seen = { processId: '1', processName: 'nginx', alarma: true, sound: false, notes: 'one', notesDigest: null };
        assert.equal(await world.store.clearAlarm(seen, AT), 'ambiguous');
        assert.equal(await world.store.clearAlarm(rows[0]!, AT), 'cleared');
        await world.exec("DELETE FROM STATUS_PROCESS WHERE notes = 'other'");
        await world.exec("DELETE FROM PROCESE WHERE process_name = 'redis'");
        assert.deepEqual(await inAlarm(world), ['1', '2']);
        assert.deepEqual((await world.store.readAlarms()).remarks, []);
      });
    });
  });

  describe('flags', () => {
    const numbers =
      kind === 'mysql'
        ? [
            'TINYINT',
            'BOOL',
            'BIT(1)',
            'BIT(8)',
            'DECIMAL(3,1)',
            'DOUBLE',
            'INT UNSIGNED',
            "ENUM('0','1')",
            "ENUM('1','0')",
            'CHAR(1)',
            'VARCHAR(9)',
            'TEXT',
            'VARBINARY(4)',
          ]
        : ['TINYINT', 'BOOLEAN', 'TEXT', 'REAL', ''];
    for (const type of numbers) {
      test(`${type || 'without a type'}: 1 means an alarm, 0 does not`, async () => {
        const literal = /ENUM|CHAR|TEXT|BINARY/.test(type) ? (n: number) => `'${n}'` : String;
        const tables = `${NAMES} CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma ${type}, sound ${type}, notes TEXT);
          INSERT INTO PROCESE VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
          INSERT INTO STATUS_PROCESS VALUES (1, ${literal(1)}, ${literal(0)}, NULL), (2, ${literal(0)}, ${literal(0)}, NULL),
            (3, ${literal(1)}, ${literal(1)}, NULL), (4, NULL, NULL, NULL);`;
        await on(tables, async (world) => {
          const { rows, remarks } = await world.store.readAlarms();
          assert.deepEqual([rows.map(({ processId }) => processId), remarks], [['1'], []]);
          assert.equal(await world.store.clearAlarm(rows[0]!, AT), 'cleared');
          assert.deepEqual(await inAlarm(world), []);
          assert.equal(await world.store.raiseAlarm('2', 'down'), 'raised');
          assert.equal(await world.store.raiseAlarm('3', undefined), 'raised', 'an acknowledged one is raised anew');
          assert.deepEqual(await inAlarm(world), ['2', '3']);
          assert.equal(await world.store.dropAlarm('2', undefined), 'dropped');
          assert.deepEqual(await inAlarm(world), ['3']);
          assert.deepEqual((await world.store.inspect()).alarms, 1);
        });
      });
    }

    const odd = kind === 'mysql' ? ["ENUM('N','Y')", 'VARCHAR(3)', "SET('N','Y')"] : ['TINYINT', 'TEXT'];
    for (const type of odd) {
      test(`${type} with Y and N: not a number, so it is left alone and reported; rows with numbers are handled`, async () => {
        const tables = `${NAMES} CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma ${type}, sound TINYINT, notes TEXT);
          INSERT INTO PROCESE VALUES (1, 'a'), (2, 'b'), (3, 'c');
          INSERT INTO STATUS_PROCESS VALUES (1, 'Y', 0, NULL), (2, 'N', 0, NULL);`;
        await on(tables, async (world) => {
          const { rows, remarks } = await world.store.readAlarms();
          assert.deepEqual(rows, []);
          assert.match(remarks.join(), /not a number in 2 rows/);
          assert.deepEqual((await world.store.readAlarms()).doubtful.toSorted(), ['a', 'b'], 'nobody says that they are well');
          assert.equal((await world.store.findProcesses('a'))[0]?.inDoubt, true);
          assert.match((await world.store.inspect()).remarks.join(), /not a number in 2 rows/);
          if (type.includes("'N'")) return;
          await world.exec("INSERT INTO STATUS_PROCESS VALUES (3, '1', 0, NULL)");
          assert.deepEqual(await inAlarm(world), ['3']);
        });
      });
    }

    if (kind === 'mysql')
      test('a flag of a type that holds no numbers at all', async () => {
        const tables = `${NAMES} CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma DATE, sound TINYINT, notes TEXT);
          INSERT INTO PROCESE VALUES (1, 'a'); INSERT INTO STATUS_PROCESS VALUES (1, '2001-01-01', 0, NULL);`;
        await on(tables, async ({ store }) => {
          const { rows, remarks } = await store.readAlarms();
          assert.deepEqual(rows, []);
          assert.match(remarks.join(), /alarma is date, sound is tinyint.*not a number in a row/);
        });
      });
  });

  test('a view over a table of other columns: polled, cleared, and no word of an index', async () => {
    const view = `CREATE TABLE HEALTH (id INT PRIMARY KEY, down TINYINT, muted TINYINT, remark TEXT); ${NAMES}
      CREATE VIEW STATUS_PROCESS AS SELECT id AS process_id, down AS alarma, muted AS sound, remark AS notes FROM HEALTH;
      INSERT INTO PROCESE VALUES (1, 'nginx'), (2, 'cron'); INSERT INTO HEALTH VALUES (1, 1, 0, 'Billing'), (2, 0, 0, NULL);`;
    const instead = `CREATE TRIGGER write_through INSTEAD OF UPDATE ON STATUS_PROCESS BEGIN
      UPDATE HEALTH SET down = NEW.alarma, muted = NEW.sound, remark = NEW.notes WHERE id = OLD.process_id; END;`;
    await on(kind === 'mysql' ? view : view + instead, async (world) => {
      const [row, ...others] = (await world.store.readAlarms()).rows;
      assert.deepEqual([row?.processName, row?.notes, others], ['nginx', 'Billing', []]);
      assert.equal(await world.store.clearAlarm({ ...row!, notes: 'Bill' }, AT), 'changed');
      assert.equal(await world.store.clearAlarm(row!, AT), 'cleared');
      assert.equal(await world.store.clearAlarm(row!, AT), 'changed');
      assert.equal(String((await world.row(1))?.notes), `Billing${NOTE}`);
      assert.equal(await world.store.raiseAlarm('2', 'down'), 'raised');
      assert.equal(await world.store.raiseAlarm('3', 'down'), 'missing');
      assert.deepEqual(await inAlarm(world), ['2']);
      assert.doesNotMatch((await world.store.inspect()).remarks.join(), /index/);
    });
  });

  test('a table without notes is a fault at a look as at a poll', async () => {
    await on(
      `${NAMES} CREATE TABLE STATUS_PROCESS (process_id INT PRIMARY KEY, alarma TINYINT, sound TINYINT);`,
      async ({ store }) => {
        await assert.rejects(store.readAlarms(), /notes/);
        await assert.rejects(store.inspect(), /notes/);
      },
    );
  });

  test('a trigger that writes elsewhere, or forbids, does not prevent the rest', async () => {
    const log = `${PLAIN} CREATE TABLE CHANGES (process_id INT);
      INSERT INTO PROCESE VALUES (1, 'a'), (2, 'b'); INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'x'), (2, 1, 0, 'frozen');`;
    await on(log, async (world) => {
      await world.script(
        kind === 'mysql'
          ? 'CREATE TRIGGER noted AFTER UPDATE ON STATUS_PROCESS FOR EACH ROW INSERT INTO CHANGES VALUES (NEW.process_id)'
          : 'CREATE TRIGGER noted AFTER UPDATE ON STATUS_PROCESS BEGIN INSERT INTO CHANGES VALUES (NEW.process_id); END',
      );
      await world.script(
        kind === 'mysql'
          ? "CREATE TRIGGER guard BEFORE UPDATE ON STATUS_PROCESS FOR EACH ROW IF OLD.notes = 'frozen' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not now'; END IF"
          : "CREATE TRIGGER guard BEFORE UPDATE ON STATUS_PROCESS WHEN OLD.notes = 'frozen' BEGIN SELECT RAISE(ABORT, 'not now'); END",
      );
      const [free, frozen] = (await world.store.readAlarms()).rows;
      assert.equal(await world.store.clearAlarm(free!, AT), 'cleared');
      await assert.rejects(world.store.clearAlarm(frozen!, AT), /not now/);
      assert.deepEqual(await inAlarm(world), ['2']);
    });
  });

  describe('without a name', () => {
    test('an alarm for which PROCESE has no row is read, and counted with the others', async () => {
      const tables = `${PLAIN} INSERT INTO PROCESE VALUES (1, 'named'), (3, NULL), (4, ' ');
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, 'a'), (2, 1, 0, 'only status'), (3, 1, 0, NULL), (4, 0, 0, NULL), (5, 1, 1, NULL);`;
      await on(tables, async (world) => {
        const { store } = world;
        const read = async () =>
          (await store.readAlarms(['named'])).rows.map((row) => [row.processId, row.processName, row.notes]);
        assert.deepEqual(await read(), [
          ['1', 'named', 'a'],
          ['2', null, 'only status'],
          ['3', null, null],
        ]);
        const report = await store.inspect();
        assert.deepEqual([report.processes, report.alarms], [3, 3]);
        const told = report.remarks.join();
        assert.match(told, /rows of STATUS_PROCESS without a name in PROCESE: 4 \(2 in alarm\); they are never healed/);
        assert.equal(await store.readProcess('2'), undefined, 'it is no process');
        await world.exec('DELETE FROM STATUS_PROCESS WHERE process_id > 1');
        assert.doesNotMatch((await store.inspect()).remarks.join(), /without a name/);
      });
    });

    test('one of another host is not ours; one without any host is', async () => {
      const ids = async ({ store }: StoreWorld): Promise<string> => {
        const told = /in PROCESE: (.*?);/.exec((await store.inspect()).remarks.join())?.[1];
        return `${(await store.readAlarms()).rows.map(({ processId }) => processId)}; ${told}`;
      };
      const byStatus = `${HOSTED} INSERT INTO PROCESE VALUES (1, 'nginx');
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL, 1), (2, 1, 0, NULL, 1), (3, 1, 0, NULL, 2);`;
      await on(byStatus, async (world) => assert.equal(await ids(world), '1,2; 1 (1 in alarm)'), hostScope('1'));
      await on(byStatus, async (world) => assert.equal(await ids(world), '3; 1 (1 in alarm)'), hostScope('2'));
      const names = NAMES.replace('VARCHAR(255)', 'VARCHAR(255), host_id INT');
      const byName = `${PLAIN.replace(NAMES, names)} INSERT INTO PROCESE VALUES (1, 'nginx', 1), (2, 'nginx', 2), (3, NULL, 2);
        INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL), (2, 1, 0, NULL), (3, 1, 0, NULL), (4, 1, 0, NULL);`;
      await on(byName, async (world) => assert.equal(await ids(world), '1,4; 1 (1 in alarm)'), hostScope('1'));
      await on(byName, async (world) => assert.equal(await ids(world), '2,3,4; 2 (2 in alarm)'), hostScope('2'));
    });

    test('ten thousand alarms that nobody can heal leave room for the one that somebody can', async () => {
      const numbers =
        kind === 'mysql'
          ? 'INSERT INTO STATUS_PROCESS SELECT seq, 1, 0, NULL FROM seq_1_to_10200;'
          : `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10200)
             INSERT INTO STATUS_PROCESS SELECT i, 1, 0, NULL FROM n;`;
      await on(`${PLAIN} ${numbers} INSERT INTO PROCESE VALUES (10200, 'last'), (5, NULL);`, async ({ store }) => {
        const { rows, leftOut } = await store.readAlarms();
        const ids = new Set(rows.map(({ processId }) => processId));
        assert.deepEqual([rows.length, ids.size, leftOut], [MOST_ALARMS, MOST_ALARMS, 200]);
        assert.ok(rows.some(({ processName }) => processName === 'last'));
      });
    });
  });

  test('ten thousand alarms are taken at most; those with a section among them, and the rest is counted', async () => {
    const numbers =
      kind === 'mysql'
        ? "INSERT INTO PROCESE SELECT seq, CONCAT('p', seq) FROM seq_1_to_10500; INSERT INTO STATUS_PROCESS SELECT seq, 1, 0, NULL FROM seq_1_to_10500;"
        : `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500) INSERT INTO PROCESE SELECT i, 'p' || i FROM n;
           WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500) INSERT INTO STATUS_PROCESS SELECT i, 1, 0, NULL FROM n;`;
    await on(`${PLAIN} ${numbers}`, async ({ store }) => {
      const sections = Array.from({ length: 450 }, (_, i) => `p${10_500 - i}`);
      const { rows, leftOut } = await store.readAlarms(sections);
      const names = new Set(rows.map(({ processName }) => processName));
      assert.deepEqual([rows.length, names.size, leftOut], [MOST_ALARMS, MOST_ALARMS, 500]);
      assert.ok(sections.every((name) => names.has(name)));
      assert.equal((await store.readAlarms()).leftOut, 500);
      assert.equal((await store.listNames(700)).length, 700);
    });
  });
}
