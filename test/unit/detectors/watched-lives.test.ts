import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { WatchedLives } from '../../../src/detectors/watched-lives.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { memoryState } from '../../helpers/memory-state.ts';

const table = new ProcessTable();
const own = { pid: process.pid, since: new Date(Date.now() - table.ageMs(table.read(process.pid, ['startTime'])!)) };

test('lives are counted from what is reported, and survive the daemon', () => {
  const { lives: records } = memoryState();
  const lives = new WatchedLives(records, systemClock);
  const exit = { type: 'process_exited', processName: 'web', cause: 'exit code 1', uptimeMs: 5, endedAt: new Date(9) } as const;
  lives.seen({ type: 'process_seen', processName: 'web', pid: 7, since: new Date(5) });
  assert.deepEqual(lives.of('web'), { processName: 'web', pid: 7, since: new Date(5), unit: null, exits: 0, lastExit: null });
  lives.exited({ ...exit, pid: 7, expected: false });
  lives.seen({ type: 'process_seen', processName: 'web', ...own });
  lives.exited({ ...exit, pid: own.pid, expected: true });
  const lastExit = { at: new Date(9), cause: 'exit code 1', uptimeMs: 5, expected: true };
  assert.deepEqual(lives.of('web'), { processName: 'web', pid: own.pid, since: null, unit: null, exits: 1, lastExit });
  lives.seen({ type: 'process_seen', processName: 'web', ...own });
  assert.equal(lives.of('other'), undefined);
  const later = new WatchedLives(records, systemClock);
  assert.deepEqual(later.of('web')?.since, own.since);
  assert.deepEqual(later.names(), ['web']);
});

test('an end that systemd heals is counted, once', () => {
  const { lives: records } = memoryState();
  const lives = new WatchedLives(records, systemClock);
  const exit = {
    type: 'process_exited',
    processName: 'web',
    cause: 'signal SIGKILL',
    uptimeMs: 5,
    endedAt: new Date(9),
  } as const;
  lives.exited({ ...exit, pid: 7, expected: true, unasked: true });
  assert.deepEqual([lives.of('web')?.exits, lives.of('web')?.lastExit?.expected], [1, false]);
  lives.exited({ ...exit, pid: 7, expected: false, repeated: true });
  assert.equal(lives.of('web')?.exits, 1);
});

test('what ran before is remembered until it is reported, or the machine or container was started again, or it is no longer watched', () => {
  const { lives: records } = memoryState();
  const begunAtMs = Date.now() - table.ageMs(table.read(1, ['startTime'])!);
  const life = { pid: 7, unit: 'web.service', exits: 0, lastExit: null };
  records.set({ ...life, processName: 'web', since: own.since });
  records.set({ ...life, processName: 'down', since: null });
  records.set({ ...life, processName: 'old', since: new Date(begunAtMs - 60_000) });
  records.set({ ...life, processName: 'other', since: own.since });
  const lives = new WatchedLives(records, systemClock);
  const former = ['web', 'down', 'old', 'ghost'].map((name) => lives.former(name)?.unit);
  assert.deepEqual(former, ['web.service', undefined, undefined, undefined]);
  lives.seen({ type: 'process_seen', processName: 'web', ...own });
  assert.equal(lives.former('web'), undefined);
  lives.keepOnly(new Set(['web', 'old']));
  assert.deepEqual(
    records.list().map(({ processName, unit }) => [processName, unit]),
    [
      ['web', null],
      ['old', 'web.service'],
    ],
  );
});

test('what was healed and not seen yet is missed by the next life of the daemon', () => {
  const { lives: records } = memoryState();
  const lives = new WatchedLives(records, systemClock);
  lives.healed('never watched');
  assert.deepEqual(records.list(), []);
  lives.seen({ type: 'process_seen', processName: 'web', ...own });
  lives.healed('web');
  assert.equal(records.get('web')?.pid, own.pid, 'it has been seen');
  const exit = { type: 'process_exited', processName: 'web', pid: own.pid, cause: 'exit code 1', uptimeMs: 5 } as const;
  lives.exited({ ...exit, endedAt: new Date(9), expected: false });
  assert.equal(new WatchedLives(records, systemClock).former('web'), undefined);
  lives.healed('web');
  assert.equal(lives.of('web')?.since, null, 'nobody knows since when');
  assert.equal(new WatchedLives(records, systemClock).former('web')?.pid, 0);
});

test('what an earlier life of the daemon saw running is believed only while that very process runs', () => {
  for (const [pid, since] of [
    [own.pid, new Date(own.since.getTime() - 60_000)],
    [2 ** 30, own.since],
  ] as const) {
    const { lives: records } = memoryState();
    records.set({ processName: 'web', pid, since, unit: null, exits: 3, lastExit: null });
    const later = new WatchedLives(records, systemClock);
    assert.deepEqual(later.of('web'), { processName: 'web', pid, since: null, unit: null, exits: 3, lastExit: null });
    assert.deepEqual(later.names(), []);
  }
});
