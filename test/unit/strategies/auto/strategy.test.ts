import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedProcess } from '../../../../src/core/alarm.ts';
import type { HealthResult, RestartPreview } from '../../../../src/core/outcomes.ts';
import type { ProgramMarks } from '../../../../src/core/program/marks.ts';
import { AutoStrategy, autoStrategy } from '../../../../src/strategies/auto/strategy.ts';
import { NEVER_SEEN, nothingToStart } from '../../../../src/strategies/process/launch-words.ts';
import type { RestartAttempt, RestartOutcome, RestartStrategy } from '../../../../src/strategies/strategy.ts';
import { ServiceStrategy } from '../../../../src/strategies/unit/strategy.ts';
import { type ProcessIdentity, ProcessTable } from '../../../../src/system/proc/table.ts';
import type { RunningProcesses } from '../../../../src/system/systemd/running-processes.ts';
import { appUnit } from '../../../../src/system/systemd/unit/name.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd, type FakeUnitOptions } from '../../../helpers/fake-systemd.ts';
import { strategyMemory } from '../../../helpers/memory-state.ts';
import { isAlive, openZoo } from '../../../helpers/process-zoo.ts';
import { attemptOn, FakeSection, managed, never, settled, silentLog } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

/** The process strategy's stand-in. */
class FakeProcesses implements RestartStrategy {
  readonly name = 'process';
  readonly restarts: string[] = [];
  readonly observed: string[] = [];
  outcome: RestartOutcome = { kind: 'restarted', detail: 'started pid 4711' };
  health: HealthResult = { kind: 'healthy' };
  running: readonly ProcessIdentity[] = [];
  marked: ProgramMarks = {};

  async resolve({ systemName }: ManagedProcess) {
    return { kind: 'target', key: systemName, description: `process ${systemName}` } as const;
  }

  async restart({ process }: RestartAttempt): Promise<RestartOutcome> {
    this.restarts.push(process.systemName);
    return this.outcome;
  }

  async checkHealth(): Promise<HealthResult> {
    return this.health;
  }

  async findRunning({ systemName }: ManagedProcess): Promise<RunningProcesses> {
    return { kind: 'found', key: systemName, processes: this.running, unit: undefined, status: undefined };
  }

  marks(): ProgramMarks {
    return this.marked;
  }

  async preview(): Promise<RestartPreview> {
    return { stops: ['pid 1234'], starts: [], refusals: [] };
  }

  async observe({ systemName }: ManagedProcess): Promise<void> {
    this.observed.push(systemName);
  }
}

function world(units: Record<string, FakeUnitOptions> = {}, fallsBack = false) {
  const clock = new FakeClock();
  const systemd = new FakeSystemd(clock);
  const added = Object.fromEntries(Object.entries(units).map(([name, unit]) => [name, systemd.add(name, unit)]));
  const processes = new FakeProcesses();
  const retired: string[] = [];
  const stillRuns: { line?: string } = {};
  const memory = strategyMemory();
  const { roots } = memory;
  const options = { hasOwnSection: false, commandTimeoutMs: 60_000, healthCheckTimeoutMs: 5000, stableTimeMs: 1000 };
  const strategy = new AutoStrategy(
    new ServiceStrategy(options, { services: systemd, clock, log: silentLog, ...memory }),
    processes,
    {
      services: systemd,
      programs: {
        starter: process.pid,
        unready: async () => undefined,
        launch: () => assert.fail('auto starts nothing itself'),
        retire: async (systemName) => {
          // Before the unit is touched, or both would hold the same port.
          assert.deepEqual(systemd.calls, []);
          retired.push(systemName);
          return stillRuns.line;
        },
      },
      clock,
      roots,
      fallsBack,
      commandTimeoutMs: options.commandTimeoutMs,
    },
  );
  return {
    clock,
    systemd,
    processes,
    retired,
    stillRuns,
    roots,
    memory,
    strategy,
    unit: (name: string) => added[name]!,
    resolve: (name: string) => strategy.resolve(managed(name), never),
    restart: (name: string) => settled(clock, strategy.restart(attemptOn(managed(name)))),
    health: (name: string) => settled(clock, strategy.checkHealth(managed(name), 5000, never)),
  };
}

test('a unit that systemd knows is a service', async () => {
  const { resolve, restart, health, strategy, systemd, processes } = world({
    'mariadb.service': { state: 'active', aliases: ['mysql.service'] },
  });
  assert.deepEqual(await resolve('mysql'), { kind: 'target', key: 'mariadb', description: 'unit mariadb.service' });
  assert.deepEqual(await restart('mysql'), { kind: 'restarted', detail: 'systemctl restart mariadb.service' });
  assert.deepEqual(await health('mysql'), { kind: 'healthy' });
  assert.deepEqual((await strategy.preview(managed('mysql'), never)).starts, ['systemctl restart mariadb.service']);
  assert.deepEqual(systemd.calls, ['restart mariadb.service']);
  assert.deepEqual(processes.restarts, []);
});

