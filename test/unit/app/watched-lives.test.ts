import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WatchedLives } from '../../../src/app/watched-lives.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EventBus } from '../../../src/core/events.ts';
import { ProcessTable } from '../../../src/system/process-table.ts';
import { memoryState } from '../../helpers/memory-state.ts';

const table = new ProcessTable();
const own = { pid: process.pid, since: new Date(Date.now() - table.ageMs(table.read(process.pid, ['startTime'])!)) };

test('lives are counted from what is told, and survive the daemon', () => {
  const { lives: records } = memoryState();
  const bus = new EventBus((error) => assert.fail(String(error)));
  const lives = new WatchedLives(records, systemClock);
  lives.follow(bus);
  const exit = { type: 'process_exited', processName: 'web', cause: 'exit code 1', uptimeMs: 5, at: new Date(9) } as const;
  bus.emit({ type: 'process_seen', processName: 'web', pid: 7, since: new Date(5) });
  assert.deepEqual(lives.of('web'), { processName: 'web', pid: 7, since: new Date(5), exits: 0, lastExit: null });
  bus.emit({ ...exit, pid: 7, expected: false });
  bus.emit({ type: 'process_seen', processName: 'web', ...own });
  bus.emit({ ...exit, pid: own.pid, expected: true });
  const lastExit = { at: new Date(9), cause: 'exit code 1', uptimeMs: 5, expected: true };
  assert.deepEqual(lives.of('web'), { processName: 'web', pid: own.pid, since: null, exits: 1, lastExit });
  bus.emit({ type: 'process_seen', processName: 'web', ...own });
  assert.equal(lives.of('other'), undefined);
  const later = new WatchedLives(records, systemClock);
  assert.deepEqual(later.of('web')?.since, own.since);
  assert.deepEqual(later.names(), ['web']);
});

test('what an earlier life of the daemon saw running is believed only while that very process runs', () => {
  for (const [pid, since] of [
    [own.pid, new Date(own.since.getTime() - 60_000)],
    [2 ** 30, own.since],
  ] as const) {
    const { lives: records } = memoryState();
    records.set({ processName: 'web', pid, since, exits: 3, lastExit: null });
    const later = new WatchedLives(records, systemClock);
    assert.deepEqual(later.of('web'), { processName: 'web', pid, since: null, exits: 3, lastExit: null });
    assert.deepEqual(later.names(), []);
  }
});
