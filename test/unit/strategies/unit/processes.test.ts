import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { ServiceStrategy } from '../../../../src/strategies/unit/strategy.ts';
import type { ProcessTable } from '../../../../src/system/proc/table.ts';
import type { UnitProgram, UnitStatus } from '../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd, type FakeUnitOptions } from '../../../helpers/fake-systemd.ts';
import { strategyMemory } from '../../../helpers/memory-state.ts';
import { attemptOn, managed, never, settled, silentLog } from '../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const GROUP = '/system.slice/legacyd.service';
const EXITED = { activeState: 'active', subState: 'exited', mainPid: 0, controlGroup: GROUP } as const;
const HOLLOW = 'legacyd.service is active (exited), but none of its processes runs any more';

/** legacyd.service, which stays active without processes; `pids`: those in its control group. */
function world(t: TestContext, options: FakeUnitOptions = {}, own: { readonly stableTimeMs?: number } = {}) {
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const file = join(tempDir(t), 'legacyd.service');
  writeFileSync(file, '');
  const unit = systemd.add('legacyd.service', {
    type: 'oneshot',
    remainAfterExit: true,
    program: { definedBy: file },
    ...options,
  });
  const pids = new Set<number>();
  const seen = (pid: number) => ({ pid, startTime: pid, state: 'S', threads: 1, cgroup: GROUP, ppid: pid - 1 });
  const table = {
    read: (pid: number) => (pids.has(pid) ? seen(pid) : undefined),
    survey: async () => [...pids].map(seen),
  } as unknown as ProcessTable;
  const memory = strategyMemory();
  const create = () => {
    const limits = { hasOwnSection: true, commandTimeoutMs: 60_000, healthCheckTimeoutMs: 5000, stableTimeMs: 1000, ...own };
    return new ServiceStrategy(limits, { services: systemd, clock, log: silentLog, ...memory, table });
  };
  const strategy = create();
  const legacyd = managed('legacyd');
  return {
    clock,
    systemd,
    unit,
    file,
    pids,
    strategy,
    create,
    set: (change: Partial<UnitStatus>) => unit.set({ ...EXITED, ...change }),
    isHollow: async (by = strategy) => {
      const running = await by.findRunning(legacyd, never);
      assert(running.kind === 'found', JSON.stringify(running));
      return running.isHollow === true;
    },
    restart: () => settled(clock, strategy.restart(attemptOn(legacyd))),
    health: () => settled(clock, strategy.checkHealth(legacyd, 5000, never)),
    observe: (by = strategy) => by.observeUnit(legacyd, never),
  };
}

test('a unit that was never seen with processes is well without', async (t) => {
  const { set, isHollow, restart, health } = world(t);
  set({});
  assert.equal(await isHollow(), false);
  assert.equal((await restart()).kind, 'restarted');
  assert.deepEqual(await health(), { kind: 'healthy' });
});

test('what runs a reload is not what the unit is there for, once its main process has ended', async (t) => {
  const reloading = { activeState: 'reloading', subState: 'reload', mainPid: 0, controlGroup: GROUP } as const;
  const runs = async (program: Partial<UnitProgram>) => {
    const { unit, pids, strategy } = world(t, { type: 'forking', program });
    for (const pid of [11, 12, 13]) pids.add(pid);
    unit.set(reloading);
    const running = await strategy.findRunning(managed('legacyd'), never);
    assert(running.kind === 'found', JSON.stringify(running));
    return running.processes.map(({ pid }) => pid);
  };
  assert.deepEqual(await runs({ lastMainPid: 10, controlPid: 12 }), []);
  assert.deepEqual(await runs({ lastMainPid: 10, controlPid: 12, outlivesMain: true }), [11]);
  assert.deepEqual(await runs({ controlPid: 12 }), [11]);
  assert.deepEqual(await runs({}), [11, 12, 13]);
  const { unit, pids, health } = world(t, { type: 'forking', remainAfterExit: false, program: { lastMainPid: 10 } });
  pids.add(12);
  unit.set(reloading);
  assert.deepEqual(await health(), {
    kind: 'unhealthy',
    reason: 'legacyd.service is reloading, and its main process has ended',
  });
});