test('what systemd does not know, or could not, is a process; so is everything if there is no systemd', async () => {
  const { resolve, restart, health, strategy, systemd, processes } = world({ 'nginx.service': { state: 'active' } });
  for (const name of ['worker', 'my worker', 'victi*', '/opt/app/run', 'naïve']) {
    assert.deepEqual(await resolve(name), { kind: 'target', key: name, description: `process ${name}` });
    assert.equal((await restart(name)).kind, 'restarted');
    assert.deepEqual(await health(name), { kind: 'healthy' });
  }
  systemd.available = false;
  assert.equal((await restart('nginx')).kind, 'restarted');
  assert.deepEqual(processes.restarts, ['worker', 'my worker', 'victi*', '/opt/app/run', 'naïve', 'nginx']);
  assert.deepEqual((await strategy.preview(managed('worker'), never)).stops, ['pid 1234']);
  assert.deepEqual(systemd.calls, []);
});

test('for a program that nobody has seen, one line says that there is neither a program nor a unit', async () => {
  const { restart, strategy, systemd, processes } = world();
  const unseen = nothingToStart(`${NEVER_SEEN}, and no program nginx is in PATH`);
  const both = `nothing to start: ${NEVER_SEEN}, and no program nginx is in PATH, and systemd knows no unit nginx.service; set system_name or start_command in [process.nginx]`;
  const told = async (refusal: string): Promise<readonly string[]> => {
    processes.outcome = { kind: 'failed', reason: refusal, final: true };
    processes.preview = async () => ({ stops: [], starts: [], refusals: [refusal] });
    const outcome = await restart('nginx');
    assert.ok(outcome.kind === 'failed' && outcome.final);
    return [...(await strategy.preview(managed('nginx'), never)).refusals, outcome.reason];
  };
  assert.deepEqual(await told(unseen), [both, both]);
  // It ran as a program: no unit is looked for.
  const seen = nothingToStart('how it was started could not be determined while it ran');
  assert.deepEqual(await told(seen), [seen, seen]);
  systemd.available = false;
  assert.deepEqual(await told(unseen), [unseen, unseen]);
});

test('a dangerous name is refused, and not tried as a process', async () => {
  for (const available of [true, false]) {
    const { resolve, restart, health, strategy, systemd, processes } = world(
      { 'reboot.service': {}, 'dbus.service': {} },
      true,
    );
    systemd.available = available;
    for (const name of ['reboot', 'poweroff.target', 'monitor_service', 'dbus', 'docker.socket']) {
      assert.equal((await resolve(name)).kind, 'refused', name);
      assert.equal((await restart(name)).kind, 'failed', name);
      assert.equal((await health(name)).kind, 'unhealthy', name);
      assert.equal((await strategy.preview(managed(name), never)).refusals.length, 1, name);
    }
    assert.deepEqual(processes.restarts, []);
    assert.deepEqual(systemd.calls, []);
  }
});

test('while systemd does not answer nothing is guessed', async () => {
  const { clock, resolve, restart, systemd, processes } = world({ 'nginx.service': {} }, true);
  systemd.silent = 'Connection timed out';
  assert.equal((await settled(clock, resolve('nginx'))).kind, 'refused');
  const outcome = await restart('nginx');
  assert.ok(outcome.kind === 'failed' && outcome.reason.includes('Connection timed out'));
  assert.deepEqual(processes.restarts, []);
});

test('a unit is not started beside what was started in its place and could not be ended', async () => {
  const { restart, stillRuns, processes, systemd } = world({ 'app.service': {} }, true);
  stillRuns.line = 'monitor-app-app.service still runs: systemd does not answer';
  assert.deepEqual(await restart('app'), { kind: 'failed', reason: `not started: ${stillRuns.line}` });
  assert.deepEqual([systemd.calls, processes.restarts], [[], []]);
  delete stillRuns.line;
  assert.equal((await restart('app')).kind, 'restarted');
  assert.deepEqual(systemd.calls, ['start app.service']);
});

