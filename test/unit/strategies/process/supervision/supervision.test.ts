import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KeeperProcess, RootProcess } from '../../../../../src/core/program/roots.ts';
import type { ProcessTree } from '../../../../../src/strategies/process/identity/identity.ts';
import { keepersAbove, lookAtKeeper } from '../../../../../src/strategies/process/supervision/keepers.ts';
import { parentKind } from '../../../../../src/strategies/process/supervision/kinds.ts';
import { restartedByOthers } from '../../../../../src/strategies/process/supervision/restart-by-others.ts';
import { Supervision } from '../../../../../src/strategies/process/supervision/supervision.ts';
import { ProcessLook } from '../../../../../src/system/proc/look.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import type { ServiceManager } from '../../../../../src/system/systemd/service-manager.ts';
import { FakeClock } from '../../../../helpers/fake-clock.ts';
import { memoryState } from '../../../../helpers/memory-state.ts';
import { pidsNamed } from '../../../../helpers/pids-named.ts';
import { attemptFor, managed, processStrategyWorld } from '../../../../helpers/process-strategy-world.ts';
import { seenNow, treeOf } from '../../../../helpers/process-trees.ts';
import { isAlive, unique } from '../../../../helpers/process-zoo.ts';
import { missing } from '../../../../helpers/requirement.ts';
import { never, silentLog } from '../../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

test('every known kind is known, by what it really looks like', () => {
  const python = '/usr/bin/python3.11';
  const node = '/usr/bin/node';
  const looks: readonly [expected: string, comm: string, argv: readonly string[], executable?: string | undefined][] = [
    ['supervisor supervisord', 'supervisord', [python, '/usr/bin/supervisord', '-n', '-c', '/etc/s.conf'], python],
    ['supervisor supervisord', 'python3', ['python3', '-u', '/opt/venv/bin/supervisord'], python],
    ['supervisor supervisord', 'python3', ['python3', '-m', 'supervisor.supervisord'], python],
    ['supervisor supervisord', 'supervisord', ['supervisord', '-d'], '/usr/local/bin/supervisord'],
    ['supervisor pm2', 'PM2 v5.3.0: God', ['PM2 v5.3.0: God Daemon (/root/.pm2)'], node],
    ['supervisor pm2', 'node', ['node', '/usr/local/bin/pm2-runtime', 'start', 'app.js'], node],
    ['supervisor forever', 'node', [node, '/usr/lib/node_modules/forever/bin/monitor', '/srv/app.js'], node],
    ['supervisor systemd --user', 'systemd', ['/lib/systemd/systemd', '--user'], '/usr/lib/systemd/systemd'],
    ['supervisor runsv', 'runsv', ['runsv', 'zc'], '/usr/bin/runsv'],
    ['supervisor s6-supervise', 's6-supervise', ['s6-supervise', 'zc'], undefined],
    ['supervisor supervise', 'supervise', ['supervise', 'zc'], '/usr/bin/supervise'],
    ['supervisor monit', 'monit', ['/usr/bin/monit', '-I'], '/usr/bin/monit'],
    ['supervisor circusd', 'circusd', [python, '/usr/local/bin/circusd', 'c.ini'], python],
    ['supervisor conmon', 'conmon', ['/usr/bin/conmon', '--api-version', '1'], '/usr/bin/conmon'],
    [
      'supervisor containerd-shim',
      'containerd-shim',
      ['/usr/bin/containerd-shim-runc-v2', '-id', 'x'],
      '/usr/bin/containerd-shim-runc-v2',
    ],
    // A script that does a supervisor's work under its name.
    ['supervisor runsv', 'runsv', ['/bin/sh', '/opt/bin/runsv', 'zc'], '/bin/dash'],
    ['shell dash', 'mysqld_safe', ['/bin/sh', '/usr/bin/mysqld_safe'], '/usr/bin/dash'],
    ['shell bash', 'bash', ['-bash'], '/usr/bin/bash'],
    ['shell bash', 'bash', ['bash', '-c', '/usr/bin/monit'], '/usr/bin/bash'],
    ['shell sh', 'sh', ['sh', '/start.sh'], '/bin/busybox'],
    ['other busybox', 'crond', ['crond', '-f'], '/bin/busybox'],
    ['wrapper su', 'su', ['su', 'app', '-c', 'zc'], '/usr/bin/su'],
    ['wrapper strace', 'strace', ['strace', '-f', 'zc'], '/usr/bin/strace'],
    ['wrapper npm start --pre', 'npm start --pre', ['npm start --prefix /srv/k/npm'], node],
    ['wrapper node', 'node', ['node', '/usr/bin/yarn', 'start'], node],
    ['wrapper node', 'node', ['node', '/usr/lib/node_modules/npm/bin/npx-cli.js', 'zc'], node],
    ['other npm', 'npm', ['npm'], '/opt/npm'],
    ['other systemd', 'systemd', ['/sbin/init'], '/usr/lib/systemd/systemd'],
    ['other vim', 'vim', ['vim', '/etc/monit'], '/usr/bin/vim'],
    ['other python3', 'python3', ['python3', '/opt/keep.py', 'supervisord'], python],
    ['other cron', 'cron', ['/usr/sbin/cron', '-f'], '/usr/sbin/cron'],
  ];
  for (const [expected, name, argv, executable] of looks) {
    const found = parentKind({ pid: 9, name, argv, terminalDevice: 0, ...(executable !== undefined && { executable }) });
    const shown = expected === 'other busybox' ? 'other crond' : expected;
    assert.equal(`${found.kind} ${found.name}`, shown, `${name}: ${argv.join(' ')}`);
  }
});

