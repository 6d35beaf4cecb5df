import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { readState } from '../../../src/state/read-state.ts';
import { openState } from '../../../src/state/state.ts';
import { entryOf } from '../../helpers/journal-entry.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

const clock = systemClock;

test('after an orderly end the look needs no file of its own', (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock });
  state.holds.set({ name: 'x#?%', until: null, reason: 'r' });
  state.breakers.save('t', 'x', {
    state: 'open',
    failures: 3,
    reopenAtMs: clock.monotonicMs() + 60_000,
    successesMs: [],
    exitsMs: [],
  });
  state.close();
  const before = readdirSync(dir);
  const look = readState(dir, clock);
  assert.ok(look.kind === 'read');
  assert.deepEqual(readdirSync(dir), before);
  assert.deepEqual(look.state.holds.list(), [{ name: 'x#?%', until: null, reason: 'r' }]);
  assert.equal(look.state.breakers.load().get('t')?.snapshot.state, 'open');
  look.state.close();
  assert.deepEqual(readdirSync(dir), before);
});

test('beside a running daemon it sees what was written last', (t) => {
  const dir = tempDir(t);
  const state = openState(dir, { log: new RecordedLog(), clock });
  t.after(() => state.close());
  state.journal.begin(entryOf('x'));
  const look = readState(dir, clock);
  assert.ok(look.kind === 'read');
  assert.deepEqual(look.state.journal.list(), [entryOf('x')]);
  look.state.close();
  state.journal.begin(entryOf('y'));
  assert.equal(state.journal.list().length, 2);
});

test('nothing there, or nothing to be read there', (t) => {
  const dir = tempDir(t);
  assert.equal(readState(join(dir, 'none'), clock).kind, 'absent');
  assert.equal(readState(dir, clock).kind, 'absent');
  assert.deepEqual(readdirSync(dir), []);
  writeFileSync(join(dir, 'state.db'), 'garbage '.repeat(1_000));
  assert.equal(readState(dir, clock).kind, 'failed');
  mkdirSync(join(dir, 'other/state.db'), { recursive: true });
  assert.equal(readState(join(dir, 'other'), clock).kind, 'failed');
  assert.equal(readState(join(dir, 'state.db'), clock).kind, 'failed');
});

test('a directory that may not be entered is refused, not empty', (t) => {
  const dir = tempDir(t);
  const isRoot = process.geteuid?.() === 0;
  chmodSync(dir, 0);
  // To root no mode says no.
  if (isRoot) process.seteuid?.(65534);
  try {
    assert.equal(readState(dir, clock).kind, 'failed');
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(dir, 0o700);
  }
});
