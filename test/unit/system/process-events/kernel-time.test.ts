import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelTime } from '../../../../src/system/process-events/kernel-time.ts';

test('the difference of the clocks is found to a fraction of a millisecond, and followed when the clock is set', () => {
  let [nowMs, offsetMs] = [5_000.25, 1_700_000_000_000.6];
  const time = new KernelTime({
    monotonicMs: () => nowMs,
    date: () => new Date(Math.floor(nowMs + offsetMs)),
    sleep: () => assert.fail('not needed'),
  });
  const error = (): number => time.dateMs(nowMs) - (nowMs + offsetMs);
  for (let i = 0; i < 100; i += 1) {
    nowMs += 10.37;
    time.synchronise();
  }
  assert(Math.abs(error()) < 0.1, String(error()));
  for (const step of [3_600_000, -7_200_000]) {
    offsetMs += step;
    time.synchronise();
    assert(Math.abs(error()) < 1.1, String(error()));
  }
  assert.equal(time.nowMs(), time.dateMs(nowMs));
});
