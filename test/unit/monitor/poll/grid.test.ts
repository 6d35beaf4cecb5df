import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PollGrid } from '../../../../src/monitor/poll/grid.ts';
import { busiestShare } from '../../../bench/pollers.ts';
import { MonitorWorld } from '../../../helpers/monitor-world.ts';

test('the next poll is ahead, within one interval, and on the grid', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(1e9),
      fc.integer({ min: 100, max: 86_400_000 }),
      (phase, now, interval) => {
        const grid = new PollGrid(phase);
        const pause = grid.pauseMs(now, interval);
        assert.ok(pause >= 1 && pause <= interval + 1);
        const next = now + pause;
        const again = grid.pauseMs(next, interval);
        assert.ok(again > interval - 1);
      },
    ),
  );
});

test('the first poll comes at once, the others on the grid; an early one does not move it', async () => {
  const world = new MonitorWorld({ checkIntervalMs: 10_000 });
  const polls: number[] = [];
  const { readAlarms } = world.store;
  world.store.readAlarms = (first) => {
    polls.push(world.clock.monotonicMs());
    return readAlarms.call(world.store, first);
  };
  const startMs = world.clock.monotonicMs();
  const loop = world.monitor.run(world.stopping.signal);
  await world.clock.advance(25_000);
  world.monitor.wake();
  await world.clock.advance(25_000);
  const [first, second = 0] = polls;
  assert.equal(first, startMs);
  assert.ok(second - startMs <= 10_001);
  assert.ok(polls.includes(startMs + 25_000), 'an early one');
  const onGrid = polls.filter((at) => at !== startMs && at !== startMs + 25_000);
  assert.deepEqual(
    onGrid,
    onGrid.map((_, i) => second + i * 10_000).map((at, i) => (Math.abs(at - (onGrid[i] ?? 0)) < 1 ? onGrid[i] : at)),
  );
  assert.equal(onGrid.length, Math.floor((startMs + 50_000 - second) / 10_000) + 1);
  world.stopping.abort();
  await world.clock.until(() => true);
  await loop;
});

test('a stall that wakes four hundred daemons at once does not line them up', async () => {
  const { share, polls } = await busiestShare(400, 5000);
  assert.equal(polls, 400);
  assert.ok(share <= 3, `busiest 100 ms: ${share.toFixed(1)} times the even share`);
});
