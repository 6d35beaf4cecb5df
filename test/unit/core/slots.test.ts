import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slots } from '../../../src/core/slots.ts';

test('so many at once, the others in their turn', async () => {
  const slots = new Slots(2);
  const order: string[] = [];
  const call = async (name: string): Promise<void> => {
    assert.equal(await slots.take(10_000), true);
    order.push(`+${name}`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`-${name}`);
    slots.release();
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(call));
  assert.deepEqual(order.slice(0, 2), ['+a', '+b']);
  assert.deepEqual(
    order.filter((step) => step.startsWith('+')),
    ['+a', '+b', '+c', '+d'],
  );
  let running = 0;
  for (const step of order) {
    running += step.startsWith('+') ? 1 : -1;
    assert.ok(running <= 2);
  }
});

test('who waits too long goes without, and takes nobody’s turn', async () => {
  const slots = new Slots(1);
  assert.equal(await slots.take(0), true);
  assert.equal(await slots.take(5), false);
  const next = slots.take(10_000);
  slots.release();
  assert.equal(await next, true);
  slots.release();
  assert.equal(await slots.take(0), true);
});

test('who gives up goes without at once, and takes nobody’s turn', async () => {
  const slots = new Slots(1);
  assert.equal(await slots.take(0), true);
  const given = new AbortController();
  const waiting = slots.take(60_000, given.signal);
  given.abort();
  assert.deepEqual([await waiting, await slots.take(60_000, given.signal)], [false, false]);
  slots.release();
  assert.equal(await slots.take(0), true);
});

test('who waits is served by rank, equals in the order in which they came, as many as there are by then', async () => {
  let limit = 1;
  const slots = new Slots<number>(
    () => limit,
    (one, other) => one > other,
  );
  const order: string[] = [];
  const wait = (name: string, rank: number): Promise<unknown> =>
    slots.take(Number.POSITIVE_INFINITY, undefined, rank).then(() => order.push(name));
  await wait('first', 0);
  const waiting = [wait('low', 1), wait('high', 2), wait('low again', 1), wait('high again', 2)];
  for (let i = 0; i < 2; i++) slots.release();
  limit = 2;
  slots.release();
  await Promise.all(waiting);
  assert.deepEqual(order, ['first', 'high', 'high again', 'low', 'low again']);
});
