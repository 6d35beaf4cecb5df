import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { unitPath } from '../../../../src/system/systemd/unit/name.ts';
import { UnitWatches } from '../../../../src/system/systemd/watches.ts';
import { FakePid1 } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

test('whoever watches a unit learns of its changes, and of no other unit’s', async (t) => {
  const { fake, watch } = world(t);
  const a = watch('a.service');
  const b = watch('b.service');
  await heard(a, b);
  fake.change('a.service', (unit) => unit.enter('failed', 'failed'));
  await waitFor('a to be told', () => a.count === 2);
  fake.change('b.service', (unit) => unit.enter('failed', 'failed'));
  await waitFor('b to be told', () => b.count === 2);
  assert.equal(a.count, 2);
});

test('many changes at once are one call', async (t) => {
  const { fake, watch } = world(t);
  const a = watch('a.service');
  await heard(a);
  fake.step(() => {
    for (let round = 0; round < 100; round++)
      fake.signal(
        'PropertiesChanged',
        'a.service',
        'sa{sv}as',
        ['org.freedesktop.systemd1.Unit', [], []],
        unitPath('a.service'),
      );
  });
  await waitFor('it to be told', () => a.count > 1);
  fake.change('a.service', () => {});
  await waitFor('it to be told', () => a.count > 2);
  assert.ok(a.count < 20, String(a.count));
});

test('fifty units, each reported by itself', async (t) => {
  const { fake, watch } = world(t);
  const watched = Array.from({ length: 50 }, (_, index) => ({ unit: `u${index}.service`, told: watch(`u${index}.service`) }));
  await heard(...watched.map(({ told }) => told));
  await waitFor('a rule for each', () => fake.bus?.rules.length === 51);
  for (const { unit, told } of watched) {
    fake.change(unit, (one) => one.enter('failed', 'failed'));
    await waitFor(unit, () => told.count === 2);
  }
  assert.ok(watched.every(({ told }) => told.count === 2));
  assert.equal(fake.bus?.clients.length, 1);
  for (const { told } of watched.slice(0, 25)) told.stop();
  await waitFor('fewer rules', () => fake.bus?.rules.length === 26);
  for (const { unit } of watched) fake.change(unit, () => {});
  await waitFor('the others', () => watched.slice(25).every(({ told }) => told.count === 3));
  assert.ok(watched.slice(0, 25).every(({ told }) => told.count === 2));
});

test('two who watch one unit, and one of them no more', async (t) => {
  const { fake, watch } = world(t);
  const one = watch('a.service');
  const two = watch('a.service');
  await heard(one, two);
  assert.equal(fake.bus?.rules.length, 2);
  one.stop();
  one.stop();
  fake.change('a.service', () => {});
  await waitFor('the other', () => two.count === 2);
  assert.equal(one.count, 1);
});

test('how a unit ended is known: by a job, or by itself; not what happened before anybody listened', async (t) => {
  const { fake, watches, watch } = world(t);
  const limit = { timeoutMs: 5000 };
  fake.add('a.service', { state: 'active' });
  fake.change('a.service', (unit) => unit.enter('failed', 'failed'));
  fake.change('a.service', (unit) => unit.enter('active', 'running'));
  const a = watch('a.service');
  await heard(a);
  fake.change('a.service', () => {});
  assert.equal((await watches.seenEnd('a.service', limit))?.hadJob, undefined);

  fake.change('a.service', (unit) => {
    unit.job = { id: 7, verb: 'stop' };
  });
  fake.change('a.service', (unit) => unit.enter('deactivating', 'stop-sigterm'));
  fake.change('a.service', (unit) => {
    unit.job = undefined;
    unit.enter('inactive', 'dead');
  });
  const stopped = await watches.seenEnd('a.service', limit);
  assert.equal(stopped?.hadJob, true);

  fake.change('a.service', (unit) => unit.enter('active', 'running'));
  fake.change('a.service', (unit) => unit.enter('inactive', 'dead'));
  // The job of a start that came after it.
  fake.change('a.service', (unit) => {
    unit.job = { id: 8, verb: 'start' };
  });
  const ended = await watches.seenEnd('a.service', limit);
  assert.deepEqual([ended?.hadJob, (ended?.leftActiveMs ?? 0) > (stopped?.leftActiveMs ?? 0)], [false, true]);
  assert.deepEqual(watches.signalledEnd('a.service'), ended);

  a.stop();
  assert.equal(await watches.seenEnd('a.service', limit), undefined);
});