test('with start_command a unit that fails is followed by the process, whose health then counts', async () => {
  const { restart, health, retired, processes, systemd } = world({ 'app.service': { refusesStart: true } }, true);
  assert.deepEqual(await restart('app'), {
    kind: 'restarted',
    detail: 'started pid 4711 (as a process: systemctl start app.service: control process exited with error code)',
  });
  assert.deepEqual(retired, ['app']);
  assert.deepEqual(processes.restarts, ['app']);
  assert.deepEqual(systemd.calls, ['start app.service']);
  assert.deepEqual(await health('app'), { kind: 'healthy' });
  processes.health = { kind: 'unhealthy', reason: 'no process runs' };
  assert.deepEqual(await health('app'), {
    kind: 'unhealthy',
    reason: 'app.service is failed (exit-code); no process runs',
  });
});

test('systemd must not bring the unit up beside the process: its own restart is stopped first', async () => {
  const { restart, processes, systemd, unit, clock } = world({ 'app.service': { refusesStart: true, restartMs: 5000 } }, true);
  assert.equal((await restart('app')).kind, 'restarted');
  assert.deepEqual(systemd.calls, ['start app.service', 'stop app.service']);
  assert.deepEqual(processes.restarts, ['app']);
  await clock.advance(60_000);
  assert.equal(unit('app.service').status().activeState, 'inactive');
});

test('a unit that hands over to another main process and lasts then is left alone', async () => {
  const { restart, processes, systemd, unit, clock } = world({ 'app.service': {} }, true);
  void clock.sleep(500).then(() => unit('app.service').set({ mainPid: 4712 }));
  assert.deepEqual(await restart('app'), { kind: 'restarted', detail: 'systemctl start app.service' });
  assert.deepEqual(systemd.calls, ['start app.service']);
  assert.deepEqual(processes.restarts, []);
});

test('a one-shot at rest is assumed to be well, but not while a process stands in for it', async () => {
  const rested = world({ 'job.service': { type: 'oneshot' } }, true);
  rested.processes.health = { kind: 'unhealthy', reason: 'no process runs' };
  assert.deepEqual(await rested.health('job'), { kind: 'assumed' });
  const { health, processes } = world(
    { 'job.service': { type: 'oneshot' }, 'monitor_service-app-job.service': { state: 'active' } },
    true,
  );
  assert.deepEqual(await health('job'), { kind: 'healthy' });
  processes.health = { kind: 'unhealthy', reason: 'no process runs' };
  assert.deepEqual(await health('job'), { kind: 'unhealthy', reason: 'no process runs' });
});

test('a unit that stays up without its processes is given up for the program', async () => {
  const { restart, unit, systemd, processes, memory } = world(
    { 'legacyd.service': { type: 'oneshot', remainAfterExit: true, state: 'active' } },
    true,
  );
  unit('legacyd.service').set({ subState: 'exited', mainPid: 0 });
  memory.unitsWithProcesses.add('legacyd.service', '');
  const outcome = await restart('legacyd');
  assert.ok(
    outcome.kind === 'restarted' && outcome.detail.includes('as a process: legacyd.service is active (exited)'),
    JSON.stringify(outcome),
  );
  assert.deepEqual(systemd.calls, ['restart legacyd.service', 'stop legacyd.service']);
  assert.deepEqual(processes.restarts, ['legacyd']);
});

test('the preview knows of the fallback', async () => {
  const units: Record<string, FakeUnitOptions> = {
    'app.service': { state: 'failed', result: 'exit-code' },
    'monitor_service-app-app.service': { state: 'active', mainPid: 4711 },
    'masked.service': { loadState: 'masked' },
  };
  const { strategy } = world(units, true);
  assert.deepEqual(await strategy.preview(managed('app'), never), {
    stops: ['monitor_service-app-app.service: active (running), main process 4711'],
    starts: ['systemctl start app.service'],
    refusals: [],
  });
  // A mask means that it must not run, as a program neither.
  assert.deepEqual(await strategy.preview(managed('masked'), never), {
    stops: [],
    starts: [],
    refusals: ['masked.service is masked'],
  });
  const without = world(units).strategy;
  assert.deepEqual((await without.preview(managed('app'), never)).stops, []);
  assert.deepEqual((await without.preview(managed('masked'), never)).refusals, ['masked.service is masked']);
});

test('a unit that takes long to start has not failed: nothing is started beside it', async () => {
  const { restart, processes } = world({ 'db.service': { startMs: 200_000 } }, true);
  const outcome = await restart('db');
  assert.ok(outcome.kind === 'failed' && /not started as a process: db\.service is activating/.test(outcome.reason));
  assert.deepEqual(processes.restarts, []);
});

