import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDeadline } from '../../../src/core/deadline.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';

test('a deadline aborts when its time is over, and not before', async () => {
  const clock = new FakeClock();
  const deadline = startDeadline(clock, 1000, new AbortController().signal);
  await clock.advance(999);
  assert.equal(deadline.remainingMs(), 1);
  assert.equal(deadline.signal.aborted, false);
  await clock.advance(1);
  assert.equal(deadline.remainingMs(), 0);
  assert.equal(deadline.signal.aborted, true);
});

test('a deadline that has ended aborts nothing any more', async () => {
  const clock = new FakeClock();
  const deadline = startDeadline(clock, 1000, new AbortController().signal);
  deadline.end();
  await clock.advance(5000);
  assert.equal(deadline.signal.aborted, false);
});

test('it aborts with the signal it was made from', () => {
  const parent = new AbortController();
  const deadline = startDeadline(new FakeClock(), 1000, parent.signal);
  parent.abort();
  assert.equal(deadline.signal.aborted, true);
  deadline.end();
});

test('what is left is in whole milliseconds, for a timer takes no fractions', () => {
  let nowMs = 10.25;
  const deadline = startDeadline(
    { monotonicMs: () => nowMs, date: () => new Date(), sleep: async () => {} },
    100,
    new AbortController().signal,
  );
  nowMs = 20.9;
  assert.equal(deadline.remainingMs(), 90);
  nowMs = 1000;
  assert.equal(deadline.remainingMs(), 0);
});
