import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
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
  first.history.append({ at: new Date(1), type: 't', processName: 'x', detail: 'one\u001b[31m\ntwo' });
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
  assert.deepEqual(second.history.recent(5), [{ at: new Date(1), type: 't', processName: 'x', detail: 'one?[31m two' }]);
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
  const state = openState(tempDir(t), { log: new RecordedLog(), clock });
  t.after(() => state.close());
  for (let i = 0; i < 10_500; i++) append(state, i);
  state.journal.begin(entryOf('x'));
  append(state, 10_500);
  const all = state.history.recent(20_000);
  assert.ok(all.length >= 10_000 && all.length <= 10_001, String(all.length));
  assert.equal(all.at(-1)?.detail, 'number 10500');
  assert.deepEqual(
    state.history.recent(2, 'odd').map(({ detail }) => detail),
    ['number 10497', 'number 10499'],
  );
  const replayed: typeof all = [];
  state.history.replay((entry) => replayed.push(entry));
  assert.deepEqual(replayed.slice(-all.length), all);
  assert.deepEqual(state.history.recent(0), []);
  assert.deepEqual(state.history.recent(-3), []);
});

test('the history is written without anybody asking', async (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock });
  t.after(() => state.close());
  const before = statSync(join(dir, 'state.db-wal')).size;
  append(state, 1);
  await waitFor('a write', () => statSync(join(dir, 'state.db-wal')).size > before);
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
  assert.equal(state.history.recent(10).length, 1);
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

function append(state: DaemonState, i: number): void {
  state.history.append({ at: new Date(i), type: 't', processName: i % 2 === 0 ? 'even' : 'odd', detail: `number ${i}` });
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
