import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServiceStrategy, serviceStrategy } from '../../../../src/strategies/unit/strategy.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd, type FakeUnitOptions } from '../../../helpers/fake-systemd.ts';
import { strategyMemory } from '../../../helpers/memory-state.ts';
import { isAlive, openZoo, type ProcessZoo } from '../../../helpers/process-zoo.ts';
import { attemptOn, FakeSection, managed, never, settled, silentLog } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const options = { hasOwnSection: false, commandTimeoutMs: 60_000, healthCheckTimeoutMs: 5000, stableTimeMs: 1000 };

function world(units: Record<string, FakeUnitOptions> = {}, own: Partial<typeof options> = {}) {
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const added = Object.fromEntries(Object.entries(units).map(([name, unit]) => [name, systemd.add(name, unit)]));
  const strategy = new ServiceStrategy(
    { ...options, ...own },
    { services: systemd, clock, log: silentLog, ...strategyMemory() },
  );
  return {
    clock,
    systemd,
    strategy,
    unit: (name: string) => added[name]!,
    restart: (name: string) => settled(clock, strategy.restart(attemptOn(managed(name)))),
    health: (name: string, timeoutMs = 5000) => settled(clock, strategy.checkHealth(managed(name), timeoutMs, never)),
  };
}

test('an active unit is restarted, an inactive one started', async () => {
  const { restart, systemd } = world({ 'nginx.service': { state: 'active' }, 'redis.service': {} });
  assert.deepEqual(await restart('nginx'), { kind: 'restarted', detail: 'systemctl restart nginx.service' });
  assert.deepEqual(await restart('redis.service'), { kind: 'restarted', detail: 'systemctl start redis.service' });
  assert.deepEqual(systemd.calls, ['restart nginx.service', 'start redis.service']);
});

test('a reloading unit is restarted: the reload may be what hangs', async () => {
  const { restart, unit, systemd } = world({ 'nginx.service': { state: 'active' } });
  unit('nginx.service').set({ activeState: 'reloading', subState: 'reload' });
  assert.equal((await restart('nginx')).kind, 'restarted');
  assert.deepEqual(systemd.calls, ['restart nginx.service']);
});

test('an alias stands for its unit: one target, one name in every call', async () => {
  const { strategy, restart, systemd } = world({ 'mariadb.service': { aliases: ['mysql.service', 'mysqld.service'] } });
  for (const name of ['mysql', 'mysqld.service', 'mariadb']) {
    const resolution = await strategy.resolve(managed(name), never);
    assert.deepEqual(resolution, { kind: 'target', key: 'mariadb', description: 'unit mariadb.service' });
  }
  await restart('mysql');
  assert.deepEqual(systemd.calls, ['start mariadb.service']);
});

test('an alias of what must not be touched is refused', async () => {
  const { strategy, restart, systemd } = world({
    'systemd-reboot.service': { aliases: ['innocent.service'] },
    'dbus-broker.service': { aliases: ['bus.service'], state: 'active' },
  });
  assert.match(
    reasonOf(await strategy.resolve(managed('innocent'), never)),
    /innocent\.service stands for .*systemd-reboot\.service/,
  );
  assert.match(reasonOf(await strategy.resolve(managed('bus'), never)), /section of its own/);
  assert.equal((await restart('innocent')).kind, 'failed');
  assert.deepEqual(systemd.calls, []);
  const own = world({ 'dbus-broker.service': { aliases: ['bus.service'] } }, { hasOwnSection: true });
  assert.equal((await own.strategy.resolve(managed('bus'), never)).kind, 'target');
});

test('the unit that the monitor runs in is refused, whatever its name', async () => {
  const { strategy } = world({ 'wrapper.service': { state: 'active', mainPid: process.pid } });
  assert.match(reasonOf(await strategy.resolve(managed('wrapper'), never)), /the unit that monitor_service runs in/);
});

test('names that are not for systemd never reach it', async () => {
  const { strategy, restart, systemd } = world();
  for (const name of ['victi*', 'poweroff.target', 'reboot', '-Hroot@host', 'monitor_service']) {
    assert.equal((await strategy.resolve(managed(name), never)).kind, 'refused', name);
    assert.equal((await restart(name)).kind, 'failed', name);
  }
  assert.equal(systemd.shows, 0);
  assert.deepEqual(systemd.calls, []);
});

