import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransitWatch } from '../../../../../src/detectors/exits/watch/unit-transit.ts';
import type { UnitStatus } from '../../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { noUnit } from '../../../../helpers/fake-systemd.ts';
import { never } from '../../../../helpers/strategy-parts.ts';

/** A watch of a unit that stands as `at` says. */
function watching(first: Partial<UnitStatus>) {
  const clock = new FakeClock();
  let status: UnitStatus = { ...noUnit, id: 'a.service', type: 'notify', ...first };
  let settled = 0;
  const watch = new TransitWatch({
    services: {
      show: async (unit) => {
        assert.equal(unit, status.id);
        return { kind: 'status', status };
      },
      restartDue: async () => ({ kind: 'known', dueMs: 600_000 }),
    },
    clock,
    onSettled: () => void settled++,
    signal: never,
  });
  return {
    clock,
    watch,
    note: () => watch.note(status),
    become: (next: Partial<UnitStatus>) => {
      status = { ...status, ...next };
    },
    settled: () => settled,
  };
}

test('what is under way is followed to its end, whether or not it is reported', async () => {
  const { clock, watch, note, become, settled } = watching({ activeState: 'activating', changedMs: 5 });
  await note();
  assert.deepEqual(watch.current, { kind: 'starting', unit: 'a.service', sinceMs: 5 });
  become({ activeState: 'activating', subState: 'auto-restart', result: 'exit-code' });
  await clock.until(() => watch.current?.kind === 'ended');
  assert.deepEqual(watch.current, { kind: 'ended', unit: 'a.service', result: 'exit-code', dueMs: 600_000 });
  become({ activeState: 'active', subState: 'running' });
  await clock.until(() => settled() === 1);
  assert.equal(watch.current, undefined);
});

test('a unit that was up is looked at when something of it changes', async () => {
  const { clock, watch, note, become, settled } = watching({ activeState: 'active', mainPid: 7 });
  await note();
  assert.equal(watch.current, undefined);
  become({ activeState: 'deactivating', changedMs: 9 });
  watch.onChange();
  await clock.until(() => watch.current !== undefined);
  assert.deepEqual(watch.current, { kind: 'stopping', unit: 'a.service', sinceMs: 9 });
  become({ activeState: 'inactive' });
  watch.onChange();
  await clock.until(() => watch.current === undefined);
  assert.ok(settled() <= 1);
});

test('what rests, is up, or does its work and ends is under way to nowhere', async () => {
  for (const [status, kind] of [
    [{ activeState: 'active' }, undefined],
    [{ activeState: 'reloading' }, undefined],
    [{ activeState: 'inactive' }, undefined],
    [{ activeState: 'failed' }, undefined],
    [{ activeState: 'inactive', hasJob: true }, 'queued'],
    [{ activeState: 'failed', hasJob: true }, 'queued'],
    [{ activeState: 'activating', type: 'oneshot', mainPid: 7 }, undefined],
    [{ activeState: 'activating', type: 'oneshot', mainPid: 0 }, 'starting'],
    [{ activeState: 'activating', type: 'oneshot', mainPid: 7, remainsAfterExit: true }, 'starting'],
    [{ activeState: 'activating', subState: 'auto-restart-queued' }, 'ended'],
    [{ activeState: 'deactivating', mainPid: 7 }, 'stopping'],
  ] as const) {
    const { watch, note } = watching(status);
    await note();
    assert.equal(watch.current?.kind, kind, JSON.stringify(status));
  }
});

test('a unit that is no longer monitored is no longer asked about, and the next one is followed', async () => {
  const { clock, watch, note, become, settled } = watching({ activeState: 'deactivating', changedMs: 9 });
  await note();
  assert.equal(watch.current?.kind, 'stopping');
  // While the next look is waited for, no unit is monitored any more: that must end the following, not the daemon.
  await watch.note(undefined);
  assert.equal(watch.current, undefined);
  await clock.until(() => settled() === 1);
  become({ id: 'b.service', activeState: 'activating', changedMs: 12 });
  await note();
  assert.deepEqual(watch.current, { kind: 'starting', unit: 'b.service', sinceMs: 12 });
  become({ activeState: 'active' });
  await clock.until(() => watch.current === undefined);
});
