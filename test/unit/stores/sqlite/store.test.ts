import assert from 'node:assert/strict';
import { chmodSync, existsSync, lchownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError, type StoreFault } from '../../../../src/core/errors.ts';
import { createSchema, SqliteStore } from '../../../../src/stores/sqlite/store.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const hasFault = (fault: StoreFault, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StoreError, String(error));
  assert.deepEqual([error.fault, words.test(error.message)], [fault, true], error.message);
  return true;
};

test('a file that does not exist is made with its tables, in WAL', async (t) => {
  const path = join(tempDir(t), 'alarms.db');
  const store = new SqliteStore({ path, queryTimeoutMs: 1000 });
  assert.equal(existsSync(path), false, 'nothing is opened by itself');
  assert.deepEqual((await store.readAlarms()).rows, []);
  const other = new DatabaseSync(path);
  assert.equal(other.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  const [plan] = other
    .prepare('EXPLAIN QUERY PLAN SELECT process_id FROM STATUS_PROCESS WHERE alarma = 1 AND sound = 0 ORDER BY process_id')
    .all();
  assert.match(String(plan?.detail), /COVERING INDEX alarm_poll \(alarma=\? AND sound=\?\)/);
  other.close();
  await store.close();
});

test('what cannot be opened is reported', async (t) => {
  const dir = tempDir(t);
  const open = (path: string): SqliteStore => new SqliteStore({ path, queryTimeoutMs: 300 });
  await assert.rejects(
    open(join(dir, 'no', 'alarms.db')).readAlarms(),
    hasFault('unreachable', /the folder \S+\/no does not exist/),
  );
  mkdirSync(join(dir, 'folder'));
  await assert.rejects(open(join(dir, 'folder')).readAlarms(), hasFault('unreachable', /unable to open/));
  writeFileSync(join(dir, 'text'), 'this is no database, '.repeat(500));
  await assert.rejects(open(join(dir, 'text')).readAlarms(), hasFault('schema', /not a database/));
});

test('a store whose folder comes later is well then', async (t) => {
  const dir = join(tempDir(t), 'later');
  const store = new SqliteStore({ path: join(dir, 'alarms.db'), queryTimeoutMs: 1000 });
  await assert.rejects(store.readAlarms(), hasFault('unreachable', /later/));
  mkdirSync(dir);
  assert.deepEqual((await store.readAlarms()).rows, []);
  await store.close();
});

test('a file that is replaced is opened again; in the place of one that is gone none is created', async (t) => {
  const dir = tempDir(t);
  const store = new SqliteStore({ path: join(dir, 'alarms.db'), queryTimeoutMs: 1000 });
  assert.deepEqual((await store.readAlarms()).rows, []);
  const other = new DatabaseSync(join(dir, 'new.db'));
  createSchema(other);
  other.exec("INSERT INTO PROCESE VALUES (1, 'nginx'); INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL)");
  other.close();
  for (const part of ['', '-wal', '-shm']) rmSync(join(dir, `alarms.db${part}`), { force: true });
  await assert.rejects(store.readAlarms(), hasFault('unreachable', /alarms\.db: the file is gone \(restore it/));
  assert.equal(existsSync(join(dir, 'alarms.db')), false);
  renameSync(join(dir, 'new.db'), join(dir, 'alarms.db'));
  assert.equal((await store.readAlarms()).rows.length, 1);
  await store.close();
});

test('while another program writes, a poll continues; a write waits, and the loop does not', async (t) => {
  const path = join(tempDir(t), 'alarms.db');
  const store = new SqliteStore({ path, queryTimeoutMs: 10_000 });
  const other = new DatabaseSync(path);
  createSchema(other);
  other.exec("INSERT INTO PROCESE VALUES (1, 'nginx'); INSERT INTO STATUS_PROCESS VALUES (1, 0, 0, NULL)");
  (await store.readAlarms()).rows;
  other.exec('BEGIN IMMEDIATE; UPDATE STATUS_PROCESS SET notes = NULL');
  assert.deepEqual((await store.readAlarms()).rows, []);
  let isOver = false;
  const raising = store.raiseAlarm('1', 'x').finally(() => {
    isOver = true;
  });
  for (let turns = 0; turns < 50; turns++) await delay(5);
  assert.equal(isOver, false, 'a loop that waits for it turns only at its deadline');
  other.exec('COMMIT');
  assert.equal(await raising, 'raised');
  await store.close();
  other.close();
});

test('a lock that stays is busy at the deadline; closing does not wait for it', async (t) => {
  const path = join(tempDir(t), 'alarms.db');
  const other = new DatabaseSync(path);
  createSchema(other);
  const short = new SqliteStore({ path, queryTimeoutMs: 200 });
  const long = new SqliteStore({ path, queryTimeoutMs: 60_000 });
  await Promise.all([short.readAlarms(), long.readAlarms()]);
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(short.dropAlarm('1', undefined), hasFault('busy', /locked/));
  const waiting = assert.rejects(long.dropAlarm('1', undefined), hasFault('unreachable', /closed/));
  await long.close();
  await waiting;
  other.exec('ROLLBACK');
  assert.equal(await short.dropAlarm('1', undefined), 'missing');
  await short.close();
  other.close();
});

test('values of any kind harm nothing', async (t) => {
  const path = join(tempDir(t), 'alarms.db');
  const store = new SqliteStore({ path, queryTimeoutMs: 1000 });
  (await store.readAlarms()).rows;
  const other = new DatabaseSync(path);
  other.exec(`INSERT INTO PROCESE VALUES (1, x'6EFF00'), (2, 42), (3, 1.5), (9223372036854775807, 'far');
    INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, x'61FF'), (2, '1', '0', 7), (3, 'yes', 0, NULL), (9223372036854775807, 1, 0, NULL)`);
  const rows = (await store.readAlarms()).rows;
  assert.deepEqual(
    rows.map(({ processName }) => processName),
    ['n\udcff\u0000', '42', 'far'],
  );
  for (const row of rows.slice(0, 2)) assert.equal(await store.clearAlarm(row, new Date(2026, 0, 2, 3, 4, 5)), 'cleared');
  const notes = other.prepare('SELECT hex(notes) AS hex FROM STATUS_PROCESS WHERE process_id = 1').get();
  assert.equal(notes?.hex, `61FF${Buffer.from(' - Restarted at 2026-01-02 03:04:05').toString('hex').toUpperCase()}`);
  await store.close();
  other.close();
});

for (const [what, tables] of [
  ['the usual tables', undefined],
  [
    'tables without any key',
    'CREATE TABLE PROCESE (process_id, process_name); CREATE TABLE STATUS_PROCESS (process_id, alarma, sound, notes);',
  ],
] as const) {
  test(`however many rows are in alarm, the loop continues, and so do writers: ${what}`, async (t) => {
    const path = join(tempDir(t), 'many.db');
    const other = new DatabaseSync(path);
    if (tables === undefined) createSchema(other);
    else other.exec(tables);
    const rows = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)';
    other.exec(`BEGIN; ${rows} INSERT INTO PROCESE SELECT i, 'p' || i FROM n;
      ${rows} INSERT INTO STATUS_PROCESS SELECT i, 1, 0, printf('%.4000c', 'x') || i FROM n; COMMIT`);
    const store = new SqliteStore({ path, queryTimeoutMs: 60_000 });
    t.after(() => {
      other.close();
      return store.close();
    });
    await store.readProcess('1');
    let turns = 0;
    let writes = 0;
    const turn = (): void => {
      turns++;
      if (turns % 3 === 0)
        writes += Number(other.prepare('UPDATE STATUS_PROCESS SET sound = 1 WHERE process_id = 40000').run().changes);
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const { rows: taken, leftOut } = await store.readAlarms(['p39999']);
    clearImmediate(next);
    assert.deepEqual([taken.length, taken.some(({ processName }) => processName === 'p39999')], [10_000, true]);
    assert.ok(leftOut >= 29_999);
    assert.ok(turns >= 5 && writes >= 1, `${turns} turns of the loop, ${writes} writes`);
    assert.equal((await store.listNames(50_000)).length, 40_000);
  });
}

test('rows of one id are not torn apart by a portion, whatever the id is', async (t) => {
  const path = join(tempDir(t), 'equal.db');
  const other = new DatabaseSync(path);
  other.exec(`CREATE TABLE PROCESE (process_id, process_name); CREATE TABLE STATUS_PROCESS (process_id, alarma, sound, notes);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO PROCESE SELECT CASE i % 4 WHEN 0 THEN i / 40 WHEN 1 THEN 'k' || (i / 40) WHEN 2 THEN CAST('b' || (i / 40) AS BLOB) END, 'p' || i FROM n;
    INSERT INTO STATUS_PROCESS SELECT DISTINCT process_id, 0, 0, NULL FROM PROCESE WHERE process_id IS NOT NULL;`);
  const store = new SqliteStore({ path, queryTimeoutMs: 60_000 });
  t.after(() => {
    other.close();
    return store.close();
  });
  const names = await store.listNames(100_000);
  assert.equal(names.length, 15_000, 'NULL joins with nothing');
});

test('a link of another user is not followed, and nothing is made where it leads', {
  skip: process.geteuid?.() !== 0 && 'needs root',
}, async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'alarms.db');
  symlinkSync(join(dir, 'elsewhere'), path);
  lchownSync(path, 65_534, 65_534);
  const store = new SqliteStore({ path, queryTimeoutMs: 1000 });
  t.after(() => store.close());
  await assert.rejects(store.readAlarms(), /this is a symbolic link of user 65534, which is not followed/);
  assert.equal(existsSync(join(dir, 'elsewhere')), false);
  lchownSync(path, 0, 0);
  assert.deepEqual((await store.readAlarms()).rows, [], 'our own is');
});