test('an unknown unit is a target whose restart fails; so is a masked or a broken one', async () => {
  const { strategy, restart, systemd } = world({
    'masked.service': { loadState: 'masked' },
    'broken.service': { loadState: 'bad-setting' },
  });
  assert.deepEqual(await strategy.resolve(managed('ghost'), never), {
    kind: 'target',
    key: 'ghost',
    description: 'unit ghost.service',
  });
  assert.deepEqual(await restart('ghost'), { kind: 'failed', reason: 'systemd knows no unit ghost.service' });
  assert.deepEqual(await restart('masked'), { kind: 'failed', reason: 'masked.service is masked' });
  assert.deepEqual(await restart('broken'), { kind: 'failed', reason: 'systemd cannot load broken.service (bad-setting)' });
  assert.deepEqual(systemd.calls, []);
});

test('a unit whose file is gone is there as long as it runs, and is not stopped: it could not be started again', async () => {
  const gone = { loadState: 'not-found', program: { path: '/bin/app' } } as const;
  const { strategy, restart, health, unit, systemd } = world({
    'gone.service': { ...gone, state: 'active', mainPid: process.ppid },
    'stays.service': { ...gone, state: 'active' },
    'over.service': { ...gone, state: 'failed' },
  });
  const of = (name: string, stands: string): string =>
    `its unit file is gone: systemd could stop ${name}, but not start it again (${stands})`;
  unit('stays.service').set({ subState: 'exited', mainPid: 0 });
  for (const [name, stands] of [
    ['gone', `pid ${process.ppid} runs`],
    ['stays', 'it is active (exited)'],
  ] as const) {
    const reason = of(`${name}.service`, stands);
    assert.deepEqual(await strategy.resolve(managed(name), never), {
      kind: 'target',
      key: name,
      description: `unit ${name}.service`,
    });
    assert.deepEqual(await restart(name), { kind: 'failed', reason });
    assert.deepEqual(await strategy.preview(managed(name), never), { stops: [], starts: [], refusals: [reason] });
    assert.deepEqual(await health(name), { kind: 'healthy' });
  }
  const running = await strategy.findRunning(managed('gone'), never);
  assert(running.kind === 'found' && running.unit === 'gone.service');
  assert.deepEqual(
    running.processes.map(({ pid }) => pid),
    [process.ppid],
  );
  assert.deepEqual(await restart('over'), { kind: 'failed', reason: 'systemd knows no unit over.service' });
  unit('gone.service').set({ activeState: 'inactive', subState: 'dead', mainPid: 0 });
  assert.deepEqual(await restart('gone'), { kind: 'failed', reason: 'systemd knows no unit gone.service' });
  assert.deepEqual(systemd.calls, []);
});

test('without systemd a recovery fails and says so; if systemd is silent nothing is guessed', async () => {
  const { clock, strategy, restart, systemd } = world({ 'nginx.service': {} });
  systemd.available = false;
  assert.equal((await strategy.resolve(managed('nginx'), never)).kind, 'target');
  assert.deepEqual(await restart('nginx'), { kind: 'failed', reason: 'nginx.service: systemd does not run here' });
  systemd.available = true;
  systemd.silent = 'Failed to connect to bus';
  assert.match(reasonOf(await settled(clock, strategy.resolve(managed('nginx'), never))), /Failed to connect to bus/);
  assert.deepEqual(await restart('nginx'), { kind: 'failed', reason: 'not started: Failed to connect to bus' });
  assert.deepEqual(systemd.calls, []);
});

test('a systemd that is silent for a while is waited for, within the time of a restart', async () => {
  const { clock, strategy, systemd } = world({ 'nginx.service': {} });
  systemd.silent = 'systemd does not answer';
  const resolution = strategy.resolve(managed('nginx'), never);
  const outcome = strategy.restart(attemptOn(managed('nginx')));
  await clock.advance(50_000);
  systemd.silent = undefined;
  assert.equal((await settled(clock, resolution)).kind, 'target');
  assert.deepEqual(await settled(clock, outcome), { kind: 'restarted', detail: 'systemctl start nginx.service' });
});

