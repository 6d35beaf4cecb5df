import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLoss } from '../../../../src/system/process-events/loss.ts';

test('gaps are counted for each processor by itself, round the end of the numbers too', () => {
  const loss = new EventLoss({ byGaps: true });
  const numbers = [
    [0, 10, 0],
    [3, 500, 0],
    [0, 11, 0],
    [0, 15, 3],
    [3, 501, 0],
    [1, 0xffff_fffe, 0],
    [1, 2, 3],
  ] as const;
  for (const [cpu, sequence, lost] of numbers) assert.equal(loss.before(cpu, sequence), lost, `${sequence} of ${cpu}`);
});

test('a number that went back is not a loss, and counting continues from there', () => {
  const loss = new EventLoss({ byGaps: true });
  loss.before(0, 1000);
  assert.equal(loss.before(0, 5), 0);
  assert.equal(loss.before(0, 7), 1);
});

test('the answers of old kernels, which have no processor, are not counted', () => {
  const loss = new EventLoss({ byGaps: true });
  assert.equal(loss.before(0xffff_ffff, 1), 0);
  assert.equal(loss.before(0xffff_ffff, 9), 0);
});

test('a full buffer is one loss at once, which is not counted again when the gap shows', () => {
  const loss = new EventLoss({ byGaps: true });
  loss.before(0, 1);
  loss.before(1, 1);
  assert.equal(loss.afterDrain(), 0);
  loss.overrun();
  loss.before(0, 2);
  assert.equal(loss.afterDrain(), 1);
  assert.equal(loss.afterDrain(), 0);
  assert.equal(loss.before(0, 10), 6);
  assert.equal(loss.before(1, 4), 2);
});

test('a full buffer whose gap shows in the same drain is only that gap', () => {
  const loss = new EventLoss({ byGaps: true });
  loss.before(0, 1);
  loss.overrun();
  assert.equal(loss.before(0, 10), 8);
  assert.equal(loss.afterDrain(), 0);
});

test('if the kernel leaves events out gaps mean nothing, and a full buffer counts as one', () => {
  const loss = new EventLoss({ byGaps: false });
  loss.before(0, 1);
  assert.equal(loss.before(0, 10), 0);
  loss.overrun();
  assert.equal(loss.afterDrain(), 1);
});