test('that others may write to the file or its folder is reported', async (t) => {
  const path = join(tempDir(t), 'alarms.db');
  const store = new SqliteStore({ path, queryTimeoutMs: 1000 });
  t.after(() => store.close());
  assert.deepEqual((await store.readAlarms()).remarks, []);
  await store.close();
  chmodSync(path, 0o666);
  const later = new SqliteStore({ path, queryTimeoutMs: 1000 });
  t.after(() => later.close());
  assert.match((await later.readAlarms()).remarks.join(), /other users can write to \S*alarms\.db/);
});

test('names and ids that are far too long are left alone, and the others are handled', async (t) => {
  const path = join(tempDir(t), 'long.db');
  const other = new DatabaseSync(path);
  createSchema(other);
  other.exec(`INSERT INTO PROCESE VALUES (1, printf('%.*c', 3000000, 'x')), (2, 'b');
    INSERT INTO STATUS_PROCESS VALUES (1, 1, 0, NULL), (2, 1, 0, NULL)`);
  const store = new SqliteStore({ path, queryTimeoutMs: 10_000 });
  t.after(() => {
    other.close();
    return store.close();
  });
  const { rows } = await store.readAlarms();
  assert.deepEqual(
    rows.map(({ processId, processName }) => [processId, processName]),
    [
      ['1', null],
      ['2', 'b'],
    ],
  );
  assert.deepEqual(await store.listNames(10), ['b']);
});

test('a view of mixed ids without a type is read once, each row', async (t) => {
  const path = join(tempDir(t), 'mixed.db');
  const other = new DatabaseSync(path);
  other.exec(`CREATE TABLE PROCESE (process_id PRIMARY KEY, process_name); CREATE TABLE S (id PRIMARY KEY, alarma, sound, notes);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
      INSERT INTO PROCESE SELECT CASE i % 2 WHEN 0 THEN i ELSE '0' || i END, 'p' || i FROM n;
    INSERT INTO S SELECT process_id, 1, 0, NULL FROM PROCESE;
    CREATE VIEW STATUS_PROCESS AS SELECT coalesce(id, 0) AS process_id, alarma, sound, notes FROM S`);
  const store = new SqliteStore({ path, queryTimeoutMs: 60_000 });
  t.after(() => {
    other.close();
    return store.close();
  });
  const { rows, leftOut } = await store.readAlarms();
  assert.deepEqual([rows.length, new Set(rows.map(({ processId }) => processId)).size, leftOut], [6000, 6000, 0]);
});