test('the daemon’s end is not a failure of the unit', async () => {
  const { strategy, processes, clock } = world({ 'app.service': { startMs: 50_000 } }, true);
  const abort = new AbortController();
  const restart = strategy.restart(attemptOn(managed('app'), abort.signal));
  await clock.advance(1000);
  abort.abort();
  assert.equal((await restart).kind, 'failed');
  assert.deepEqual(processes.restarts, []);
});

test('observing asks systemd nothing', async () => {
  const { strategy, systemd, processes } = world({ 'nginx.service': {} });
  await strategy.observe(managed('nginx'));
  assert.deepEqual(processes.observed, ['nginx']);
  assert.equal(systemd.shows, 0);
});

test('parse: start_command is what allows the fallback', () => {
  assert.equal(autoStrategy.parse(new FakeSection('process.app')).fallsBack, false);
  assert.equal(autoStrategy.parse(new FakeSection('process.app', { start_command: '/opt/app' })).fallsBack, true);
});

test('a unit that is masked while it fails is not followed by the process', async () => {
  const { restart, unit, systemd, processes } = world({ 'app.service': { refusesStart: true } }, true);
  const { call } = systemd;
  systemd.call = async (...order) => {
    unit('app.service').set({ loadState: 'masked' });
    return call.apply(systemd, order);
  };
  const outcome = await restart('app');
  assert.ok(outcome.kind === 'failed' && outcome.reason.endsWith('; not started as a process: app.service is masked'));
  assert.deepEqual(processes.restarts, []);
});

test('what a name means is known though it may not be restarted', async () => {
  const off = { unitFileState: 'disabled' };
  const { strategy, systemd } = world({
    'off.service': { relations: off, aliases: ['www.service'] },
    'maskd.service': { loadState: 'masked' },
  });
  const means = (name: string) => strategy.means(managed(name), never);
  assert.equal((await strategy.resolve(managed('www'), never)).kind, 'refused');
  for (const [name, key] of [
    ['www', 'off'],
    ['maskd', 'maskd'],
    ['program', 'program'],
    ['dbus', 'dbus'],
  ] as const)
    assert.deepEqual(await means(name).then((meant) => meant.kind === 'target' && meant.key), key, name);
  const abort = new AbortController();
  systemd.silent = 'no answer';
  const asked = strategy.means(managed('www'), abort.signal);
  abort.abort();
  assert.equal((await asked).kind, 'unknown');
});

/** What runs in a service is that one's. */
const isInService = new ProcessTable().read(process.pid, ['unit'])?.unit?.endsWith('.service') === true;

test('a unit is not started beside its program by name, pid file or argument; a client of that name does not count', {
  skip: isInService && 'the tests run in a service themselves',
}, async (t) => {
  const zoo = openZoo(t);
  const [server, client] = [zoo.sleeper('handd'), zoo.sleeper('client')];
  const program = { path: server, argv: [server, '301'] };
  for (const fallsBack of [false, true]) {
    const { restart, strategy, systemd, processes, retired } = world({ 'hand.service': { program } }, fallsBack);
    const pid = await zoo.start(server, ['302']);
    const { startTime } = new ProcessTable().read(pid, ['startTime']) ?? assert.fail();
    processes.running = [{ pid, startTime }];
    const reason = new RegExp(`^hand\\.service is inactive \\(dead\\), and its program runs outside of it \\(pid ${pid}\\): `);
    const outcome = await restart('hand');
    assert.match(outcome.kind === 'failed' ? outcome.reason : '', reason);
    const { stops, starts, refusals } = await strategy.preview(managed('hand'), never);
    assert.deepEqual([stops, starts, refusals.length], [[], [], 1]);
    assert.match(refusals.join(), reason);
    // Nothing was touched, neither what an earlier fallback started.
    assert.deepEqual([systemd.calls, processes.restarts, retired], [[], [], []]);
    process.kill(pid, 'SIGKILL');
    await waitFor('end', () => !isAlive(pid));
    assert.equal((await restart('hand')).kind, 'restarted');
  }
  const { restart, processes } = world({ 'hand.service': { program } });
  const pid = await zoo.start(client, ['302']);
  const { startTime } = new ProcessTable().read(pid, ['startTime']) ?? assert.fail();
  processes.running = [{ pid, startTime }];
  processes.marked = { argument: '302' };
  assert.equal((await restart('hand')).kind, 'failed');
  processes.marked = {};
  assert.equal((await restart('hand')).kind, 'restarted');
});

