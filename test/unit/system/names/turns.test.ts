import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../../src/system/names/turns.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

/** Work that ends only when it has to; counts how often it was begun, and how many are at it. */
class Endless {
  begun = 0;
  now = 0;
  most = 0;

  readonly work = async (signal: AbortSignal): Promise<undefined> => {
    this.begun++;
    this.most = Math.max(this.most, ++this.now);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.now--;
    return undefined;
  };
}

const never = new AbortController().signal;

test('as many at once as there are places; the others come when one is free', async () => {
  const turns = new Turns({ size: 2, sliceMs: 60_000 });
  let [now, most] = [0, 0];
  const work = async (): Promise<string> => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    return 'done';
  };
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => turns.run(`${i}`, work, never)));
  assert.deepEqual(new Set(results), new Set(['done']));
  assert.equal(most, 2);
});

test('six that never end do not keep one waiting that ends at once', async () => {
  const turns = new Turns({ size: 4, sliceMs: 20 });
  const end = new AbortController();
  const endless = new Endless();
  const dead = Array.from({ length: 6 }, (_, i) => turns.run(`dead${i}`, endless.work, end.signal));
  assert.equal(await turns.run('well', async () => 'found', never), 'found');
  assert.ok(endless.most <= 4);
  end.abort();
  assert.deepEqual(await Promise.all(dead), Array(6).fill(undefined));
  await waitFor('all of them have ended', () => endless.now === 0);
});

test('one that gave way begins again, and gets more time each turn', async () => {
  const turns = new Turns({ size: 1, sliceMs: 10 });
  const end = new AbortController();
  const other = turns.run('other', new Endless().work, end.signal);
  let begun = 0;
  const slow = async (signal: AbortSignal): Promise<string | undefined> => {
    begun++;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const timer = setTimeout(() => resolve('found'), 60);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    const result = await promise;
    clearTimeout(timer);
    return result;
  };
  assert.equal(await turns.run('slow', slow, never), 'found');
  assert.ok(begun > 1, 'it gave way');
  end.abort();
  assert.equal(await other, undefined);
});

test('names whose work had no result yield at once to one whose work had', async () => {
  const turns = new Turns({ size: 2, sliceMs: 5 });
  const endless = new Endless();
  const tryAll = (signal: AbortSignal) => ['a', 'b', 'c'].map((name) => turns.run(name, endless.work, signal));
  const first = new AbortController();
  const tried = tryAll(first.signal);
  await waitFor('each has had its time', () => endless.begun >= 6);
  first.abort();
  await Promise.all(tried);
  await waitFor('the places are free', () => endless.now === 0);
  const second = new AbortController();
  const again = tryAll(second.signal);
  const well = turns.run('well', async () => 'found', never);
  // In the same breath: nobody's time is over yet.
  assert.equal(await Promise.race([well, new Promise((resolve) => setTimeout(resolve, 4000, 'late'))]), 'found');
  second.abort();
  await Promise.all(again);
});

test('who gives up while waiting is gone; who gives up at work keeps the place until the work has ended', async () => {
  const turns = new Turns({ size: 1, sliceMs: 60_000 });
  const [busy, waiting] = [new AbortController(), new AbortController()];
  const { promise: dying, resolve: die } = Promise.withResolvers<undefined>();
  const first = turns.run('first', () => dying, busy.signal);
  const second = turns.run('second', async () => 'never', waiting.signal);
  waiting.abort();
  assert.equal(await second, undefined);
  let began = false;
  const third = turns.run(
    'third',
    async () => {
      began = true;
      return 'found';
    },
    never,
  );
  busy.abort();
  assert.equal(await first, undefined);
  await new Promise(setImmediate);
  assert.equal(began, false, 'the child of the first is still there');
  die(undefined);
  assert.equal(await third, 'found');
  assert.equal(await turns.run('x', async () => 'y', AbortSignal.abort()), undefined);
});