test('a failed unit is reset first, and one at its start limit', async () => {
  const { restart, systemd } = world({
    'crashed.service': { state: 'failed', result: 'exit-code' },
    'limited.service': { result: 'start-limit-hit' },
  });
  assert.deepEqual(await restart('crashed'), {
    kind: 'restarted',
    detail: 'systemctl start crashed.service after reset-failed',
  });
  assert.equal((await restart('limited')).kind, 'restarted');
  assert.deepEqual(systemd.calls, [
    'reset-failed crashed.service',
    'start crashed.service',
    'reset-failed limited.service',
    'start limited.service',
  ]);
});

test('a restart that runs into the start limit is repeated after reset-failed, once', async () => {
  const { restart, systemd } = world({ 'busy.service': { state: 'active', startLimit: 2 } });
  for (let i = 0; i < 6; i++) assert.equal((await restart('busy')).kind, 'restarted', `restart ${i}`);
  assert.equal(systemd.calls.filter((call) => call.startsWith('reset-failed')).length, 2);
  const never = world({ 'never.service': { state: 'active', startLimit: 0 } });
  assert.match(reasonOf(await never.restart('never')), /too quickly/);
  assert.deepEqual(never.systemd.calls, ['restart never.service', 'reset-failed never.service', 'start never.service']);
});

test('what systemd restarts later than command_timeout from now is restarted at once', async () => {
  for (const restartMs of [61_000, 3_600_000, Number.POSITIVE_INFINITY]) {
    const { strategy, restart, unit, clock, systemd } = world({
      'app.service': { state: 'active', livesMs: once(100), restartMs },
    });
    await clock.until(() => unit('app.service').status().subState === 'auto-restart');
    assert.deepEqual((await strategy.preview(managed('app'), never)).starts, ['systemctl restart app.service']);
    const startedMs = clock.monotonicMs();
    assert.deepEqual(await restart('app'), { kind: 'restarted', detail: 'systemctl restart app.service' });
    assert.deepEqual(systemd.calls, ['restart app.service']);
    assert.ok(clock.monotonicMs() - startedMs < 1000);
  }
});

test('the wait for systemd is bounded by command_timeout; then it is restarted by force, unless the daemon ends', async () => {
  const { strategy, restart, unit, clock, systemd } = world({ 'app.service': { state: 'active' } });
  // Due for long, and its job does not come.
  unit('app.service').set({ activeState: 'activating', subState: 'auto-restart-queued' });
  const abort = new AbortController();
  const aborted = strategy.restart(attemptOn(managed('app'), abort.signal));
  setImmediate(() => abort.abort());
  assert.deepEqual(await aborted, { kind: 'failed', reason: 'aborted' });
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await restart('app'), {
    kind: 'restarted',
    detail: 'systemctl restart app.service by force: it was activating (auto-restart-queued) for 60 s',
  });
  assert.equal(clock.monotonicMs() - startedMs, 60_010);
  assert.deepEqual(systemd.calls, ['reset-failed app.service', 'restart app.service']);
});

test('what systemd gives up while it is waited for is reset and started', async () => {
  const { restart, unit, systemd, clock } = world({ 'app.service': { startLimit: 2, refusesStart: true, restartMs: 5000 } });
  assert.equal((await restart('app')).kind, 'failed');
  await clock.until(() => unit('app.service').status().subState === 'auto-restart');
  assert.match(reasonOf(await restart('app')), /^systemctl start app\.service: control process exited/);
  assert.deepEqual(systemd.calls, ['start app.service', 'reset-failed app.service', 'start app.service']);
});

test('a start that hangs is begun again at command_timeout, by force', async () => {
  const { restart, clock, systemd } = world({ 'stuck.service': { startMs: Number.POSITIVE_INFINITY, hungStarts: 1 } });
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await restart('stuck'), {
    kind: 'restarted',
    detail: 'systemctl restart stuck.service by force: it was activating (start) for 60 s',
  });
  assert.equal(clock.monotonicMs() - startedMs, 60_000);
  assert.deepEqual(systemd.calls, ['start stuck.service', 'reset-failed stuck.service', 'restart stuck.service']);
});