test('processes that were seen while it was active are missed when they have ended, also by the next daemon', async (t) => {
  const { set, pids, isHollow, restart, health, create } = world(t);
  set({});
  pids.add(11);
  assert.equal(await isHollow(), false);
  pids.clear();
  assert.equal(await isHollow(), true);
  assert.equal(await isHollow(create()), true);
  assert.deepEqual(await health(), { kind: 'unhealthy', reason: HOLLOW });
  const outcome = await restart();
  assert.ok(outcome.kind === 'failed' && outcome.reason.startsWith(HOLLOW), JSON.stringify(outcome));
});

test('processes of its start, a main process that may be a script, and those of a stop that has begun since do not count', async (t) => {
  const { set, pids, isHollow, unit, systemd, clock } = world(t);
  set({ activeState: 'activating', subState: 'start', mainPid: 11 });
  pids.add(11);
  await isHollow();
  set({ activeState: 'active', subState: 'running', mainPid: 11, type: 'simple' });
  await isHollow();
  set({});
  const program = systemd.program.bind(systemd);
  systemd.program = async (...asked) => {
    set({ activeState: 'deactivating', subState: 'stop', type: 'oneshot' });
    return program(...asked);
  };
  await isHollow();
  // Restarted while it was looked at.
  await clock.advance(10);
  systemd.program = async (...asked) => {
    const told = await program(...asked);
    return told.kind === 'known' ? { ...told, program: { ...told.program, beganMs: unit.status().changedMs + 5 } } : told;
  };
  set({});
  await isHollow();
  systemd.program = program;
  pids.clear();
  set({});
  assert.equal(await isHollow(), false);
});

test('the main process of a type that is a daemon’s counts, and a unit that runs though nothing is seen of it', async (t) => {
  const forking = world(t, { type: 'forking' });
  forking.set({ subState: 'running', mainPid: 11 });
  forking.pids.add(11);
  await forking.isHollow();
  forking.pids.clear();
  forking.set({});
  assert.equal(await forking.isHollow(), true);

  const brief = world(t, { type: 'forking' });
  brief.set({ subState: 'running' });
  await brief.isHollow();
  brief.set({});
  assert.equal(await brief.isHollow(), true);
});

test('another file, or another text of it, makes another unit', async (t) => {
  const { set, pids, isHollow, file, health } = world(t);
  set({});
  pids.add(11);
  await isHollow();
  pids.clear();
  utimesSync(file, 1, 1);
  assert.equal(await isHollow(), false);
  assert.deepEqual(await health(), { kind: 'healthy' });
});

test('what dies within stable_time has not lasted, even if nothing was known of it before', async (t) => {
  const { set, pids, clock, strategy, isHollow } = world(t, {}, { stableTimeMs: 3000 });
  set({});
  pids.add(11);
  const life = await strategy.life(managed('legacyd'), never);
  const proof = strategy.checkHealth(managed('legacyd'), 7000, never);
  await clock.advance(300);
  pids.clear();
  const reason = HOLLOW.replace('legacyd.service is', 'legacyd.service does not last: it is');
  assert.deepEqual(await settled(clock, proof), { kind: 'unhealthy', reason });
  assert.equal(await life?.ended(never), reason);
  assert.equal(await isHollow(), true);
});

test('while all is well it is looked at now and then, and not in its first seconds', async (t) => {
  const { set, pids, clock, observe, create, isHollow, systemd } = world(t);
  set({});
  pids.add(11);
  assert.equal(await observe(), 10_000);
  pids.clear();
  assert.equal(await isHollow(), false);
  await clock.advance(10_000);
  pids.add(11);
  const observer = create();
  await observe(observer);
  const asked = systemd.shows;
  await observe(observer);
  assert.equal(systemd.shows, asked, 'nothing is left to be seen for some time');
  pids.clear();
  assert.equal(await isHollow(), true);
});

test('of a unit that does not stay active without processes nothing else is asked', async (t) => {
  const { set, observe, systemd } = world(t);
  set({ remainsAfterExit: false, subState: 'running', mainPid: 7 });
  await observe();
  assert.equal(systemd.shows, 0);
});

test('if systemd does not answer, that is neither well nor an end', async (t) => {
  const { set, pids, strategy, systemd, health, isHollow } = world(t);
  set({});
  pids.add(11);
  await isHollow();
  pids.clear();
  systemd.program = async () => ({ kind: 'failed', reason: 'no answer' });
  assert.equal((await strategy.findRunning(managed('legacyd'), never)).kind, 'unknown');
  assert.equal((await health()).kind, 'unhealthy');
});
