import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryOf } from '../../helpers/journal-entry.ts';
import { memoryState } from '../../helpers/memory-state.ts';
import { MonitorWorld } from '../../helpers/monitor-world.ts';

test('a pre_restart_command is written down before it starts, too', async () => {
  const world = new MonitorWorld();
  world.alarm(1, 'web', { settings: { preRestartCommand: 'check' } });
  let entries: string[] = [];
  world.commandResult = ({ runId }) => {
    entries = world.state.journal.list().map((entry) => entry.runId);
    assert.deepEqual(entries, [runId]);
    return { kind: 'exited', exitCode: 1, output: '' };
  };
  await world.poll();
  assert.equal(entries.length, 1);
  assert.deepEqual(world.state.journal.list(), []);
});

test('the entry of an earlier life is removed when its run has ended, also if the target has changed, or the breaker is open', async () => {
  const alarms = [{ source: 'store' as const, key: 'row 1', processName: 'web', notes: 'old', notesDigest: null }];
  const moved = memoryState();
  moved.journal.begin({ ...entryOf('old-target'), alarms });
  const world = new MonitorWorld({}, moved);
  world.alarm(1, 'web');
  await world.poll();
  assert.deepEqual(moved.journal.list(), []);

  const refused = memoryState();
  refused.journal.begin({ ...entryOf('web'), alarms });
  refused.breakers.save('web', 'web', { state: 'open', failures: 3, reopenAtMs: 9_000_000, successesMs: [], exitsMs: [] });
  const skipping = new MonitorWorld({}, refused);
  skipping.alarm(1, 'web');
  await skipping.poll();
  assert.deepEqual(skipping.restarts, []);
  assert.deepEqual(refused.journal.list(), []);
});