test('one that hangs by force too fails after twice command_timeout, with systemd’s reason and the unit’s last lines', async () => {
  const explanation = { reason: 'ExecStart=/bin/app still runs', output: ['one', 'two', 'three', 'four'] };
  const { restart, clock } = world({ 'stuck.service': { startMs: Number.POSITIVE_INFINITY, explanation } });
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await restart('stuck'), {
    kind: 'failed',
    reason: 'restarted by force, and stuck.service is activating (start): ExecStart=/bin/app still runs: two | three | four',
    output: ['one', 'two', 'three', 'four'],
  });
  assert.equal(clock.monotonicMs() - startedMs, 120_000);
});

test('a stop that hangs is killed: what was stopping at once, what hung in its start after a while', async () => {
  const hanging = { state: 'active', stopMs: Number.POSITIVE_INFINITY } as const;
  for (const [killMode, kills] of [
    ['control-group', ['kill all app.service']],
    ['mixed', ['kill all app.service']],
    // What it leaves alive on purpose is not the restart's to kill.
    ['process', ['kill main app.service', 'kill control app.service']],
    [undefined, ['kill main app.service', 'kill control app.service']],
  ] as const) {
    const stopping = world({ 'app.service': { ...hanging, killMode } });
    const startedMs = stopping.clock.monotonicMs();
    assert.equal((await stopping.restart('app')).kind, 'restarted');
    assert.ok(stopping.clock.monotonicMs() - startedMs < 61_000);
    const { calls } = stopping.systemd;
    assert.deepEqual(calls, ['restart app.service', 'reset-failed app.service', 'restart app.service', ...kills]);
  }
  const start = { startMs: Number.POSITIVE_INFINITY, hungStarts: 1, stopMs: Number.POSITIVE_INFINITY };
  const starting = world({ 'app.service': { ...start, killMode: 'control-group' } });
  const startedMs = starting.clock.monotonicMs();
  assert.equal((await starting.restart('app')).kind, 'restarted');
  const tookMs = starting.clock.monotonicMs() - startedMs;
  assert.ok(tookMs >= 70_000 && tookMs < 72_000, `${tookMs}`);
});

test('SendSIGKILL=no: what hangs in its start, and then in its stop, is not killed', async () => {
  const hanging = { startMs: Number.POSITIVE_INFINITY, stopMs: Number.POSITIVE_INFINITY };
  const { restart, systemd } = world({ 'slowdb.service': { ...hanging, killMode: 'control-group', forbidsSigkill: true } });
  assert.equal(
    reasonOf(await restart('slowdb')),
    'restarted by force, and slowdb.service is deactivating (stop-sigterm), does not end, and its SendSIGKILL=no forbids SIGKILL',
  );
  assert.doesNotMatch(systemd.calls.join(), /kill/);
});

test('if systemd does not say whether a unit may be killed, it is not', async () => {
  const { restart, systemd, clock } = world({ 'app.service': { startMs: Number.POSITIVE_INFINITY } });
  const asked: number[] = [];
  systemd.killMode = async () => {
    asked.push(clock.monotonicMs());
    // The first is asked for its start.
    return asked.length === 1 ? { kind: 'known', killMode: '' } : { kind: 'failed', reason: 'no answer' };
  };
  assert.equal(reasonOf(await restart('app')), 'not restarted by force: no answer');
  assert.deepEqual(systemd.calls, ['start app.service']);
});

test('what is reported of a job that hangs between two states', async () => {
  const { restart, unit } = world({ 'app.service': {} });
  const app = unit('app.service');
  let jobs = 0;
  app.job = async (verb) => {
    if (verb === 'reset-failed' || jobs++ > 0) return { kind: 'done' };
    app.set({ activeState: 'failed', subState: 'failed', result: 'timeout', hasJob: true });
    return new Promise(() => {});
  };
  assert.deepEqual(await restart('app'), {
    kind: 'restarted',
    detail: 'systemctl restart app.service by force: its job was not done after 60 s, when it was failed (timeout)',
  });
});

