import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import type { DaemonState } from '../../../src/state/daemon-state.ts';
import { readState } from '../../../src/state/read-state.ts';
import { openState } from '../../../src/state/state.ts';
import { entryOf } from '../../helpers/journal-entry.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const clock = systemClock;
const launch = { argv: ['a', '', 'b\n'], executable: '/x', cwd: '/', environment: ['A=1'], uid: 0, gid: 0, groups: [1] };
const pinned = { record: launch, files: [{ path: '/x', sha256: 'ab' }] };
const notes = { notes: 'disk \ud800 full\u0000', notesDigest: 'd1' };
const handled = { processId: '9', processName: 'x', ...notes, handledAt: new Date(5) };

test('everything comes back in the next life, to the letter', (t) => {
  const dir = join(tempDir(t), 'a/state');
  const log = new RecordedLog();
  const first = openState(dir, { log, clock });
  first.journal.begin(entryOf('nginx', 1));
  first.journal.begin(entryOf('nginx', 2));
  first.journal.begin(entryOf('gone'));
  first.journal.end('gone');
  first.handled.set(handled);
  first.handled.set({ ...handled, processId: '10' });
  first.handled.delete('10');
  first.holds.set({ name: null, until: null, reason: 'maintenance' });
  first.holds.set({ name: '*', until: null, reason: 'mine' });
  first.holds.set({ name: 'x', until: new Date(99), reason: '', strict: true });
  first.launches.set('prog', launch);
  first.launches.setNote('prog', { unusable: 'it is confined', copies: 2 });
  first.launches.setNote('gone', { unusable: 'x' });
  first.launches.setNote('gone', {});
  first.pins.set({ systemName: 'prog', launches: [pinned], pinnedAt: new Date(7) });
  first.pins.set({ systemName: 'gone', launches: [pinned], pinnedAt: new Date(7) });
  assert.deepEqual([first.pins.delete('gone'), first.pins.delete('gone')], [true, false]);
  first.history.append({ at: new Date(1), type: 't', processName: 'x', incident: null, detail: 'one\u001b[31m\ntwo' });
  first.close();
  first.close();
  const second = openState(dir, { log, clock });
  t.after(() => second.close());
  assert.deepEqual(second.journal.list(), [entryOf('nginx', 2)]);
  assert.deepEqual(second.handled.list(), [handled]);
  assert.deepEqual(second.handled.get('9'), handled);
  assert.equal(second.handled.get('10'), undefined);
  assert.deepEqual(second.holds.list(), [
    { name: '*', until: null, reason: 'mine' },
    { name: null, until: null, reason: 'maintenance' },
    { name: 'x', until: new Date(99), reason: '', strict: true },
  ]);
  assert.deepEqual(second.launches.get('prog'), launch);
  assert.deepEqual(second.launches.note('prog'), { unusable: 'it is confined', copies: 2 });
  assert.deepEqual(second.launches.note('gone'), {});
  assert.deepEqual(second.pins.list(), [{ systemName: 'prog', launches: [pinned], pinnedAt: new Date(7) }]);
  assert.deepEqual(withoutIds(second), [
    { at: new Date(1), type: 't', processName: 'x', incident: null, detail: 'one?[31m two' },
  ]);
  assert.deepEqual(log.lines, []);
});

test('a hold that is kept as `*`, as it always was, is the one on everything', (t) => {
  const dir = tempDir(t);
  openState(dir, { log: new RecordedLog(), clock }).close();
  const database = new DatabaseSync(join(dir, 'state.db'));
  const kept = { name: '*', until: null, reason: 'maintenance' };
  database.prepare('INSERT INTO holds VALUES (?, ?)').run('*', JSON.stringify(kept));
  database.close();
  const state = openState(dir, { log: new RecordedLog(), clock });
  assert.deepEqual(state.holds.list(), [{ ...kept, name: null }]);
  state.holds.set({ name: '*', until: null, reason: '' });
  state.holds.delete(null);
  state.close();
  const next = openState(dir, { log: new RecordedLog(), clock });
  t.after(() => next.close());
  assert.deepEqual(next.holds.list(), [{ name: '*', until: null, reason: '' }]);
});

