import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { unitStarter } from '../../../../src/probes/worker/start-unit.ts';
import { Pid1 } from '../../../../src/system/systemd/pid1.ts';
import { FakePid1 } from '../../../helpers/pid1/fake-pid1.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

// The worker's unit as PID 1 gets it; what it does there is in test/system/inside/worker.ts.

const PROGRAM = { folder: '/opt/monitor_service/dist', entry: 'chunks/worker.js' };

function open(t: TestContext, version: number) {
  const fake = FakePid1.open(t, { version });
  const pid1 = new Pid1({ addresses: fake.addresses });
  fake.atEnd(() => pid1.close());
  fake.onProgram = () => {};
  return { fake, start: unitStarter(pid1, PROGRAM, 'monitor_service.service') };
}

/** How many times PID 1 was asked, and the unit that it has started. */
function started(fake: FakePid1) {
  const calls = fake.callsOf('StartTransientUnit');
  const unit = String(calls[0]?.values[0]);
  assert.match(unit, new RegExp(`^monitor_service-worker-${process.pid}-\\d+\\.service$`));
  return { calls: calls.length, program: fake.program(unit) ?? assert.fail('it does not run') };
}

test('its sandbox, and its end with ours', async (t) => {
  const { fake, start } = open(t, 252);
  const result = await start();
  assert(result.kind === 'started');
  const { calls, program } = started(fake);
  assert.equal(calls, 1);
  assert.deepEqual(program.argv, [
    '/run/monitor_service/node',
    '--disable-sigusr1',
    '--no-warnings',
    '--jitless',
    '--max-semi-space-size=1',
    '--optimize-for-size',
    '--max-old-space-size=192',
    '/run/monitor_service/program/chunks/worker.js',
  ]);
  assert.deepEqual(program.property('BindsTo'), ['monitor_service.service']);
  for (const name of ['DynamicUser', 'NoNewPrivileges', 'ProtectProc', 'PrivateIPC', 'MemoryDenyWriteExecute'])
    assert(program.has(name), name);
  result.worker.kill();
  const killed = await waitFor('an order to kill', () => fake.callsOf('KillUnit')[0]);
  assert.deepEqual(killed.values.slice(1), ['all', 9]);
  await result.worker.ended;
});

test('an older systemd gets what it knows, and nothing less', async (t) => {
  const { fake, start } = open(t, 239);
  const result = await start();
  assert(result.kind === 'started');
  t.after(() => result.worker.kill());
  const { calls, program } = started(fake);
  assert.equal(calls, 8, 'seven properties are newer');
  for (const name of ['DynamicUser', 'NoNewPrivileges', 'CapabilityBoundingSet', 'ProtectSystem', 'SystemCallFilter'])
    assert(program.has(name), name);
  assert(!program.has('ProtectProc'));
});

test('what every systemd knows is not left out: it does not run without', async (t) => {
  const { fake, start } = open(t, 252);
  fake.refuse('StartTransientUnit', ['a.b', 'Cannot set property DynamicUser, or unknown property.']);
  assert.deepEqual(await start(), {
    kind: 'not_started',
    reason: 'Cannot set property DynamicUser, or unknown property.',
  });
  assert.equal(fake.callsOf('StartTransientUnit').length, 1);
});

test('a systemd that does not answer is the reason', async (t) => {
  const { fake, start } = open(t, 252);
  fake.goAway();
  const result = await start();
  assert(result.kind === 'not_started');
});