test('KillMode=none: a unit is stopped, and seen to end, before it is started', async (t) => {
  const zoo = openZoo(t);
  const main = await zoo.start(zoo.sleeper('noned'));
  const stops = { killMode: 'none', program: { hasStop: true } } as const;
  const relations = { boundBy: ['bound.service', 'down.service'], consistsOf: ['part.service'] };
  const kept = world({
    'app.service': { ...stops, state: 'active', mainPid: main, relations },
    'bound.service': { state: 'active' },
  });
  assert.equal(
    reasonOf(await kept.restart('app')),
    `systemctl stop app.service: its ExecStop= has not ended its main process (pid ${main}), and its KillMode=none leaves that alive: not started, because that would make a second copy`,
  );
  assert.deepEqual(kept.systemd.calls, ['stop-alone app.service']);
  const table = new ProcessTable();
  // The fake clock would not wait for its end.
  const atStop = (): void => {
    process.kill(main, 'SIGKILL');
    while (table.isRunning(main));
  };
  const ends = world({
    'app.service': { ...stops, state: 'active', mainPid: main, relations, atStop },
    'bound.service': { state: 'active' },
    'down.service': {},
  });
  assert.deepEqual(await ends.restart('app'), { kind: 'restarted', detail: 'systemctl restart app.service' });
  assert.deepEqual(ends.systemd.calls, ['stop-alone app.service', 'restart app.service', 'start bound.service']);
  // All that a unit without a main process has is what it is there for.
  const controlGroup = table.read(process.pid, ['cgroup'])?.cgroup ?? '';
  const forks = world({ 'forks.service': { killMode: 'none', state: 'active', controlGroup } });
  forks.unit('forks.service').set({ mainPid: 0 });
  assert.match(reasonOf(await forks.restart('forks')), /^forks\.service has no ExecStop= that would end its process/);
  const starting = world({ 'slow.service': { killMode: 'none', startMs: Number.POSITIVE_INFINITY, controlGroup } });
  assert.match(
    reasonOf(await starting.restart('slow')),
    /^slow\.service is activating \(start\): its KillMode=none would leave its process.* alive, and a restart would make a second copy$/,
  );
  for (const { systemd } of [forks, starting]) assert.doesNotMatch(systemd.calls.join(), /stop/);
  // Sessions of sshd(8) are to live on.
  const keeps = world({ 'sshd.service': { killMode: 'process', state: 'active', mainPid: process.ppid } });
  await keeps.restart('sshd');
  assert.deepEqual(keeps.systemd.calls, ['restart sshd.service']);
});

test('before force it is asked whether the restart is still wanted, and permitted', async () => {
  const unit = { startMs: Number.POSITIVE_INFINITY };
  const unwanted = world({ 'app.service': unit });
  const attempt = { ...attemptOn(managed('app')), isUnwanted: async () => true };
  assert.deepEqual(await settled(unwanted.clock, unwanted.strategy.restart(attempt)), {
    kind: 'failed',
    reason: 'no longer wanted: its alarm has ended, or it is on hold',
  });
  assert.deepEqual(unwanted.systemd.calls, ['start app.service']);
  // A start stops nothing of the others, a restart does.
  const strict = world({
    'app.service': { ...unit, relations: { stopsToo: ['victim.service'] } },
    'victim.service': { state: 'active' },
  });
  assert.match(reasonOf(await strict.restart('app')), /would stop victim\.service/);
  assert.deepEqual(strict.systemd.calls, ['start app.service']);
});

test('what is up, and whose job has not begun, is not restarted by force; what is down is', async () => {
  const explanation = { reason: 'its job waits for other.service (stop)', output: [] };
  const { restart, unit, systemd, clock } = world({ 'app.service': { state: 'active', explanation } });
  const app = unit('app.service');
  app.job = () => {
    app.set({ hasJob: true });
    return new Promise(() => {});
  };
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await restart('app'), {
    kind: 'failed',
    reason: 'app.service is active (running): its job waits for other.service (stop)',
  });
  assert.equal(clock.monotonicMs() - startedMs, 60_000);
  assert.deepEqual(systemd.calls, ['restart app.service']);
  app.set({ activeState: 'inactive', subState: 'dead' });
  assert.match(reasonOf(await restart('app')), /^restarted by force, and app\.service is inactive \(dead\): its job waits/);
});

test('health: active, and still so a second later', async () => {
  const { health, clock } = world({
    'nginx.service': { state: 'active' },
    'down.service': {},
    'dead.service': { state: 'failed', result: 'signal' },
  });
  const startedMs = clock.monotonicMs();
  assert.deepEqual(await health('nginx'), { kind: 'healthy' });
  assert.equal(clock.monotonicMs() - startedMs, 1000);
  assert.deepEqual(await health('down'), { kind: 'unhealthy', reason: 'down.service is inactive (dead)' });
  assert.deepEqual(await health('dead'), { kind: 'unhealthy', reason: 'dead.service is failed (signal)' });
  assert.deepEqual(await health('ghost'), { kind: 'unhealthy', reason: 'systemd knows no unit ghost.service' });
});