test('also not beside what we have started of it under another name; what stands in for the unit is ended first', async (t) => {
  const zoo = openZoo(t);
  const path = zoo.sleeper('handd');
  const pid = await zoo.start(path, ['303']);
  const { read } = ProcessTable.prototype;
  t.after(() => {
    ProcessTable.prototype.read = read;
  });
  const startedIn = (unit: string): void => {
    ProcessTable.prototype.read = function (this: ProcessTable, of: number, ...rest: unknown[]) {
      const seen = Reflect.apply(read, this, [of, ...rest]);
      return seen !== undefined && of === pid ? { ...seen, unit } : seen;
    } as typeof read;
  };
  const units = { 'hand.service': { program: { path, argv: [path, '303'] } } };
  for (const [fallsBack, unit, isBeside] of [
    [false, appUnit('by-another-name'), true],
    [true, appUnit('by-another-name'), true],
    [false, appUnit('hand'), true],
    [true, appUnit('hand'), false],
    [true, appUnit('hand', 2), false],
    [true, appUnit('by-another-name', 2), true],
    [false, 'other.service', false],
  ] as const) {
    startedIn(unit);
    const { restart, strategy, retired } = world(units, fallsBack);
    const { refusals } = await strategy.preview(managed('hand'), never);
    assert.deepEqual([refusals.length > 0, retired], [isBeside, []], unit);
    assert.equal((await restart('hand')).kind, isBeside ? 'failed' : 'restarted', unit);
  }
});

test('a program whose unit is masked is not started: that of its path, of its own name, or the one that it lived in', async () => {
  const { strategy, systemd, processes, roots } = world(
    {
      'maskd.service': { loadState: 'masked', aliases: ['alias.service'] },
      'xu.service': { loadState: 'masked' },
      'up.service': { state: 'active' },
    },
    true,
  );
  roots.set('xud', [{ pid: 4711, startTime: 1, unit: 'xu.service' }]);
  for (const [process, unit] of [
    [managed('maskd', '/opt/m/maskd'), 'maskd'],
    [managed('row', '/opt/m/alias'), 'maskd'],
    [managed('maskd', 'own-build'), 'maskd'],
    [managed('xud'), 'xu'],
  ] as const) {
    const reason = `${unit}.service is masked`;
    assert.deepEqual(await strategy.resolve(process, never), { kind: 'refused', reason });
    assert.deepEqual(await strategy.restart(attemptOn(process)), { kind: 'failed', reason });
    assert.deepEqual(await strategy.preview(process, never), { stops: ['pid 1234'], starts: [], refusals: [reason] });
    // A hold on it holds it all the same.
    const meant = await strategy.means(process, never);
    assert.equal(meant.kind === 'target' && meant.key, process.systemName);
  }
  assert.deepEqual(processes.restarts, []);
  // Which unit it is has been said: that one is not masked.
  assert.equal((await strategy.resolve(managed('maskd', 'up'), never)).kind, 'target');
  const { show } = systemd;
  systemd.show = async (name, signal) =>
    name === 'maskd.service' ? { kind: 'failed', reason: 'no answer' } : show.call(systemd, name, signal);
  assert.deepEqual(await strategy.resolve(managed('maskd', '/opt/m/maskd'), never), {
    kind: 'refused',
    reason: 'systemd does not say what maskd.service is: no answer',
    unanswered: true,
  });
});

test('a unit that still has a job is not given up, and one whose restart is not wanted any more is not either', async () => {
  const waiting = world({ 'app.service': {} }, true);
  const app = waiting.unit('app.service');
  app.job = () => {
    app.set({ hasJob: true });
    return new Promise(() => {});
  };
  const outcome = await waiting.restart('app');
  assert.match(
    outcome.kind === 'failed' ? outcome.reason : '',
    /a job of systemd for app\.service, which is \w+, is under way/,
  );
  assert.deepEqual(waiting.processes.restarts, []);
  const { strategy, clock, processes } = world({ 'app.service': { refusesStart: true } }, true);
  const attempt = { ...attemptOn(managed('app')), isUnwanted: async () => true };
  assert.equal((await settled(clock, strategy.restart(attempt))).kind, 'failed');
  assert.deepEqual(processes.restarts, []);
});

test('if unit and program both fail, one line has both reasons; the last lines of the unit, or of the program in its place, come with it', async () => {
  const explanation = { reason: undefined, output: ['no such port'] };
  for (const output of [undefined, ['no such file']]) {
    const { restart, processes } = world({ 'app.service': { refusesStart: true, explanation } }, true);
    processes.outcome = { kind: 'failed', reason: 'it ended', ...(output && { output }) };
    const outcome = await restart('app');
    assert.deepEqual(outcome, {
      kind: 'failed',
      reason: 'systemctl start app.service: control process exited with error code: no such port; then as a process: it ended',
      output: output ?? ['no such port'],
    });
  }
});