test('records from before there were digests of notes are taken over', (t) => {
  const dir = tempDir(t);
  openState(dir, { log: new RecordedLog(), clock }).close();
  const database = new DatabaseSync(join(dir, 'state.db'));
  for (const [table, record] of [
    ['journal', entryOf('x')],
    ['handled', { ...handled, notesDigest: null }],
  ] as const) {
    const json = JSON.stringify(record, (key, value) => (key === 'notesDigest' ? undefined : value));
    database.prepare(`INSERT INTO ${table} VALUES (?, ?)`).run('x', json);
  }
  database.close();
  const log = new RecordedLog();
  const state = openState(dir, { log, clock });
  t.after(() => state.close());
  assert.deepEqual(state.journal.list(), [entryOf('x')]);
  assert.deepEqual(state.handled.list(), [{ ...handled, notesDigest: null }]);
  assert.deepEqual(log.lines, []);
});

test('the directory is 0700, every file in it 0600', (t) => {
  const dir = join(tempDir(t), 'state');
  const state = openState(dir, { log: new RecordedLog(), clock });
  t.after(() => state.close());
  state.journal.begin(entryOf('x'));
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  const files = readdirSync(dir);
  assert.deepEqual(files.sort(), ['daemon.lock', 'daemon.pid', 'state.db', 'state.db-shm', 'state.db-wal']);
  for (const file of files) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
});

test('the history is bounded, and what is not yet written is part of it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const state = openState(tempDir(t), { log: new RecordedLog(), clock });
  t.after(() => state.close());
  state.history.keep({ storyMs: 20_000, results: 1000, maxBytes: 1024 ** 3 });
  for (let i = 0; i <= 30_500; i++) append(state, i);
  const all = state.history.find({ limit: 60_000 });
  assert.equal(all.length, 10_000, 'so many are read at once');
  assert.equal(all.at(-1)?.detail, 'number 30500');
  // Each is a millisecond later than the one before.
  const [oldest] = state.history.find({ after: 0, limit: 1 });
  assert.equal(oldest?.detail, 'number 10500');
  state.history.keep({ storyMs: 20_000, results: 1000, maxBytes: 1024 ** 2 });
  for (let i = 30_501; i <= 60_000; i++) append(state, i);
  // By age alone it would be number 40000.
  const [first] = state.history.find({ after: 0, limit: 1 });
  assert.ok(Number(first?.at) > 42_000, first?.detail);
  assert.equal(state.history.find({ limit: 1 })[0]?.detail, 'number 60000');
  assert.deepEqual(
    state.history.find({ processName: 'odd', limit: 2 }).map(({ detail }) => detail),
    ['number 59997', 'number 59999'],
  );
  assert.deepEqual(state.history.find({ limit: 0 }), []);
  assert.deepEqual(state.history.find({ limit: -3 }), []);
});

test('an incident stays as long as what happened in it, and while it is open', (t) => {
  const state = openState(tempDir(t), { log: new RecordedLog(), clock });
  t.after(() => state.close());
  state.history.keep({ storyMs: 1000, results: 1000, maxBytes: 1024 ** 3 });
  const begun = { name: 'web', by: 'outside', openedAt: new Date(1), signs: [], names: ['web'] } as const;
  state.incidents.set({ ...begun, id: 1, closed: null });
  state.incidents.set({ ...begun, id: 2, closed: { at: new Date(5), how: 'cleared', joined: null } });
  state.incidents.set({ ...begun, id: 3, closed: { at: new Date(1500), how: 'joined', joined: 1 } });
  for (const i of [5, 1500, 2000]) {
    append(state, i);
    state.history.find({ limit: 1 });
  }
  assert.deepEqual(
    [1, 2, 3].map((id) => state.incidents.get(id)?.closed?.how ?? null),
    [null, null, 'joined'],
  );
  assert.deepEqual(state.incidents.joinedTo(1), [3]);
  const { open, lastId } = state.incidents.unfinished();
  assert.deepEqual([open.map(({ id }) => id), lastId], [[1], 3]);
  assert.deepEqual(
    state.history.find({ limit: 9 }).map(({ detail }) => detail),
    ['number 1500', 'number 2000'],
  );
});

test('the history is written without anybody asking', async (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock });
  t.after(() => state.close());
  assert.equal(existsSync(join(dir, 'history.db')), false);
  append(state, 1);
  await waitFor('a write', () => {
    const look = readState(dir, clock);
    assert(look.kind === 'read');
    const written = look.state.history.find({ limit: 1 });
    look.state.close();
    return written.length === 1;
  });
  assert.equal(statSync(join(dir, 'history.db')).mode & 0o777, 0o600);
});