test('health: a unit that crashes at once is not healthy, with or without Restart=', async () => {
  for (const livesMs of [5, 100, 400, 900]) {
    for (const restartMs of [undefined, 0, 100]) {
      const crashing: FakeUnitOptions = restartMs === undefined ? { livesMs } : { livesMs, restartMs };
      const { restart, health, clock } = world({ 'crash.service': crashing });
      assert.equal((await restart('crash')).kind, 'restarted');
      // As the recovery does: a look each second until the time is over.
      for (const leftMs of [5000, 3500, 2000, 1200]) {
        const result = await health('crash', leftMs);
        assert.equal(
          result.kind,
          'unhealthy',
          `lives ${livesMs}, restart ${restartMs}, ${leftMs} left: ${JSON.stringify(result)}`,
        );
        await clock.advance(137);
      }
    }
  }
});

test('health: a short health_check_timeout is enough for a well unit, and no look outlives its time', async () => {
  for (const timeoutMs of [100, 300, 1000, 2000]) {
    const { health, clock } = world({ 'nginx.service': { state: 'active' } }, { healthCheckTimeoutMs: timeoutMs });
    const startedMs = clock.monotonicMs();
    assert.deepEqual(await health('nginx', timeoutMs), { kind: 'healthy' }, `${timeoutMs}`);
    assert.ok(clock.monotonicMs() - startedMs <= timeoutMs);
  }
  const { health } = world({ 'nginx.service': { state: 'active' } });
  assert.match(reasonOf(await health('nginx', 250)), /too late to see/);
});

test('health: stable_time says how long it must last; 0: one look is enough', async () => {
  for (const [stableTimeMs, leftMs] of [
    [0, 5000],
    [300, 5000],
    [3000, 7000],
    [60_000, 64_000],
  ] as const) {
    const { health, clock, restart } = world(
      { 'well.service': { state: 'active' }, 'brief.service': { livesMs: 2500 } },
      { stableTimeMs },
    );
    const startedMs = clock.monotonicMs();
    assert.deepEqual(await health('well', leftMs), { kind: 'healthy' });
    assert.equal(clock.monotonicMs() - startedMs, stableTimeMs);
    await restart('brief');
    assert.equal((await health('brief', leftMs)).kind, stableTimeMs > 2500 ? 'unhealthy' : 'healthy', `${stableTimeMs}`);
  }
});

test('the life of a unit ends with its main process, and is not examined if the unit is not up', async () => {
  const { strategy, restart, clock, systemd } = world({
    'well.service': { state: 'active' },
    'crash.service': { livesMs: 400 },
    'again.service': { livesMs: 400, restartMs: 100 },
    'at-once.service': { livesMs: 5 },
    'down.service': {},
  });
  const life = (name: string) => strategy.life(managed(name), never);
  assert.equal(await life('down'), undefined);
  assert.equal(await life('ghost'), undefined);
  const well = await life('well');
  for (const [name, waitMs, expected] of [
    ['crash', 0, /did not stay active: it is failed/],
    ['again', 0, /did not stay active|was followed by/],
    ['at-once', 50, /at-once.service is failed/],
  ] as const) {
    await restart(name);
    await clock.advance(waitMs);
    const seen = await life(name);
    await clock.advance(600);
    assert.match((await seen?.ended(never)) ?? '', expected);
  }
  assert.equal(await well?.ended(never), undefined);
  systemd.silent = 'no answer';
  assert.equal(await well?.ended(never), undefined, 'nothing can be told');
});

test('health: a one-shot', async () => {
  const { restart, health } = world({
    'keeps.service': { type: 'oneshot', remainAfterExit: true },
    'goes.service': { type: 'oneshot' },
    'fails.service': { type: 'oneshot', refusesStart: true },
  });
  await restart('keeps');
  assert.deepEqual(await health('keeps'), { kind: 'healthy' });
  assert.deepEqual(await health('goes'), { kind: 'assumed' }, 'whether it ever ran nobody knows');
  await restart('goes');
  assert.deepEqual(await health('goes'), { kind: 'healthy' });
  await restart('fails');
  assert.equal((await health('fails')).kind, 'unhealthy');
});

