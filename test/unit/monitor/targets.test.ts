import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MonitorWorld } from '../../helpers/monitor-world.ts';

test('of several sections that mean one target the first in the file rules; both alarms end with it', async () => {
  const world = new MonitorWorld();
  world.processes.set('first', { target: 'unit', configured: true, settings: { maxAttempts: 1 } });
  world.alarm(2, 'second', { target: 'unit', configured: true });
  await world.poll();
  assert.deepEqual(world.restarts, ['first']);
  assert.match(world.log(), /second is unit, and the settings of \[process\.first\] apply to it/);
  assert.equal(world.rows.get('2')?.alarma, false);
  assert.deepEqual(
    world.seen('recovery_shared').map(({ process, leaderName }) => [process.processName, leaderName]),
    [['second', 'first']],
  );
});

test('a name is ruled by nobody but a section of its own target', async () => {
  const world = new MonitorWorld();
  world.processes.set('other', { target: 'another', configured: true });
  world.processes.set('later', { target: 'unit', configured: true });
  world.alarm(1, 'unconfigured', { target: 'unit' });
  await world.poll();
  assert.deepEqual(world.restarts, ['later']);
  world.processes.set('later', { target: 'elsewhere', configured: true });
  world.targets.forget();
  world.alarm(1, 'unconfigured', { target: 'unit' });
  await world.poll();
  assert.deepEqual(world.restarts, ['later', 'unconfigured']);
});
