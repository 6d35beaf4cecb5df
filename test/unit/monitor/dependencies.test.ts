import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MonitorWorld } from '../../helpers/monitor-world.ts';

const SICK = { settings: { maxAttempts: 1 }, restart: () => ({ kind: 'failed', reason: 'no' }) as const };

/** A world whose loop runs, where `billing` has failed once and `dep`, not in alarm yet, depends on it. */
async function failedOnce(maxRestartFailures = 1): Promise<MonitorWorld> {
  const world = new MonitorWorld({ maxRestartFailures });
  world.alarm(1, 'billing', SICK);
  void world.monitor.run(world.stopping.signal);
  await world.clock.until(() => world.seen('recovery_failed').length === 1);
  world.processes.set('dep', { settings: { dependsOn: ['billing'] } });
  return world;
}

/** As an order raises it. */
async function raise(world: MonitorWorld, id: number, name: string): Promise<void> {
  world.alarm(id, name);
  world.book.retry(name);
  world.monitor.wake();
  await world.clock.advance(10);
}

/** What is foreseen for `dep`, and why it was then skipped. */
async function foreseenAndSeen(world: MonitorWorld): Promise<(string | undefined)[]> {
  const foreseen = await world.foresight.foreseeBlock('dep');
  await raise(world, 2, 'dep');
  const seen = world.skipReason('row 2');
  world.stopping.abort();
  return [foreseen, seen];
}

const NOT_WELL = 'it depends on billing, which is not well';

const CASES: Record<
  string,
  { readonly now: (world: MonitorWorld) => Promise<void> | void; readonly reason: string | undefined }
> = {
  'it failed, and its breaker is open': { now: () => {}, reason: `${NOT_WELL}: no` },
  'it failed, and its breaker was closed by hand': {
    now: (world) => void world.breakers.reset('billing'),
    reason: `${NOT_WELL}: no`,
  },
  'it was raised again, and its breaker is open': {
    now: (world) => raise(world, 1, 'billing'),
    reason: `${NOT_WELL}: circuit breaker open`,
  },
  'it was raised again, and its breaker was closed by hand': {
    now: async (world) => {
      await raise(world, 1, 'billing');
      assert.equal(world.skipReason('row 1'), 'circuit breaker open');
      world.breakers.reset('billing');
      world.processes.set('billing', {});
    },
    reason: undefined,
  },
  'it is on hold': {
    now: async (world) => {
      world.holds.set('billing', undefined, 'moving');
      await raise(world, 1, 'billing');
    },
    reason: `${NOT_WELL}: on hold: moving`,
  },
  'it waits itself for one on hold, and nobody has looked yet': {
    now: (world) => {
      world.book.retry('billing');
      world.breakers.reset('billing');
      world.processes.set('billing', { settings: { dependsOn: ['db', 'dep'] } });
      world.alarm(3, 'db', {});
      world.holds.set('db', undefined, '');
    },
    reason: `${NOT_WELL}: it depends on db, which is not well: on hold`,
  },
  'it has no unit': {
    now: (world) => {
      world.book.retry('billing');
      world.processes.set('billing', { refused: 'there is no such unit' });
    },
    reason: `${NOT_WELL}: there is no such unit`,
  },
  'its alarm has ended': {
    now: (world) => void Object.assign(world.rows.get('1') ?? {}, { alarma: false }),
    reason: undefined,
  },
  'it is left alone': {
    now: (world) => {
      world.processes.set('dep', { configured: true, settings: { dependsOn: ['billing'] } });
      world.settings = { ...world.settings, onlyConfigured: true };
      world.book.retry('billing');
    },
    reason: undefined,
  },
};

for (const [when, { now, reason }] of Object.entries(CASES))
  test(`what an alarm comes to is foreseen as its handling judges what it depends on: ${when}`, async () => {
    const world = await failedOnce();
    await now(world);
    assert.deepEqual(await foreseenAndSeen(world), [reason, reason]);
  });

test('nothing is foreseen of what it depends on while that is being recovered, and nothing in mode = observe', async () => {
  const world = await failedOnce(100);
  world.processes.set('billing', { restartMs: 5000 });
  await raise(world, 1, 'billing');
  assert.deepEqual(await foreseenAndSeen(world), [undefined, undefined]);
  const observing = await failedOnce();
  observing.settings = { ...observing.settings, mode: 'observe' };
  assert.equal(await observing.foresight.foreseeBlock('dep'), undefined);
  observing.stopping.abort();
});