test('a unit that stays active without its daemon is restarted; that it was left by its last process meanwhile is seen', async () => {
  const { restart, health, unit, clock, strategy, systemd } = world({
    'sysv.service': { type: 'forking', state: 'active', mainPid: 0 },
  });
  assert.deepEqual(await health('sysv'), { kind: 'healthy' });
  const life = await strategy.life(managed('sysv'), never);
  const proof = strategy.checkHealth(managed('sysv'), 5000, never);
  await clock.advance(500);
  unit('sysv.service').set({ subState: 'exited' });
  const brief = 'sysv.service does not last: it is active (exited), but none of its processes runs any more';
  assert.equal(reasonOf(await settled(clock, proof)), brief);
  assert.equal(await life?.ended(never), brief);
  // What its script has started may live elsewhere, as su(1) puts it.
  assert.deepEqual(await health('sysv'), { kind: 'healthy' });
  assert.deepEqual(await restart('sysv'), { kind: 'restarted', detail: 'systemctl restart sysv.service' });
  assert.deepEqual(systemd.calls, ['restart sysv.service']);
});

test('preview says what would be done, or why not, and does nothing', async () => {
  const { strategy, systemd, unit } = world({
    'nginx.service': { state: 'active', mainPid: 4711 },
    'redis.service': {},
    'masked.service': { loadState: 'masked' },
    'picky.service': { conditions: 'ConditionPathExists=/run/ok is not met' },
  });
  assert.deepEqual(await strategy.preview(managed('picky'), never), {
    stops: [],
    starts: ['systemctl start picky.service'],
    refusals: [],
    warnings: ['picky.service is inactive (dead): ConditionPathExists=/run/ok is not met'],
  });
  assert.deepEqual(await strategy.preview(managed('nginx'), never), {
    stops: ['nginx.service: active (running), main process 4711'],
    starts: ['systemctl restart nginx.service'],
    refusals: [],
  });
  assert.deepEqual((await strategy.preview(managed('redis'), never)).starts, ['systemctl start redis.service']);
  unit('redis.service').set({ activeState: 'activating', subState: 'auto-restart' });
  assert.match((await strategy.preview(managed('redis'), never)).starts[0]!, /monitor_service waits for that/);
  assert.deepEqual((await strategy.preview(managed('masked'), never)).refusals, ['masked.service is masked']);
  assert.deepEqual((await strategy.preview(managed('ghost'), never)).refusals, ['systemd knows no unit ghost.service']);
  assert.deepEqual(systemd.calls, []);
});

const table = new ProcessTable();