/** What a made-up process is like. */
interface Made {
  readonly uid?: number;
  readonly exe?: string;
  readonly argv?: readonly string[];
  readonly terminal?: number;
  readonly cgroup?: string;
  readonly state?: string;
  readonly startTime?: number;
}

/** A /proc of made-up processes. */
function madeUp(t: TestContext) {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'uptime'), '1000.00 1000.00');
  const make = (pid: number, ppid: number, comm: string, made: Made = {}): KeeperProcess => {
    const { uid = 0, exe = `/usr/bin/${comm}`, argv = [comm], terminal = 0, cgroup = '/', state = 'S', startTime = pid } = made;
    const folder = join(dir, `${pid}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(
      join(folder, 'stat'),
      `${pid} (${comm}) ${state} ${ppid} ${pid} ${pid} ${terminal} -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 0`,
    );
    writeFileSync(join(folder, 'status'), `Name:\t${comm}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t0\t0\t0\t0\n`);
    writeFileSync(join(folder, 'cmdline'), argv.map((word) => `${word}\0`).join(''));
    writeFileSync(join(folder, 'cgroup'), `0::${cgroup}\n`);
    symlinkSync(exe, join(folder, 'exe'));
    return { pid, startTime };
  };
  const end = (pid: number): void => rmSync(join(dir, `${pid}`), { recursive: true });
  return { table: new ProcessTable(dir), make, end };
}

test('who above a program may start it again: never PID 1, us, a stranger, or a shell of our own commands', (t) => {
  const { table, make } = madeUp(t);
  const app = { cgroup: '/system.slice/monitor_service-app-zc.service' };
  make(1, 0, 'systemd', { argv: ['/sbin/init'] });
  make(10, 1, 'supervisord');
  make(11, 10, 'bash');
  make(20, 1, 'cron');
  make(21, 20, 'sh', { exe: '/bin/dash' });
  make(30, 1, 'bash');
  make(31, 30, 'su');
  make(40, 1, 'keepd', { uid: 1000 });
  make(50, 1, 'bash', app);
  make(51, 1, 'bash', { cgroup: '/system.slice/monitor_service-run-a1.service' });
  make(52, 1, 'bash', { cgroup: '/system.slice/monitor_service-app-other.service' });
  make(60, 1, 'bash', { terminal: 34816 });
  make(61, 60, 'keepd');
  make(70, 1, 'systemd', { argv: ['systemd', '--user'], uid: 1000 });
  make(80, 10, 'npm');
  make(81, 80, 'node');
  make(90, 1, 'late', { startTime: 999 });
  make(91, 1, 'loop', { exe: '/bin/dash' });
  make(92, 91, 'perl');
  make(93, 92, 'sh', { exe: '/bin/dash' });
  make(94, 1, 'keepd');
  make(95, 94, 'strace');
  const user = '/user.slice/user-1000.slice/user@1000.service';
  const above = (ppid: number, made: Made = {}, ownPid = 81): number[] => {
    const root = make(100, ppid, 'zc', made);
    return keepersAbove({ table, ownPid, argvOf: argvIn(table) }, root, 'zc').map(({ pid }) => pid);
  };
  assert.deepEqual(above(1), []);
  assert.deepEqual(above(10), [10]);
  assert.deepEqual(above(11), [11, 10], 'a wrapper script of supervisord’s ends with the program');
  assert.deepEqual(above(21), [21], 'cron lives on, and starts nothing again');
  assert.deepEqual(above(31), [31, 30], 'the loop is above su');
  assert.deepEqual(
    [above(92), above(93)],
    [
      [92, 91],
      [93, 91],
    ],
    'the loop is above what it waits for',
  );
  assert.deepEqual(above(95), [95, 94]);
  assert.deepEqual(above(40), [], 'a stranger');
  assert.deepEqual(above(40, { uid: 1000 }), [40]);
  assert.deepEqual([above(50), above(51), above(52)], [[], [], [52]]);
  assert.deepEqual(above(60), [60]);
  assert.deepEqual(above(61), [61], 'somebody at work is above it');
  assert.deepEqual(above(70, { uid: 1000, cgroup: `${user}/app.slice/zc.service` }), [70]);
  assert.deepEqual(above(70, { uid: 1000, cgroup: `${user}/init.scope` }), [], 'left behind in a session');
  assert.deepEqual(above(81), [], 'ourselves');
  assert.deepEqual(above(80), [], 'who started us');
  assert.deepEqual(above(10, {}, 81), [10], 'a supervisor of both of us');
  assert.deepEqual(above(90), [], 'another process under the old number');
  assert.deepEqual(
    keepersAbove({ table, ownPid: 81, argvOf: argvIn(table) }, { pid: 100, startTime: 1 }, 'zc'),
    [],
    'another program',
  );
  const counts = (pid: number, startsAgain?: true) =>
    lookAtKeeper({ table, argvOf: argvIn(table) }, { pid, startTime: pid, ...(startsAgain && { startsAgain }) })?.counts;
  assert.deepEqual(
    [10, 11, 21, 60, 61, 31].map((pid) => counts(pid)),
    [true, true, true, false, false, false],
  );
  assert.deepEqual(
    [60, 61, 31].map((pid) => counts(pid, true)),
    [false, true, false],
  );
});

const argvIn =
  (table: ProcessTable) =>
  ({ pid }: { readonly pid: number }): readonly string[] | undefined =>
    table.read(pid, ['argv'])?.argv;

/** A supervision over made-up processes, and how long the program, which has ended, is waited for; then who is meant. */
function supervised(t: TestContext, waitMs = 10_000) {
  const { table, make, end } = madeUp(t);
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = { ...silentLog, info: (line: string) => void lines.push(line) };
  const state = memoryState();
  const anew = (): Supervision => new Supervision({ table, clock, log, roots: state.roots, waitMs });
  let supervision = anew();
  const tree = (pid: number): ProcessTree => treeOf(seenNow(table, pid));
  const waited = async (during: (passedMs: number) => void = () => {}): Promise<number> => {
    const begun = clock.monotonicMs();
    let over = false;
    const runs = (): boolean => {
      during(clock.monotonicMs() - begun);
      supervision.saw('zc', [], new ProcessLook(table).all);
      supervision.logWait(managed('zc'));
      return false;
    };
    const parts = { services: {} as ServiceManager, clock };
    void restartedByOthers([], () => supervision.awaited('zc')?.leftMs ?? 0, runs, parts, never).then(() => {
      over = true;
    });
    await clock.until(() => over);
    return clock.monotonicMs() - begun;
  };
  const record = (roots: readonly RootProcess[]): void => state.roots.set('zc', roots);
  return {
    make,
    end,
    clock,
    lines,
    waited,
    record,
    saw: (...pids: readonly number[]) => supervision.saw('zc', pids.map(tree), new ProcessLook(table).all),
    now: () => supervision,
    /** Another life of the daemon, which knows what was written down. */
    restart: () => {
      supervision = anew();
    },
  };
}

test('a known supervisor has its time once, whoever waits; it is reported once, and over when it dies', async (t) => {
  const { make, end, clock, lines, waited, saw, now } = supervised(t);
  make(10, 1, 'runsv');
  make(100, 10, 'zc');
  saw(100);
  assert.deepEqual(now().supervisorState('zc'), { description: 'runsv (pid 10)', leftMs: 0 });
  assert.equal(now().keeperLine('zc'), 'kept by runsv (pid 10): given 10 s to start it again');
  end(100);
  assert.equal(await waited(), 10_000);
  assert.equal(await waited(), 0, 'an alarm of the same end does not wait again');
  assert.deepEqual(lines, ['zc does not run: runsv (pid 10) is given 10 s to start it again']);
  make(101, 10, 'zc');
  saw(101);
  end(101);
  now().saw('zc', [], new Map());
  await clock.advance(4000);
  assert.equal(await waited(), 6000);
  assert.equal(lines.length, 2);
  make(102, 10, 'zc');
  saw(102);
  end(102);
  const waitedMs = await waited((passedMs) => passedMs >= 3000 && make(10, 1, 'runsv', { state: 'Z' }));
  assert.ok(waitedMs >= 3000 && waitedMs <= 3500, `${waitedMs}`);
});

test('another parent has 1.5 s, until it was seen to start that name twice; supervisor_wait rules both', async (t) => {
  for (const [waitMs, first, later] of [
    [10_000, 1500, 10_000],
    [1000, 1000, 1000],
    [0, 0, 0],
  ] as const) {
    const { make, end, waited, saw, now, lines, record, restart } = supervised(t, waitMs);
    make(10, 1, 'keepd');
    make(100, 10, 'zc');
    saw(100);
    assert.equal(now().of('zc'), undefined);
    end(100);
    assert.equal(await waited(), first);
    assert.deepEqual(lines, []);
    make(101, 10, 'zc');
    saw(101);
    assert.equal(now().of('zc')?.description, 'keepd (pid 10)');
    record([now().withKeepers('zc', { pid: 101, startTime: 101 })]);
    restart();
    end(101);
    assert.equal(await waited(), later, 'also after a restart of the daemon');
    make(102, 1, 'zc');
    saw(102);
    end(102);
    assert.equal(await waited(), 0, 'the last one was nobody’s');
  }
});

test('two copies of one parent are two starts; a shell with a terminal never counts', (t) => {
  const { make, saw, now } = supervised(t);
  make(10, 1, 'keepd');
  make(100, 10, 'zc');
  make(101, 10, 'zc');
  saw(100, 101);
  assert.equal(now().of('zc')?.description, 'keepd (pid 10)');
  make(20, 1, 'bash', { terminal: 34816 });
  make(102, 20, 'zc');
  saw(102);
  make(103, 20, 'zc');
  saw(103);
  assert.equal(now().of('zc'), undefined);
});

test('a dead program is left to a loop that began before the daemon, and to a title of pm2’s; not for ever', async (t) => {
  for (const called of ['bash', 'PM2 v5.3.0: God Daemon (/root/.pm2)', 'runsv']) {
    const world = processStrategyWorld(t);
    const name = unique('zloop');
    const loop = `while :; do ${world.zoo.sleeper(name)} 300; sleep 2; done`;
    const keeper = await world.zoo.start('/bin/bash', ['-c', 'exec -a "$0" bash -c "$1"', called, loop]);
    const pid = await waitFor('it runs', () => pidsNamed(name)[0]);
    await world.strategy().observe(managed(name));
    assert.equal(world.parts.roots.get(name)[0]?.keepers?.[0]?.pid, keeper);
    // Another one, as after a restart of the daemon.
    const strategy = world.strategy();
    process.kill(pid, 'SIGKILL');
    await waitFor('it is dead', () => !isAlive(pid));
    const outcome = await strategy.restart(attemptFor(name));
    const by = called.startsWith('PM2') ? 'pm2' : called;
    assert.match(
      outcome.kind === 'restarted' ? outcome.detail : JSON.stringify(outcome),
      new RegExp(`^nothing was running, its supervisor ${by} \\(pid ${keeper}\\) started pid \\d+$`),
    );
    assert.equal(pidsNamed(name).length, 1);
    assert.equal(world.launched.length, 0);
    // What it started since the alarm was seen is not what the alarm was about.
    const [fresh] = pidsNamed(name);
    const alarmed = { ...attemptFor(name), alarmSinceMs: world.parts.clock.monotonicMs() - 60_000 };
    const again = await strategy.restart(alarmed);
    assert.match(again.kind === 'restarted' ? again.detail : '', /^since the alarm its supervisor .* started pid \d+$/);
    assert.deepEqual(pidsNamed(name), [fresh]);

    const impatient = world.strategy({ supervisorWaitMs: 0 });
    process.kill(fresh ?? 0, 'SIGKILL');
    await waitFor('it is dead, too', () => !isAlive(fresh ?? 0));
    process.kill(keeper, 'SIGSTOP');
    assert.equal((await impatient.restart(attemptFor(name))).kind, 'restarted');
    assert.equal(world.launched.length, 1);
  }
});

test('a loop in a shell with a terminal is somebody at work: its program is not waited for', {
  skip: missing('script'),
}, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zterm');
  const loop = `while :; do ${world.zoo.sleeper(name)} 300; sleep 600; done`;
  const command = `exec bash -c '${loop}'`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, ZOO: world.zoo.dir, SHELL: '/bin/bash' },
    detached: true,
  });
  t.after(() => terminal.kill('SIGKILL'));
  const pid = await waitFor('it runs', () => pidsNamed(name)[0]);
  await world.strategy().observe(managed(name));
  process.kill(pid, 'SIGKILL');
  await waitFor('it is dead', () => !isAlive(pid));
  const begun = performance.now();
  const outcome = await world.strategy({ supervisorWaitMs: 300_000 }).restart(attemptFor(name));
  assert.match(
    outcome.kind === 'restarted' ? outcome.detail : JSON.stringify(outcome),
    /^nothing was running, started pid \d+$/,
  );
  assert.ok(performance.now() - begun < 60_000);
});

test('what runs by the time of the start is not started a second time', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zlast');
  const path = world.zoo.sleeper(name);
  const strategy = world.strategy({ startCommand: `exec ${path} 300`, maxMatches: 2 });
  let looks = 0;
  const table = world.table;
  const survey = table.survey.bind(table);
  Object.assign(table, {
    survey: async (...args: Parameters<typeof survey>) => {
      const begun = performance.now();
      const seen = await survey(...args);
      // While it is planned how to start it somebody else does.
      if (++looks === 1) {
        const pid = await world.zoo.start(path);
        await waitFor('it is executed', () => pidsNamed(name).includes(pid));
        // A look that has just been taken would do.
        await waitFor('some time has passed', () => performance.now() - begun > 50);
      }
      return seen;
    },
  });
  const outcome = await strategy.restart(attemptFor(name));
  assert.match(
    outcome.kind === 'restarted' ? outcome.detail : JSON.stringify(outcome),
    /^nothing was running, not started: somebody else started pid \d+$/,
  );
  assert.equal(pidsNamed(name).length, 1);
});