test('a thousand alarms cost little', (t) => {
  const state = openState(tempDir(t), { log: new RecordedLog(), clock });
  t.after(() => state.close());
  const before = process.cpuUsage();
  for (let i = 0; i < 1_000; i++) {
    state.journal.begin(entryOf(`target ${i}`));
    for (let j = 0; j < 5; j++) append(state, j);
    state.breakers.save(`target ${i}`, 'x', { state: 'closed', failures: 0, reopenAtMs: 0, successesMs: [1], exitsMs: [] });
    state.handled.set({ ...handled, processId: String(i) });
    state.journal.end(`target ${i}`);
    state.handled.delete(String(i));
  }
  const { user, system } = process.cpuUsage(before);
  const msEach = (user + system) / 1_000 / 1_000;
  t.diagnostic(`${msEach.toFixed(2)} ms of CPU an alarm`);
  assert.ok(msEach < 2, `${msEach} ms`);
});

test('a state_dir within the reach of others is not used: one complaint, and on from memory', (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o777);
  const log = new RecordedLog();
  const state = openState(dir, { log, clock });
  exercise(state);
  state.close();
  assert.deepEqual(readdirSync(dir), []);
  assert.equal(log.of('error').length, 1);
  assert.match(log.of('error')[0] ?? '', /others may write to \/.*, mode 0777 \(expected/);
});

test('a state_dir that cannot be: one complaint, and on from memory', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'file'), '');
  mkdirSync(join(dir, 'locked/daemon.lock'), { recursive: true });
  for (const place of ['file/state', 'file', 'locked', '\u0000']) {
    const log = new RecordedLog();
    const state = openState(join(dir, place), { log, clock });
    exercise(state);
    state.close();
    assert.equal(log.of('error').length, 1, JSON.stringify(log.lines));
  }
});

/** Uses every part, as the monitor would. */
function exercise(state: DaemonState): void {
  state.journal.begin(entryOf('x'));
  state.handled.set(handled);
  state.launches.set('prog', launch);
  append(state, 1);
  assert.deepEqual(state.journal.list(), [entryOf('x')]);
  assert.deepEqual(state.handled.list(), [handled]);
  assert.equal(state.history.find({ limit: 10 }).length, 1);
  state.journal.end('x');
  assert.deepEqual(state.journal.list(), []);
}

test('a file of the second version gets the tables that it lacks, is not set aside, and keeps what it has', (t) => {
  const dir = tempDir(t);
  const log = new RecordedLog();
  const first = openState(dir, { log, clock: systemClock });
  first.holds.set({ name: 'x', until: null, reason: 'r' });
  first.close();
  const db = new DatabaseSync(join(dir, 'state.db'));
  db.exec(
    'DROP TABLE further_launches; DROP TABLE launch_notes; DROP TABLE pins; DROP TABLE program_roots; PRAGMA user_version = 2',
  );
  db.close();
  const later = openState(dir, { log, clock: systemClock });
  assert.equal(later.holds.list().length, 1);
  later.roots.set('x', [{ pid: 1, startTime: 1 }]);
  later.close();
  assert.deepEqual(log.lines, []);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.includes('state.db')),
    ['state.db'],
  );
});

