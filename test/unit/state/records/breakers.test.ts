import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BreakerSnapshot } from '../../../../src/core/breaker-snapshot.ts';
import type { Clock } from '../../../../src/core/clock.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { openState } from '../../../../src/state/state.ts';
import { RecordedLog } from '../../../helpers/recorded-log.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const open: BreakerSnapshot = {
  state: 'open',
  failures: 3,
  reopenAtMs: 1_000_000 + 1_800_000,
  successesMs: [999_000, 1_000_000],
  exitsMs: [990_000],
};

test('within one boot a breaker is found as it was left', (t) => {
  const dir = tempDir(t);
  life(dir, 'boot-a', 1_000_000, open);
  assert.deepEqual(life(dir, 'boot-a', 1_500_000), new Map([['t', { snapshot: open, processName: 'name' }]]));
});

test('across a reboot what was left of the cooldown applies in full, once', (t) => {
  const dir = tempDir(t);
  life(dir, 'boot-a', 1_000_000, open);
  const moved = { ...open, reopenAtMs: 5_000 + 1_800_000, successesMs: [4_000, 5_000], exitsMs: [-5_000] };
  assert.deepEqual(life(dir, 'boot-b', 5_000).get('t')?.snapshot, moved);
  assert.deepEqual(life(dir, 'boot-b', 905_000).get('t')?.snapshot, moved, 'a restart of the daemon does not grant it anew');
});

test('a cooldown that was over stays over; closed and half-open breakers come back as such', (t) => {
  for (const [snapshot, reopenAtMs] of [
    [{ ...open, reopenAtMs: 900_000 }, 5_000],
    [{ ...open, state: 'half_open', reopenAtMs: 900_000 }, 5_000],
    [{ ...open, state: 'closed', failures: 2, reopenAtMs: 0 }, 0],
  ] as const) {
    const dir = tempDir(t);
    life(dir, 'boot-a', 1_000_000, snapshot);
    const loaded = life(dir, 'boot-b', 5_000).get('t')?.snapshot;
    assert.deepEqual(loaded, { ...snapshot, reopenAtMs, successesMs: [4_000, 5_000], exitsMs: [-5_000] });
  }
});

test('a boot that is not known, or a clock that runs behind, is another boot', (t) => {
  for (const [before, after, nowMs] of [
    ['', '', 1_000_001],
    ['boot-a', '', 1_000_001],
    ['boot-a', 'boot-a', 10],
  ] as const) {
    const dir = tempDir(t);
    life(dir, before, 1_000_000, open);
    assert.equal(life(dir, after, nowMs).get('t')?.snapshot.reopenAtMs, nowMs + 1_800_000);
  }
});

test('a deleted breaker is gone', (t) => {
  const dir = tempDir(t);
  life(dir, 'boot-a', 1_000_000, open);
  const state = openState(dir, { log: new RecordedLog(), clock: clockAt(1), bootId: 'boot-a' });
  state.breakers.delete('t');
  state.close();
  assert.equal(life(dir, 'boot-a', 1_000_000).size, 0);
});

/** One life of the daemon at `nowMs` of the boot `bootId`: what it finds, after it has saved `snapshot`. */
function life(dir: string, bootId: string, nowMs: number, snapshot?: BreakerSnapshot) {
  const log = new RecordedLog();
  const state = openState(dir, { log, clock: clockAt(nowMs), bootId });
  if (snapshot !== undefined) state.breakers.save('t', 'name', snapshot);
  const loaded = state.breakers.load();
  state.close();
  assert.deepEqual(log.lines, []);
  return loaded;
}

function clockAt(nowMs: number): Clock {
  return { ...systemClock, monotonicMs: () => nowMs };
}
