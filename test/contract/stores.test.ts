import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { isSameNotes, type ProcessRow } from '../../src/core/alarm.ts';
import { localTimestamp } from '../../src/core/clock.ts';
import { StoreError } from '../../src/core/errors.ts';
import { hostileNames } from '../helpers/hostile-names.ts';
import { type Mariadb, mariadbProblem, startMariadb } from '../helpers/mariadb.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { mysqlWorld, readRow, type StoreWorld, sqliteWorld } from '../helpers/store-worlds.ts';

const AT = new Date(2026, 0, 2, 3, 4, 5);
const NOTE = ' - Restarted at 2026-01-02 03:04:05';

let server: Mariadb | undefined;
let dir = '';

describe('mysql', { skip: skipUnless(mariadbProblem()) }, () => {
  before(async () => {
    server = await startMariadb();
  });
  after(() => server?.stop());
  suite(() => mysqlWorld(server!));
});

describe('sqlite', () => {
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'monitor-stores-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  suite(async () => sqliteWorld(dir));
});

function suite(open: () => Promise<StoreWorld>): void {
  let world: StoreWorld;
  beforeEach(async () => {
    world = await open();
  });
  afterEach(() => world.close());

  test('an empty store has nothing in alarm', async () => {
    assert.deepEqual((await world.store.readAlarms()).rows, []);
    assert.deepEqual(await world.store.listNames(10), []);
    assert.deepEqual(await world.store.findProcesses('nginx'), []);
    assert.equal(await world.store.readProcess('1'), undefined);
    assert.equal(await world.store.raiseAlarm('1', undefined), 'missing');
    assert.equal(await world.store.dropAlarm('1', 'x'), 'missing');
  });

  test('a poll finds alarma = 1 and sound = 0, and nothing else', async () => {
    await world.add(
      { id: 7, name: 'late', alarma: 1, notes: 'seven' },
      { id: 1, name: 'well' },
      { id: 2, name: 'in alarm', alarma: 1 },
      { id: 3, name: 'acknowledged', alarma: 1, sound: 1 },
      { id: 4, name: 'in doubt', alarma: 1, sound: null },
      { id: 5, name: 'in doubt too', alarma: null, sound: 0 },
      { id: 6, name: 'another number', alarma: 2, sound: 0 },
    );
    await world.exec('DELETE FROM PROCESE WHERE process_id = 1');
    assert.deepEqual((await world.store.readAlarms()).rows, [
      { processId: '2', processName: 'in alarm', alarma: true, sound: false, notes: null, notesDigest: null },
      { processId: '7', processName: 'late', alarma: true, sound: false, notes: 'seven', notesDigest: null },
    ]);
    const all: (readonly [string, boolean])[] = [];
    for (const id of ['1', '2', '3', '4', '5', '6', '7']) {
      const row = await readRow(world, id);
      if (row !== undefined) all.push([row.processId, row.alarma && !row.sound]);
    }
    assert.deepEqual(all, [
      ['2', true],
      ['3', false],
      ['4', false],
      ['5', false],
      ['6', false],
      ['7', true],
    ]);
  });

  test('alarma = 1 with sound NULL: left alone, in doubt, and reported; alarma NULL is not an alarm', async () => {
    await world.add(
      { id: 1, name: 'in doubt', alarma: 1, sound: null },
      { id: 2, name: 'not in alarm', alarma: null, sound: null },
      { id: 3, name: 'well', alarma: 0, sound: null },
    );
    const { rows, doubtful, remarks } = await world.store.readAlarms();
    assert.deepEqual([rows, doubtful], [[], ['in doubt']]);
    assert.match(remarks.join(), /sound is NULL in a row with alarma = 1; it is left alone/);
    assert.match((await world.store.inspect()).remarks.join(), /sound is NULL in a row with alarma = 1/);
    assert.deepEqual(
      (await Promise.all(['1', '2', '3'].map((id) => readRow(world, id)))).map((row) => row?.inDoubt),
      [true, undefined, undefined],
    );
    assert.equal(await world.store.raiseAlarm('1', 'down'), 'raised');
    assert.deepEqual(
      (await world.store.readAlarms()).rows.map(({ processId }) => processId),
      ['1'],
    );
  });

  test('NULL, empty and blank names are distinguished', async () => {
    await world.add({ id: 1, name: null, alarma: 1 }, { id: 2, name: '', alarma: 1 }, { id: 3, name: ' ', alarma: 1 });
    assert.deepEqual(
      (await world.store.readAlarms()).rows.map((row) => row.processName),
      [null, '', ' '],
    );
    assert.deepEqual(
      (await world.store.findProcesses('')).map((row) => row.processId),
      ['2'],
    );
    assert.deepEqual(
      (await world.store.findProcesses(' ')).map((row) => row.processId),
      ['3'],
    );
  });

  test('a name without a row, and a row without a name, are distinguished from unknown ones', async () => {
    await world.add({ id: 1, name: 'whole' }, { id: 2, name: 'half' }, { id: 3, name: 'half' }, { id: 4, name: 'nameless' });
    await world.exec('DELETE FROM STATUS_PROCESS WHERE process_id IN (2, 3)');
    await world.exec('DELETE FROM PROCESE WHERE process_id = 4');
    const { store } = world;
    assert.deepEqual(await store.findProcesses('half'), []);
    assert.deepEqual(await store.findHalf('half'), { kind: 'no_status', processIds: ['2', '3'] });
    assert.equal(await store.readProcess('4'), undefined);
    assert.deepEqual(await store.findHalf('4'), { kind: 'no_name' });
    assert.deepEqual(await store.findHalf('2'), { kind: 'no_status_of_id', processName: 'half' });
    for (const other of ['HALF', 'half ', 'nameless', '5', '', '%', "' OR 1=1 -- ", 'x'.repeat(2000)])
      assert.equal(await store.findHalf(other), undefined, JSON.stringify(other));
  });

  test('a name is found by its very bytes, and every row that bears it', async () => {
    await world.add({ id: 3, name: 'nginx' }, { id: 1, name: 'nginx' }, { id: 2, name: 'NGINX' }, { id: 4, name: 'nginx ' });
    assert.deepEqual(
      (await world.store.findProcesses('nginx')).map((row) => row.processId),
      ['1', '3'],
    );
    assert.deepEqual(
      (await world.store.findProcesses('nginx ')).map((row) => row.processId),
      ['4'],
    );
    assert.deepEqual(await world.store.findProcesses('%'), []);
  });

  test('names full of malice come and go as they are', async () => {
    const own = ['șarpe țară', '😀', 'y'.repeat(255), '__proto__', '\u0000'];
    const names = [...new Set([...hostileNames('/nonexistent/bait'), ...own])];
    await world.add(...names.map((name, i) => ({ id: i + 1, name, alarma: 1, notes: name })));
    assert.deepEqual(
      (await world.store.readAlarms()).rows.map((row) => row.processName),
      names,
    );
    for (const [i, name] of names.entries()) {
      const [row] = await world.store.findProcesses(name);
      assert.equal(row?.processId, String(i + 1), JSON.stringify(name));
      assert.equal(await world.store.clearAlarm(row!, AT), 'cleared', JSON.stringify(name));
      assert.equal(String((await world.row(i + 1))?.notes), name + NOTE);
    }
    assert.equal((await world.store.listNames(1000)).length, names.length);
  });

  for (const [what, notes] of [
    ['none', null],
    ['empty', ''],
    ['a word', 'disk full'],
    ['blanks at its end', 'DISK FULL  '],
    ['lines, quotes and emoji', ' "it\'s"\n\\ 😀 ș \t'],
  ] as const) {
    test(`an alarm is cleared and says when: notes with ${what}`, async () => {
      await world.add({ id: 1, name: 'nginx', alarma: 1, notes });
      const [seen] = (await world.store.readAlarms()).rows;
      assert.equal(seen?.notes, notes);
      const restartedAt = new Date();
      assert.equal(await world.store.clearAlarm(seen!, restartedAt), 'cleared');
      const { alarma, sound, notes: left } = (await world.row(1))!;
      assert.deepEqual([alarma, sound, String(left)], [0, 0, `${notes ?? ''} - Restarted at ${localTimestamp(restartedAt)}`]);
      assert.equal(await world.store.clearAlarm(seen!, restartedAt), 'changed', 'it is not cleared twice');
    });
  }

  for (const [what, sql] of [
    ['other notes', "UPDATE STATUS_PROCESS SET notes = 'worse'"],
    ['another case', "UPDATE STATUS_PROCESS SET notes = 'DISK FULL'"],
    ['a blank more', "UPDATE STATUS_PROCESS SET notes = 'disk full '"],
    ['an accent', "UPDATE STATUS_PROCESS SET notes = 'dîsk full'"],
    ['no notes', 'UPDATE STATUS_PROCESS SET notes = NULL'],
    ['empty notes', "UPDATE STATUS_PROCESS SET notes = ''"],
    ['an acknowledgement', 'UPDATE STATUS_PROCESS SET sound = 1'],
    ['a clearing', 'UPDATE STATUS_PROCESS SET alarma = 0'],
    ['a deletion', 'DELETE FROM STATUS_PROCESS'],
  ] as const) {
    test(`a newer write wins over a clearing: ${what}`, async () => {
      await world.add({ id: 1, name: 'nginx', alarma: 1, notes: 'disk full' });
      const [seen] = (await world.store.readAlarms()).rows;
      await world.exec(sql);
      const before = await world.row(1);
      assert.equal(await world.store.clearAlarm(seen!, AT), 'changed');
      assert.deepEqual(await world.row(1), before);
    });
  }

  test('of long notes the first 1,024 characters are read, and cleared they are whole', async () => {
    const most = '😀'.repeat(1024);
    const long = `${most}${'x'.repeat(40_000)}`;
    await world.add({ id: 1, name: 'most', alarma: 1, notes: most }, { id: 2, name: 'long', alarma: 1, notes: long });
    const seen = (await world.store.readAlarms()).rows;
    assert.deepEqual(
      seen.map(({ notes, notesDigest }) => [notes, notesDigest !== null]),
      [
        [most, false],
        [most, true],
      ],
    );
    for (const row of seen) {
      assert.deepEqual(await world.store.readProcess(row.processId), row);
      assert.equal(await world.store.clearAlarm(row, AT), 'cleared');
      assert.equal(await world.store.clearAlarm(row, AT), 'changed', 'it is not cleared twice');
    }
    assert.equal(String((await world.row(1))?.notes), most + NOTE);
    assert.equal(String((await world.row(2))?.notes), long + NOTE);
  });

  const sixty = 'disk full '.repeat(6000);
  for (const [what, notes] of [
    ['a word at their end', `${sixty.slice(0, -5)}FULL `],
    ['a letter after those that are read', `${sixty.slice(0, 1024)}X${sixty.slice(1025)}`],
    ['a blank more', `${sixty} `],
    ['a blank less', sixty.slice(0, -1)],
    ['only what is read', sixty.slice(0, 1024)],
    ['another beginning', `X${sixty.slice(1)}`],
    ['none', null],
    ['empty ones', ''],
  ] as const) {
    test(`a newer write wins over a clearing of long notes: ${what}`, async () => {
      await world.add({ id: 1, name: 'nginx', alarma: 1, notes: sixty });
      const [seen] = (await world.store.readAlarms()).rows;
      await world.exec('UPDATE STATUS_PROCESS SET notes = ?', [notes]);
      const [now] = (await world.store.readAlarms()).rows;
      assert.ok(seen && now && !isSameNotes(seen, now));
      assert.equal(await world.store.clearAlarm(seen, AT), 'changed');
      assert.deepEqual(await world.row(1), { alarma: 1, sound: 0, notes: notes === null ? null : Buffer.from(notes) });
      assert.equal(await world.store.clearAlarm(now, AT), 'cleared');
    });
  }

  test('NULL and empty notes are not the same', async () => {
    await world.add({ id: 1, name: 'a', alarma: 1, notes: null }, { id: 2, name: 'b', alarma: 1, notes: '' });
    const [a, b] = (await world.store.readAlarms()).rows;
    assert.equal(await world.store.clearAlarm({ ...a!, notes: '' }, AT), 'changed');
    assert.equal(await world.store.clearAlarm({ ...b!, notes: null }, AT), 'changed');
  });

  test('full notes lose their beginning, never half a character', async () => {
    const full = 'ă'.repeat(32_767);
    await world.add({ id: 1, name: 'full', alarma: 1, notes: full });
    const [seen] = (await world.store.readAlarms()).rows;
    assert.equal(await world.store.clearAlarm(seen!, AT), 'cleared');
    const row = await world.row(1);
    assert.equal(String(row?.notes), 'ă'.repeat(Math.floor((65_535 - NOTE.length) / 2)) + NOTE);
  });

  test('an alarm is raised and dropped, with notes and without', async () => {
    await world.add({ id: 1, name: 'nginx', sound: 1, notes: 'old' });
    assert.equal(await world.store.raiseAlarm('1', undefined), 'raised');
    assert.deepEqual(await world.row(1), { alarma: 1, sound: 0, notes: Buffer.from('old') });
    assert.equal(await world.store.raiseAlarm('1', undefined), 'raised', 'it stands already');
    assert.equal(await world.store.raiseAlarm('1', 'ș 😀'), 'raised');
    assert.deepEqual(await world.row(1), { alarma: 1, sound: 0, notes: Buffer.from('ș 😀') });
    assert.equal(await world.store.dropAlarm('1', undefined), 'dropped');
    assert.equal(await world.store.dropAlarm('1', undefined), 'dropped', 'it is dropped already');
    assert.deepEqual(await world.row(1), { alarma: 0, sound: 0, notes: Buffer.from('ș 😀') });
    assert.equal(await world.store.raiseAlarm('1', 'x'.repeat(100_000)), 'raised');
    assert.equal((await world.row(1))?.notes?.length, 65_535);
    assert.equal(await world.store.dropAlarm('1', ''), 'dropped');
    assert.deepEqual(await world.row(1), { alarma: 0, sound: 0, notes: Buffer.alloc(0) });
  });

  test('a new alarm is raised only if the row has none and is not acknowledged', async () => {
    await world.add(
      { id: 1, name: 'calm', notes: 'old' },
      { id: 2, name: 'ill', alarma: 1, notes: "somebody's" },
      { id: 3, name: 'known', sound: 1, notes: 'known' },
      { id: 4, name: 'null', alarma: null, notes: null },
    );
    assert.equal(await world.store.raiseNewAlarm('1', 'ș 😀'), 'raised');
    assert.deepEqual(await world.row(1), { alarma: 1, sound: 0, notes: Buffer.from('ș 😀') });
    assert.equal(await world.store.raiseNewAlarm('1', 'again'), 'standing');
    assert.equal(await world.store.raiseNewAlarm('2', 'ours'), 'standing');
    assert.equal(await world.store.raiseNewAlarm('3', 'ours'), 'standing');
    assert.equal(await world.store.raiseNewAlarm('4', 'x'.repeat(100_000)), 'raised');
    assert.equal(await world.store.raiseNewAlarm('5', 'ours'), 'missing');
    const notes = await Promise.all([1, 2, 3].map(async (id) => String((await world.row(id))?.notes)));
    assert.deepEqual(notes, ['ș 😀', "somebody's", 'known']);
    assert.deepEqual([(await world.row(4))?.alarma, (await world.row(4))?.notes?.length], [1, 65_535]);
  });

  test('of two who raise a new alarm, one does', async () => {
    await world.add({ id: 1, name: 'nginx' });
    const raise = (notes: string): Promise<string> =>
      world.store.raiseNewAlarm('1', notes).catch((error: StoreError) => {
        assert.equal(error.fault, 'busy');
        return raise(notes);
      });
    assert.deepEqual((await Promise.all(['one', 'other'].map(raise))).sort(), ['raised', 'standing']);
  });

  test('a row with NULLs can be raised', async () => {
    await world.add({ id: 1, name: 'nginx', alarma: null, sound: null });
    assert.equal(await world.store.raiseAlarm('1', undefined), 'raised');
    assert.equal((await world.store.readAlarms()).rows.length, 1);
  });

  test('a thousand alarms are read and cleared, many at once', async () => {
    await world.add(...Array.from({ length: 1000 }, (_, i) => ({ id: i + 1, name: `p${i}`, alarma: 1, notes: `n${i}` })));
    const rows = (await world.store.readAlarms()).rows;
    assert.equal(rows.length, 1000);
    // On a busy machine some wait too long for a connection, and are refused; the caller tries again then.
    const clear = (row: ProcessRow): Promise<string> =>
      world.store.clearAlarm(row, AT).catch((error: StoreError) => {
        assert.equal(error.fault, 'busy');
        return clear(row);
      });
    const outcomes = await Promise.all(rows.map(clear));
    assert.ok(outcomes.every((outcome) => outcome === 'cleared'));
    assert.deepEqual((await world.store.readAlarms()).rows, []);
  });

  test('of two who clear one alarm, one does', async () => {
    await world.add({ id: 1, name: 'nginx', alarma: 1 });
    const [seen] = (await world.store.readAlarms()).rows;
    // InnoDB may take the two for a deadlock and refuse one of them; the caller tries again then, as at any fault.
    const clear = (at: Date) =>
      world.store.clearAlarm(seen!, at).catch((error: StoreError) => {
        assert.equal(error.fault, 'busy');
        return world.store.clearAlarm(seen!, at);
      });
    assert.deepEqual((await Promise.all([AT, new Date()].map(clear))).sort(), ['changed', 'cleared']);
  });

  test('it says what it is', async () => {
    await world.add({ id: 1, name: 'a', alarma: 1 }, { id: 2, name: 'b', alarma: 1, sound: 1 });
    const report = await world.store.inspect();
    assert.match(report.server, /^(?:MariaDB|MySQL|SQLite) \d+\.\d+/);
    assert.deepEqual([report.processes, report.alarms, report.canClear], [2, 1, true]);
    assert.match(report.notes, /^TEXT, .*65535 bytes/);
    assert.deepEqual(report.remarks, []);
    assert.match(world.store.description, /^(?:mysql|sqlite) \S+$/);
  });

  test('a missing table is a fault of the schema, and all is well once it is created', async () => {
    await world.exec('ALTER TABLE STATUS_PROCESS RENAME TO AWAY');
    await world.exec('CREATE TABLE STATUS_PROCESS (process_id INT)');
    for (const call of [
      () => world.store.readAlarms(),
      () => world.store.raiseAlarm('1', undefined),
      () => world.store.dropAlarm('1', 'x'),
      () => world.store.inspect(),
    ]) {
      await assert.rejects(call, (error) => error instanceof StoreError && error.fault === 'schema');
    }
    await world.exec('DROP TABLE STATUS_PROCESS');
    await world.exec('ALTER TABLE AWAY RENAME TO STATUS_PROCESS');
    assert.deepEqual((await world.store.readAlarms()).rows, []);
  });

  test('closed, it ends what is under way and takes no more', async () => {
    await world.add(...Array.from({ length: 100 }, (_, i) => ({ id: i + 1, name: `p${i}`, alarma: 1 })));
    const calls = Array.from({ length: 20 }, () => world.store.readAlarms());
    const started = performance.now();
    await Promise.all([world.store.close(), world.store.close()]);
    for (const call of await Promise.allSettled(calls)) {
      if (call.status === 'fulfilled') assert.equal(call.value.rows.length, 100);
      else assert.ok(call.reason instanceof StoreError && call.reason.fault === 'unreachable', String(call.reason));
    }
    assert.ok(performance.now() - started < 20_000);
    await assert.rejects(world.store.readAlarms(), (error) => error instanceof StoreError && error.fault === 'unreachable');
    await world.store.close();
  });
}
