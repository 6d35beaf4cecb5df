import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { JournalEntry } from '../../../src/state/daemon-state.ts';
import { openState } from '../../../src/state/state.ts';
import { entryOf } from '../../helpers/journal-entry.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const clock = systemClock;

/** What may have become of the file, by name. */
const damages: Record<string, (path: string) => void> = {
  'a garbage header': (path) => writeFileSync(path, 'garbage '.repeat(2_000)),
  'cut in the middle': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  'cut within its first page': (path) => truncateSync(path, 150),
  'pages overwritten': (path) => writeFileSync(path, readFileSync(path).fill(0x5a, 4096, 4096 * 12)),
  'a directory in its place': (path) => {
    rmSync(path);
    mkdirSync(join(path, 'sub'), { recursive: true });
  },
  'a later version': (path) => withSql(path, 'PRAGMA user_version = 99'),
  "another program's database": (path) => withSql(path, 'PRAGMA user_version = 0'),
  'a table missing': (path) => withSql(path, 'DROP TABLE journal'),
  'a column renamed': (path) => withSql(path, 'ALTER TABLE breakers RENAME COLUMN value TO worth'),
  'writable by others': (path) => chmodSync(path, 0o666),
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a damaged file is set aside: ${name}`, (t) => {
    const dir = filled(tempDir(t));
    damage(join(dir, 'state.db'));
    const log = new RecordedLog();
    const state = openState(dir, { log, clock });
    state.journal.begin(entryOf('after'));
    state.close();
    assert.equal(log.lines.length, 1, JSON.stringify(log.lines));
    assert.match(log.lines[0]?.message ?? '', /moved to .*state\.db\.damaged-\d{14}, a new one is created/);
    assert.equal(readdirSync(dir).filter((file) => /^state\.db\.damaged-\d{14}$/.test(file)).length, 1);
    assert.ok(list(dir).some(({ target }) => target === 'after'));
  });
}

test('a file too short to hold anything is a fresh one', (t) => {
  for (const content of ['', 'x']) {
    const dir = tempDir(t);
    writeFileSync(join(dir, 'state.db'), content, { mode: 0o600 });
    const log = new RecordedLog();
    const state = openState(dir, { log, clock });
    state.journal.begin(entryOf('x'));
    state.close();
    assert.deepEqual(log.lines, []);
    assert.equal(list(dir).length, 1);
  }
});

test('damage met while running: one complaint, and what is in memory is written to a fresh file', (t) => {
  const dir = filled(tempDir(t));
  const log = new RecordedLog();
  const state = openState(dir, { log, clock });
  t.after(() => state.close());
  // Behind its back, as a dying disk would.
  withSql(join(dir, 'state.db'), 'DROP TABLE journal');
  state.journal.begin(entryOf('during'));
  state.journal.begin(entryOf('later'));
  state.close();
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error'],
  );
  assert.deepEqual(
    list(dir).map(({ target }) => target),
    ['0', '1', '2', 'during', 'later'],
  );
});

test('a file that another program keeps locked: one complaint, on from memory, and written when it is free', (t) => {
  const dir = filled(tempDir(t));
  const log = new RecordedLog();
  let nowMs = 1_000;
  const state = openState(dir, { log, clock: { ...clock, monotonicMs: () => nowMs } });
  const other = new DatabaseSync(join(dir, 'state.db'));
  other.exec('BEGIN IMMEDIATE');
  for (const target of ['a', 'b', 'c']) state.journal.begin(entryOf(target));
  state.journal.end('0');
  assert.equal(state.journal.list().length, 5);
  other.exec('ROLLBACK');
  other.close();
  nowMs += 60_000;
  state.journal.end('a');
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
  );
  state.close();
  assert.deepEqual(
    list(dir).map(({ target }) => target),
    ['1', '2', 'b', 'c'],
  );
});

test('a disk that only comes back later: what an earlier life left is not written over', (t) => {
  const dir = filled(tempDir(t));
  const log = new RecordedLog();
  let nowMs = 1_000;
  chmodSync(dir, 0o777);
  const state = openState(dir, { log, clock: { ...clock, monotonicMs: () => nowMs } });
  assert.deepEqual(state.journal.list(), []);
  state.journal.begin(entryOf('1', 9));
  chmodSync(dir, 0o700);
  nowMs += 60_000;
  state.journal.begin(entryOf('new'));
  state.close();
  assert.deepEqual(
    list(dir).map(({ target, attempt }) => [target, attempt]),
    [
      ['0', 1],
      ['1', 9],
      ['2', 1],
      ['new', 1],
    ],
  );
});

test('of the files that were set aside the newest three stay', (t) => {
  const dir = filled(tempDir(t));
  for (const year of [2001, 2003, 2002, 2004]) writeFileSync(join(dir, `state.db.damaged-${year}0101000000`), '');
  writeFileSync(join(dir, 'state.db.damaged-20010101000000-wal'), '');
  writeFileSync(join(dir, 'state.db'), 'garbage');
  openState(dir, { log: new RecordedLog(), clock }).close();
  const kept = readdirSync(dir).filter((file) => file.includes('damaged'));
  assert.deepEqual(kept.slice(0, 2), ['state.db.damaged-20030101000000', 'state.db.damaged-20040101000000']);
  assert.equal(kept.length, 3);
});

test('rows that make no sense are dropped with one warning, the others stay', (t) => {
  const dir = filled(tempDir(t));
  const breaker = (snapshot: string): string =>
    `{"target":"x","processName":"x","bootId":"b","writtenAtMs":5,"snapshot":${snapshot}}`;
  const nonsense = {
    journal: [
      '',
      '{',
      'null',
      '[]',
      '7',
      '{"target":"x"}',
      '{"target":"x","runId":"r","attempt":1,"alarms":[1],"startedAt":"2020"}',
    ],
    breakers: [
      breaker('{"state":"ajar","failures":0,"reopenAtMs":0,"successesMs":[]}'),
      breaker('{"state":"open","failures":1e99,"reopenAtMs":0,"successesMs":[]}'),
      breaker('{"state":"open","failures":1,"reopenAtMs":1e13,"successesMs":[]}'),
      breaker('{"state":"open","failures":1,"reopenAtMs":0,"successesMs":["1"]}'),
      breaker('{"state":"open","failures":1,"reopenAtMs":null,"successesMs":[]}'),
      breaker('{"state":"open","failures":1,"reopenAtMs":0,"successesMs":[],"exitsMs":[null]}'),
    ],
    holds: ['{"name":"x","until":"never","reason":""}', '{"name":"x"}'],
    handled: ['{"processId":1.5,"processName":"x","notes":null,"handledAt":"2020-01-01"}'],
    launches: ['{"argv":"sh -c x","executable":"/x"}'],
    pins: [
      '{"systemName":"x","launches":[],"pinnedAt":"2020-01-01"}',
      '{"systemName":"x","launches":[{"record":{"argv":["x"]},"files":[]}],"pinnedAt":"2020-01-01"}',
    ],
    kept_alarms: [
      '{"processName":"x","notes":null,"raisedAt":"2020-01-01","doubtfulRows":[]}',
      '{"processName":"","notes":"n","raisedAt":"2020-01-01","doubtfulRows":[]}',
      '{"processName":"x","notes":"n","raisedAt":"soon","doubtfulRows":[]}',
      '{"processName":"x","notes":"n","raisedAt":"2020-01-01","doubtfulRows":[1.5]}',
      '{"processName":"x","notes":"n","raisedAt":"2020-01-01"}',
    ],
    watched_lives: [
      '{"processName":"x","pid":1,"since":null,"exits":-1,"lastExit":null}',
      '{"processName":"x","pid":1,"since":"now","exits":1,"lastExit":null}',
      '{"processName":"x","pid":1,"since":null,"exits":1,"lastExit":{"at":"2020-01-01","cause":1,"uptimeMs":1,"expected":true}}',
      '{"processName":"x","pid":1,"since":null,"exits":1,"lastExit":{"at":"2020-01-01","cause":"c","uptimeMs":1}}',
    ],
  };
  const db = new DatabaseSync(join(dir, 'state.db'));
  let rows = 0;
  for (const [table, values] of Object.entries(nonsense)) {
    for (const value of values) db.prepare(`INSERT INTO ${table} VALUES (?, ?)`).run(`bad ${rows++}`, value);
  }
  db.close();
  const log = new RecordedLog();
  openState(dir, { log, clock }).close();
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    [`warning ${dir}/state.db: ${rows} invalid rows were dropped`],
  );
  assert.equal(list(dir).length, 3);
});

test('one row that makes no sense is reported as one', (t) => {
  const dir = filled(tempDir(t));
  withSql(join(dir, 'state.db'), "INSERT INTO holds VALUES ('x', '{}')");
  const log = new RecordedLog();
  openState(dir, { log, clock }).close();
  assert.deepEqual(log.of('warning'), [`${dir}/state.db: 1 invalid row was dropped`]);
});

/** A state_dir that has seen some life. */
function filled(dir: string): string {
  const state = openState(dir, { log: new RecordedLog(), clock });
  for (let i = 0; i < 3; i++) state.journal.begin(entryOf(String(i)));
  for (let i = 0; i < 500; i++) {
    state.history.append({ at: new Date(i), type: 't', processName: 'x', incident: null, detail: 'words '.repeat(20) });
  }
  state.close();
  return dir;
}

/** What the next life finds under way; it must not find anything to complain of. */
function list(dir: string): JournalEntry[] {
  const log = new RecordedLog();
  const state = openState(dir, { log, clock });
  const entries = state.journal.list();
  state.close();
  assert.deepEqual(log.lines, []);
  return entries;
}

function withSql(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
