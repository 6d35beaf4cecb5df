import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopTrees } from '../../../src/strategies/process/actions/stop-trees.ts';
import { ProcessStrategy } from '../../../src/strategies/process/strategy.ts';
import type { RestartOutcome, StrategyParts } from '../../../src/strategies/strategy.ts';
import { nothingKnown, permitBeside } from '../../../src/strategies/unit/programs/beside.ts';
import { serviceStrategy } from '../../../src/strategies/unit/strategy.ts';
import { ProcessTable } from '../../../src/system/proc/table.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { FakeSystemd, noUnit } from '../../helpers/fake-systemd.ts';
import { memoryState } from '../../helpers/memory-state.ts';
import { noSystemd } from '../../helpers/process-strategy-world.ts';
import { attemptOn, FakeCommands, managed, never, silentLog } from '../../helpers/strategy-parts.ts';
import { clockOf, WorldClock } from '../../simulate/clock.ts';
import { SimulatedKernel } from '../../simulate/kernel.ts';
import { Life } from '../../simulate/life.ts';

// Each was found by the simulation (test/simulate): no descriptor is left to read /proc by, and nothing that is seen there runs.

test('a program whose end cannot be seen is not started again', async () => {
  const world = new WorldClock();
  const kernel = new SimulatedKernel(world);
  const life = new Life(1, () => {});
  const table = kernel.table(life);
  const clock = clockOf(
    world,
    () => true,
    () => {},
  );
  const { launches, pins, roots, unitsWithProcesses } = memoryState();
  let launched = 0;
  const parts: StrategyParts = {
    ...{ clock, launches, pins, roots, unitsWithProcesses, table, log: silentLog, requirePin: false },
    commands: new FakeCommands(),
    services: noSystemd,
    look: () => Promise.reject(new Error('nobody looks so')),
    programs: {
      starter: 1,
      unready: async () => undefined,
      launch: async () => {
        launched++;
        return { kind: 'launched', pid: undefined };
      },
      retire: async () => undefined,
    },
  };
  const options = {
    ...{ configured: true, startCommand: 'start web', stopCommand: undefined, stopSignal: 15, stopTimeoutMs: 2000 },
    ...{ supervisorWaitMs: 0, maxMatches: 1, user: undefined, anyUser: false, pidFile: undefined, argument: undefined },
    ...{ commandTimeoutMs: 10_000, stableTimeMs: 0 },
  };
  // It does not end at once.
  const program = kernel.spawn({ name: 'web', program: 'web', termMs: 60_000 });
  kernel.onSignal = () => {
    kernel.isUnreadable = true;
  };
  let outcome: RestartOutcome | undefined;
  void new ProcessStrategy(options, parts, table).restart(attemptOn(managed('web'))).then((result) => {
    outcome = result;
  });
  // On a busy machine it pauses for other work, and the world's time goes on meanwhile.
  while (outcome === undefined) await world.pass(1000);
  assert.deepEqual([outcome.kind, launched, program.isAlive], ['failed', 0, true]);
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', /cannot be read/);
});

test('that nothing is seen does not prove that what was stopped has ended', async () => {
  const clock = new FakeClock();
  const table = new ProcessTable('/nonexistent');
  const root = { pid: 5_000_000, startTime: 1 };
  const tree = { root, descendants: [], orphaned: false, by: 'name' } as never;
  let ended: unknown;
  const parts = { table, clock, services: noSystemd, ownPid: process.pid };
  void stopTrees([tree], undefined, 1000, parts, never).then((result) => {
    ended = result;
  });
  await clock.until(() => ended !== undefined);
  const reason = 'whether its processes have ended is not known: /proc cannot be read';
  assert.deepEqual(ended, { kind: 'failed', reason });
});

test('it does not prove either that a program does not run beside its unit', async () => {
  const services = new FakeSystemd(new FakeClock());
  services.add('web.service', { program: { path: '/opt/web', argv: ['/opt/web'] } });
  const table = new ProcessTable('/nonexistent');
  const permission = await permitBeside({ services, table }, { ...noUnit, id: 'web.service' }, nothingKnown, never);
  assert.equal(permission.kind, 'unanswered');
});

test('of a unit that systemd says nothing of it is not known that it is not well', async () => {
  const clock = new FakeClock();
  const services = new FakeSystemd(clock);
  services.add('web.service', { state: 'active' });
  const { unitsWithProcesses } = memoryState();
  const table = new ProcessTable('/nonexistent');
  const options = { hasOwnSection: true, commandTimeoutMs: 1000, healthCheckTimeoutMs: 1000, stableTimeMs: 0 };
  const strategy = serviceStrategy.create(options, { services, clock, log: silentLog, unitsWithProcesses, table } as never);
  services.silent = 'no answer';
  const health = await strategy.checkHealth(managed('web'), 1000, never);
  assert.deepEqual([health.kind, health.kind === 'unhealthy' && health.unseen], ['unhealthy', true]);
});
