import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type ExitWatchTarget, ProcessExitDetector, type ProcessExitParts } from '../../../../src/detectors/exits/detector.ts';
import { parseRunningWatch } from '../../../../src/detectors/exits/options.ts';
import type { ProcessIdentity } from '../../../../src/system/proc/table.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import type { RunningProcesses } from '../../../../src/system/systemd/running-processes.ts';
import type { UnitStatus } from '../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { endOf, noUnit } from '../../../helpers/fake-systemd.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { quietDetectorParts } from '../../../helpers/quiet-detector-parts.ts';
import { FakeSection } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const NEVER_RAN = 'app: not running since the start of monitor_service';
const unknown: RunningProcesses = { kind: 'unknown', reason: 'systemd does not answer' };

/** What a look finds. */
function running(processes: readonly ProcessIdentity[] = [], status?: Partial<UnitStatus>): RunningProcesses {
  return { kind: 'found', key: 'app', processes, unit: undefined, status: status && { ...noUnit, ...status } };
}

/** A detector on `app`, which is as `world.now` says, with a clock that the test moves. */
function ensuring(t: TestContext, bootGraceMs = 30_000, changes: Partial<ProcessExitParts> = {}) {
  const clock = new FakeClock();
  const alarms: string[] = [];
  const world = {
    now: running(),
    bootGraceMs: bootGraceMs as number | undefined,
    former: undefined as ExitWatchTarget['former'],
  };
  const detector = new ProcessExitDetector({
    ...quietDetectorParts(),
    table: new ProcessTable(),
    services: {
      available: false,
      watch: () => () => {},
      show: async () => ({ kind: 'failed', reason: 'no systemd' }),
      restartDue: async () => ({ kind: 'failed', reason: 'no systemd' }),
      end: async () => {
        const status = world.now.kind === 'found' ? world.now.status : undefined;
        return status ? { kind: 'known', end: endOf(status) } : { kind: 'failed', reason: 'no systemd' };
      },
      signalledEnd: () => undefined,
    },
    clock,
    raiser: { raise: async (processName, notes) => void alarms.push(`${processName}: ${notes}`) },
    targets: () => [
      {
        name: 'app',
        systemName: 'app',
        bootGraceMs: world.bootGraceMs,
        ...(world.former && { former: world.former }),
        find: async () => world.now,
      },
    ],
    ...changes,
  });
  t.after(() => detector.stop());
  return { clock, alarms, world, detector };
}

/** A real process, which the detector can watch. */
async function living(t: TestContext): Promise<ProcessIdentity> {
  const zoo = openZoo(t);
  const pid = await zoo.start(zoo.sleeper('ensured'));
  const seen = new ProcessTable().read(pid, ['startTime']);
  assert.ok(seen);
  return { pid, startTime: seen.startTime };
}

test('what does not run by the end of its grace raises its alarm, once', async (t) => {
  const { clock, alarms, detector } = ensuring(t);
  detector.start();
  await clock.advance(29_900);
  assert.deepEqual(alarms, []);
  await clock.advance(200);
  assert.deepEqual(alarms, [NEVER_RAN]);
  await clock.advance(600_000);
  assert.deepEqual(alarms, [NEVER_RAN]);
});

test('with no grace it is raised at once; without ensure_running, or after the stop, never', async (t) => {
  const atOnce = ensuring(t, 0);
  atOnce.detector.start();
  await atOnce.clock.advance(100);
  assert.deepEqual(atOnce.alarms, [NEVER_RAN]);
  const free = ensuring(t);
  free.world.bootGraceMs = undefined;
  free.detector.start();
  await free.clock.advance(600_000);
  const ended = ensuring(t);
  ended.detector.start();
  await ended.detector.stop();
  await ended.clock.advance(600_000);
  assert.deepEqual([free.alarms, ended.alarms], [[], []]);
});

test('what runs by then raises nothing, whenever it came', async (t) => {
  const process = await living(t);
  const { clock, alarms, world, detector } = ensuring(t);
  detector.start();
  await clock.advance(29_000);
  world.now = running([process]);
  await clock.advance(600_000);
  assert.deepEqual(alarms, []);
});

test('if it is not known whether it runs, it is looked at again until it is', async (t) => {
  const away = ensuring(t);
  away.world.now = unknown;
  away.detector.start();
  await away.clock.advance(600_000);
  assert.deepEqual(away.alarms, []);
  away.world.now = running();
  await away.clock.advance(2_000);
  assert.deepEqual(away.alarms, [NEVER_RAN]);

  const back = ensuring(t);
  back.world.now = unknown;
  back.detector.start();
  await back.clock.advance(60_000);
  back.world.now = running([await living(t)]);
  await back.clock.advance(600_000);
  assert.deepEqual(back.alarms, []);
});

test('a unit on its way is waited for, one that is active without a process runs, and one that is down does not', async (t) => {
  const judged = async (status: Partial<UnitStatus>): Promise<number> => {
    const { clock, alarms, world, detector } = ensuring(t);
    world.now = running([], status);
    detector.start();
    await clock.advance(120_000);
    return alarms.length;
  };
  assert.equal(await judged({ activeState: 'inactive' }), 1);
  assert.equal(await judged({ activeState: 'failed', result: 'exit-code' }), 1);
  assert.equal(await judged({ activeState: 'activating', subState: 'auto-restart' }), 0);
  assert.equal(await judged({ activeState: 'deactivating' }), 0);
  assert.equal(await judged({ activeState: 'inactive', hasJob: true }), 0);
  assert.equal(await judged({ activeState: 'active', subState: 'exited' }), 0);
});