/** A process of that file that calls itself so; its pid. */
async function titled(zoo: ProcessZoo, path: string, title: string): Promise<number> {
  const pid = await zoo.start('/bin/bash', ['-c', `exec -a "${title}" ${path} 300`]);
  await waitFor('its title', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${title}\0`));
  return pid;
}

/** What runs in a service is that one's. */
const isInService = table.read(process.pid, ['unit'])?.unit?.endsWith('.service') === true;
const elsewhere = { skip: isInService && 'the tests run in a service themselves' };

test('a unit is not started beside its program that somebody has started by hand', elsewhere, async (t) => {
  const zoo = openZoo(t);
  const path = zoo.sleeper('handd');
  const script = zoo.script('scriptd', '#!/usr/bin/perl\nsleep 300 while 1;\n');
  symlinkSync(path, join(zoo.dir, 'link'));
  for (const [how, program, start] of [
    ['the same line', { path, argv: ['handd', '300'] }, () => zoo.start(path)],
    ['a link', { path: join(zoo.dir, 'link'), argv: ['link', '300'] }, () => zoo.start(path)],
    ['without an option', { path, argv: [path, '-f', '300', '$OPTIONS'] }, () => zoo.start(path)],
    ['a first process', { path, argv: [path, '-g', 'daemon off;'] }, () => titled(zoo, path, 'handd: master process')],
    ['a script', { path: script, argv: [script, '-x'] }, () => zoo.start(script, [])],
  ] as const) {
    for (const state of ['inactive', 'failed'] as const) {
      const { restart, strategy, systemd } = world({ 'hand.service': { program, state } });
      const pid = await start();
      const refusal = new RegExp(`^hand\\.service is ${state}.*, and its program runs outside of it \\(pid ${pid}\\): `);
      const outcome = await restart('hand');
      assert.match(outcome.kind === 'failed' ? outcome.reason : '', refusal, how);
      assert.match((await strategy.preview(managed('hand'), never)).refusals.join(), refusal, how);
      assert.deepEqual(systemd.calls, []);
      process.kill(pid, 'SIGKILL');
      await waitFor('end', () => !isAlive(pid));
      assert.equal((await restart('hand')).kind, 'restarted', how);
    }
  }
});

test('a unit whose stop hangs after the end of its main process is not restarted beside its program', elsewhere, async (t) => {
  const zoo = openZoo(t);
  const path = zoo.sleeper('hungd');
  const pid = await zoo.start(path);
  const times = { beganMs: table.uptimeMs() - 120_000, overMs: table.uptimeMs() - 60_000 };
  const { restart, systemd, unit } = world({ 'hung.service': { program: { path, argv: [path, '300'], ...times } } });
  unit('hung.service').set({ activeState: 'deactivating', subState: 'stop-post', mainPid: 0 });
  const outcome = await restart('hung');
  const refusal = new RegExp(
    `^hung\\.service is deactivating \\(stop-post\\), and its program runs outside of it \\(pid ${pid}\\): `,
  );
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', refusal);
  assert.deepEqual(systemd.calls, []);
});

test(
  'what only executes the same file is not a copy of the unit; what a one-shot or a unit that is up executes is not either',
  elsewhere,
  async (t) => {
    const zoo = openZoo(t);
    const path = zoo.sleeper('shared');
    await titled(zoo, path, 'shared: root@pts/0');
    await titled(zoo, path, 'SHARED');
    await zoo.start(path, ['301']);
    for (const unit of [
      { program: { path, argv: [path, '-D', '300'] } },
      { program: { path, argv: [path, '300'] } },
      { program: { path, argv: [path, '302'] } },
      // As a client of the same file: it says less than what the unit does.
      { program: { path, argv: [path, '301', '302'] } },
      { program: { path, argv: [path, '301'] }, type: 'oneshot' },
      { program: { path, argv: [path, '301'] }, state: 'active' },
      { program: { path: '', argv: [] } },
      // It began while the unit was up.
      { program: { path, argv: [path, '301'], beganMs: table.uptimeMs() - 60_000, overMs: table.uptimeMs() + 60_000 } },
    ] as const)
      assert.equal((await world({ 'one.service': unit }).restart('one')).kind, 'restarted', JSON.stringify(unit));
  },
);

test('another user’s copy keeps no unit down, its own user’s does', {
  skip: elsewhere.skip || (process.getuid?.() !== 0 && 'needs root'),
}, async (t) => {
  const zoo = openZoo(t);
  const path = zoo.sleeper('usersd');
  await zoo.start(path, ['300'], { uid: 65534, gid: 65534 });
  const program = { path, argv: [path, '300'] };
  assert.equal((await world({ 'users.service': { program } }).restart('users')).kind, 'restarted');
  // The directory of users is asked in real time, which the clock of the test does not know.
  const { strategy } = world({ 'users.service': { program: { ...program, user: '65534' } } });
  assert.equal((await strategy.restart(attemptOn(managed('users')))).kind, 'failed');
});

test('parse: limits in milliseconds; only [process.default] is not a section of its own', () => {
  assert.deepEqual(serviceStrategy.parse(new FakeSection('process.default')), options);
  assert.deepEqual(
    serviceStrategy.parse(new FakeSection('process.dbus', { command_timeout: '5', health_check_timeout: '1' })),
    {
      hasOwnSection: true,
      commandTimeoutMs: 5000,
      healthCheckTimeoutMs: 1000,
      stableTimeMs: 1000,
    },
  );
});

function reasonOf(value: object): string {
  assert.ok('reason' in value && typeof value.reason === 'string', `no reason: ${JSON.stringify(value)}`);
  return value.reason;
}

/** The first life is short, the others last. */
function once(ms: number): () => number {
  let lives = 0;
  return () => (lives++ === 0 ? ms : 1e9);
}