function withSql(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function append(state: DaemonState, i: number): void {
  state.history.append(entry(i));
}

/** The newest entries. */
function withoutIds({ history }: DaemonState) {
  return history.find({ limit: 9 }).map(({ id: _, ...found }) => found);
}

function entry(i: number) {
  return { at: new Date(i), type: 't', processName: i % 2 === 0 ? 'even' : 'odd', incident: null, detail: `number ${i}` };
}

test('a file of the first version gets the tables that it lacks and keeps what it has; a look at it finds what is there', (t) => {
  const dir = tempDir(t);
  const first = openState(dir, { log: new RecordedLog(), clock: systemClock });
  first.holds.set({ name: 'x', until: null, reason: 'r' });
  first.close();
  const db = new DatabaseSync(join(dir, 'state.db'));
  db.exec('DROP TABLE kept_alarms; DROP TABLE watched_lives; PRAGMA user_version = 1');
  db.close();
  const look = readState(dir, systemClock);
  assert(look.kind === 'read');
  assert.equal(look.state.holds.list().length, 1);
  assert.deepEqual(look.state.kept.list(), []);
  look.state.close();
  const log = new RecordedLog();
  const alarm = { processName: 'web', notes: 'n', raisedAt: new Date(5), doubtfulRows: ['7'] };
  const lastExit = { at: new Date(6), cause: 'exit code 1', uptimeMs: 5.5, expected: true, ours: true } as const;
  const life = { processName: 'web', pid: 7, since: new Date(5), unit: 'web.service', exits: 2, lastExit };
  for (let i = 0; i < 2; i++) {
    const later = openState(dir, { log, clock: systemClock });
    assert.equal(later.holds.list().length, 1);
    assert.deepEqual(later.kept.list(), i === 0 ? [] : [alarm]);
    assert.deepEqual(later.lives.get('web'), i === 0 ? undefined : life);
    later.kept.set(alarm);
    later.lives.set(life);
    later.kept.set({ ...alarm, processName: 'gone' });
    later.kept.delete('gone');
    later.close();
  }
  assert.deepEqual(log.lines, []);
});

test('the history of the fourth version moves to a file of its own, once, whenever the daemon dies meanwhile', (t) => {
  const dir = tempDir(t);
  openState(dir, { log: new RecordedLog(), clock }).close();
  const former = () => {
    withSql(
      join(dir, 'state.db'),
      `CREATE TABLE history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, type TEXT NOT NULL, process_name TEXT NOT NULL,
       detail TEXT NOT NULL) STRICT; INSERT INTO history VALUES (41, 7, 'alarm_found', 'web', 'disk full'),
       (42, 8, 'recovery_failed', 'web', 'exit code 1' || char(10) || 'line 1' || char(10) || 'line 2'); PRAGMA user_version = 4`,
    );
  };
  former();
  const web = { processName: 'web', incident: null };
  const expected = [
    { ...web, at: new Date(7), type: 'alarm_found', detail: 'disk full' },
    { ...web, at: new Date(8), type: 'recovery_failed', detail: 'exit code 1', output: ['line 1', 'line 2'] },
  ];
  const look = readState(dir, clock);
  assert(look.kind === 'read');
  assert.deepEqual(withoutIds(look.state), expected);
  look.state.close();
  // The second time as if the daemon had died between the two files.
  for (const isSecond of [false, true]) {
    if (isSecond) former();
    const log = new RecordedLog();
    const state = openState(dir, { log, clock });
    assert.deepEqual(withoutIds(state), isSecond ? [...expected, entry(3)] : expected);
    if (!isSecond) append(state, 3);
    state.close();
    assert.deepEqual(log.lines, []);
    const later = readState(dir, clock);
    assert(later.kind === 'read');
    assert.equal(later.state.history.find({ limit: 9 }).length, 3);
    later.state.close();
  }
});

test('a history that cannot be read is moved away, and what happens is recorded in a new one', (t) => {
  const dir = tempDir(t);
  const first = openState(dir, { log: new RecordedLog(), clock });
  append(first, 1);
  first.holds.set({ name: 'x', until: null, reason: 'r' });
  first.close();
  writeFileSync(join(dir, 'history.db'), 'no database at all'.repeat(100));
  const look = readState(dir, clock);
  assert(look.kind === 'read');
  assert.deepEqual([look.state.holds.list().length, look.state.history.find({ limit: 9 })], [1, []]);
  assert.match(look.state.unreadable ?? '', /history\.db: file is not a database$/);
  look.state.close();
  const log = new RecordedLog();
  const state = openState(dir, { log, clock });
  assert.deepEqual(log.lines, []);
  append(state, 2);
  assert.deepEqual(withoutIds(state), [entry(2)]);
  state.close();
  assert.equal(log.of('warning').length, 1);
  assert.match(
    log.of('warning')[0] ?? '',
    /history\.db cannot be used \(.*\): moved to .*history\.db\.damaged-\d{14}, a new one is created$/,
  );
});

test('nothing that ran in another boot, or on another machine, is known to run', (t) => {
  const dir = tempDir(t);
  const life = { processName: 'web', pid: 7, since: new Date(), unit: 'web.service', exits: 2, lastExit: null };
  const look = (bootId: string): unknown => {
    const state = openState(dir, { log: new RecordedLog(), clock: systemClock, bootId });
    const found = [state.lives.get('web'), ...state.lives.list()];
    state.lives.set(life);
    state.close();
    return found;
  };
  look('a');
  assert.deepEqual(look('a'), [life, life]);
  const before = { ...life, since: null, beforeBoot: true };
  assert.deepEqual(look('b'), [before, before]);
});