test('a recovery that is under way is waited for', async (t) => {
  let recovering = true;
  const { clock, alarms, detector } = ensuring(t, 30_000, { isRecovering: () => recovering });
  detector.start();
  await clock.advance(60_000);
  assert.deepEqual(alarms, []);
  recovering = false;
  await clock.advance(2_000);
  assert.deepEqual(alarms, [NEVER_RAN]);
});

test('an alarm that stands already is left as it is, also over a reload', async (t) => {
  const { clock, alarms, detector } = ensuring(t, 30_000, { isInAlarm: () => true });
  detector.start();
  await clock.advance(60_000);
  detector.reconfigure();
  await clock.advance(600_000);
  assert.deepEqual(alarms, []);
});

test('what ended while no daemon ran raises that alarm, and no other', async (t) => {
  const { clock, alarms, world, detector } = ensuring(t);
  world.former = { pid: 2 ** 22 - 1, since: new Date(), unit: undefined };
  detector.start();
  await clock.advance(600_000);
  assert.deepEqual(
    alarms.map((alarm) => alarm.replace(/ \(.*/, '')),
    ['app: ended while monitor_service was not running'],
  );
});

test('what dies within its grace raises the alarm of its death alone', async (t) => {
  const life = await living(t);
  const { clock, alarms, world, detector } = ensuring(t);
  world.now = running([life]);
  detector.start();
  await clock.advance(1000);
  world.now = running();
  process.kill(life.pid, 'SIGKILL');
  await waitFor('an alarm', async () => {
    await clock.advance(10);
    return alarms.length > 0;
  });
  await clock.advance(600_000);
  assert.match(alarms.join(), /^app: (?:signal SIGKILL|unknown cause) \(pid [^:]*(?::\d\d){2}\)$/);
});

test('a reload begins a grace for what does not run, newly ensured or not, and for nothing else', async (t) => {
  const life = await living(t);
  const { clock, alarms, world, detector } = ensuring(t);
  world.bootGraceMs = undefined;
  detector.start();
  await clock.advance(100_000);
  world.bootGraceMs = 30_000;
  detector.reconfigure();
  await clock.advance(20_000);
  detector.reconfigure();
  await clock.advance(20_000);
  assert.deepEqual(alarms, [], 'the second reload gave it as long again');
  await clock.advance(10_100);
  assert.deepEqual(alarms, [NEVER_RAN]);
  detector.reconfigure();
  await clock.advance(30_100);
  assert.deepEqual(alarms, [NEVER_RAN, NEVER_RAN]);

  world.now = running([life]);
  detector.reconfigure();
  await clock.advance(600_000);
  assert.equal(alarms.length, 2);
});

test('what a reload adds, nobody has looked at before: its notes say that it does not run since the reload', async (t) => {
  const none: ExitWatchTarget[] = [];
  let targets = none;
  const { clock, alarms, detector } = ensuring(t, 30_000, { targets: () => targets });
  detector.start();
  await clock.advance(1000);
  targets = [{ name: 'app', systemName: 'app', bootGraceMs: 30_000, find: async () => running() }];
  detector.reconfigure();
  await clock.advance(30_100);
  assert.deepEqual(alarms, ['app: not running since the configuration was reloaded']);

  const first = ensuring(t);
  first.detector.start(true);
  await first.clock.advance(30_100);
  assert.deepEqual(first.alarms, ['app: not running since the configuration was reloaded']);
});

test('the notes of what ran and was stopped say that it does not run since the reload', async (t) => {
  const life = await living(t);
  const { clock, alarms, world, detector } = ensuring(t);
  world.now = running([life]);
  detector.start();
  await clock.advance(1000);
  world.now = running([], { activeState: 'inactive', result: 'success', id: 'app.service', loadState: 'loaded' });
  process.kill(life.pid, 'SIGKILL');
  await waitFor('its end was judged', async () => {
    await clock.advance(100);
    return detector.nameOf(life.pid) === undefined || !isRunning(life.pid);
  });
  await clock.advance(600_000);
  assert.deepEqual(alarms, []);
  detector.reconfigure();
  await clock.advance(30_100);
  assert.deepEqual(alarms, ['app: not running since the configuration was reloaded']);
});

test('ensure_running implies watch_exit; a watch_exit = false beside it is a warning', () => {
  const parsed = (keys: Readonly<Record<string, string>>, own = Object.keys(keys)) => {
    const section = new FakeSection('process.app', keys);
    const watch = parseRunningWatch(section, (key) => own.includes(key));
    return { ...watch, warnings: section.reports.length };
  };
  assert.deepEqual(parsed({}), { watched: false, bootGraceMs: undefined, warnings: 0 });
  assert.deepEqual(parsed({ watch_exit: 'true', boot_grace: '5' }), { watched: true, bootGraceMs: undefined, warnings: 0 });
  assert.deepEqual(parsed({ ensure_running: 'true' }), { watched: true, bootGraceMs: 30_000, warnings: 0 });
  assert.deepEqual(parsed({ ensure_running: 'true', boot_grace: '0.5' }), { watched: true, bootGraceMs: 500, warnings: 0 });
  const both = { ensure_running: 'true', watch_exit: 'false' };
  assert.deepEqual(parsed(both), { watched: true, bootGraceMs: 30_000, warnings: 1 });
  assert.deepEqual(parsed(both, ['ensure_running']), { watched: true, bootGraceMs: 30_000, warnings: 0 });
});

function isRunning(pid: number): boolean {
  return new ProcessTable().isRunning(pid);
}