test('once nobody watches any more nothing is left open', async (t) => {
  const { fake, watches, watch } = world(t);
  const a = watch('a.service');
  const b = watch('b.service');
  await heard(a, b);
  assert.equal(watches.isWanted, true);
  a.stop();
  b.stop();
  assert.equal(watches.isWanted, false);
  await waitFor('the end', () => fake.bus?.clients.length === 0 && !watches.isConnected);
  // And then somebody does again.
  const again = watch('a.service');
  await heard(again);
  fake.change('a.service', () => {});
  await waitFor('it to be told', () => again.count === 2);
});

test('a watcher that comes at the moment when the last one goes', async (t) => {
  const { fake, watches, watch } = world(t);
  for (let round = 0; round < 5; round++) {
    const first = watch('a.service');
    if (round % 2 === 0) await waitFor('the bus', () => watches.isConnected);
    first.stop();
    const second = watch('b.service');
    await heard(second);
    const { count } = second;
    fake.change('b.service', () => {});
    await waitFor('it to be told', () => second.count > count);
    second.stop();
  }
  await waitFor('the end', () => fake.bus?.clients.length === 0);
});

test('a bus that is unavailable at first is tried again; then all are notified', async (t) => {
  const { fake, watches, watch } = world(t);
  fake.bus?.stop();
  const a = watch('a.service');
  const b = watch('b.service');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(watches.isConnected, false);
  assert.deepEqual([a.count, b.count], [0, 0]);
  fake.bus?.start();
  await heard(a, b);
  fake.change('b.service', () => {});
  await waitFor('b', () => b.count === 2);
});

test('a bus that goes away and comes back: all are notified, also of what was missed', async (t) => {
  const { fake, watches, watch } = world(t);
  const watched = Array.from({ length: 50 }, (_, index) => watch(`u${index}.service`));
  await heard(...watched);
  for (let round = 2; round < 5; round++) {
    fake.bus?.stop();
    await waitFor('it to be noticed', () => !watches.isConnected);
    fake.change('u7.service', (unit) => unit.enter('failed', 'failed'));
    fake.bus?.start();
    await waitFor('all', () => watched.every(({ count }) => count === round));
  }
  await waitFor('all rules', () => fake.bus?.rules.length === 51);
  fake.change('u7.service', () => {});
  await waitFor('one', () => watched[7]?.count === 5);
});

test('a PID 1 that re-executes itself: all are notified, and learn of the new one', async (t) => {
  const { fake, watches, watch } = world(t);
  const a = watch('a.service');
  await heard(a);
  fake.goAway();
  await waitFor('it to be noticed', () => !watches.isConnected);
  fake.comeBack();
  await waitFor('it to be told', () => a.count === 2);
  await heard(a);
  fake.change('a.service', () => {});
  await waitFor('it to be told of a change', () => a.count === 3);
});

test('a PID 1 whose name another one takes over at once', async (t) => {
  const { fake, watch } = world(t);
  const a = watch('a.service');
  await heard(a);
  fake.bus?.ownerBack();
  await waitFor('it to be told', () => a.count === 2);
  await heard(a);
  fake.change('a.service', () => {});
  await waitFor('it to be told of a change', () => a.count === 3);
});

test('a watcher that goes while the bus is being connected', async (t) => {
  const { fake, watches, watch } = world(t);
  fake.hush();
  const a = watch('a.service');
  await waitFor('it to be asked', () => fake.bus?.calls.length === 3);
  a.stop();
  await waitFor('the end', () => fake.bus?.clients.length === 0);
  assert.equal(watches.isConnected, false);
  fake.speak();
  const b = watch('b.service');
  await heard(b);
  assert.equal(a.count, 0);
});

interface Watch {
  /** How often it was told. */
  readonly count: number;
  stop(): void;
  /** It was told once, and the bus knows that it wants to be told. */
  readonly isHeard: boolean;
}

async function heard(...watched: readonly Watch[]): Promise<void> {
  await waitFor('all to be told at first', () => watched.every(({ isHeard }) => isHeard));
}

function world(t: TestContext): {
  readonly fake: FakePid1;
  readonly watches: UnitWatches;
  readonly watch: (unit: string) => Watch;
} {
  const fake = FakePid1.open(t);
  const watches = new UnitWatches(fake.addresses.bus);
  const stops: (() => void)[] = [];
  fake.atEnd(() => {
    for (const stop of stops) stop();
  });
  const watch = (unit: string): Watch => {
    if (fake.unit(unit) === undefined) fake.add(unit, { state: 'active' });
    const one = {
      count: 0,
      stop: () => {},
      get isHeard(): boolean {
        return one.count > 0 && fake.bus?.rules.some((rule) => rule.endsWith(`path='${unitPath(unit)}'`)) === true;
      },
    };
    one.stop = watches.add(unit, () => {
      one.count++;
    });
    stops.push(one.stop);
    return one;
  };
  return { fake, watches, watch };
}
