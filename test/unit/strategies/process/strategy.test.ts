import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { FakeClock } from '../../../helpers/fake-clock.ts';
import { FakeSystemd } from '../../../helpers/fake-systemd.ts';
import {
  attemptFor,
  managed,
  type ProcessStrategyWorld,
  processStrategyWorld,
} from '../../../helpers/process-strategy-world.ts';
import { isAlive, unique } from '../../../helpers/process-zoo.ts';
import { never } from '../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const isRoot = process.getuid?.() === 0;

function pidsNamed({ table }: ProcessStrategyWorld, name: string): number[] {
  const found = table.list(['name', 'executable', 'state', 'threads']).filter((p) => p.state !== 'Z');
  return found.filter((p) => p.name === name || p.executable?.endsWith(`/${name}`)).map(({ pid }) => pid);
}

test('a running program is stopped and started again as it was', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zw');
  const env = {
    PATH: '/bin',
    ZOO: world.zoo.dir,
    X: 'a b',
    NOTIFY_SOCKET: '/run/x',
    MONITOR_ATTEMPT: '3',
    MONITOR_SYSTEM_NAME: name,
  };
  const pid = await world.zoo.start(world.zoo.sleeper(name), ['300', '0.5', '1'], { cwd: world.zoo.dir, env });
  const strategy = world.strategy();
  const attempt = attemptFor(name);
  const outcome = await strategy.restart(attempt);
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  assert.ok(!isAlive(pid));
  const [fresh, ...others] = pidsNamed(world, name);
  assert.ok(fresh !== undefined && others.length === 0);
  assert.match(outcome.kind === 'restarted' ? outcome.detail : '', new RegExp(`^stopped 1 process, started pid ${fresh}$`));
  const seen = world.table.read(fresh, ['argv', 'cwd', 'environment']);
  assert.deepEqual(seen?.argv, [join(world.zoo.dir, name), '300', '0.5', '1']);
  assert.equal(seen.cwd, world.zoo.dir);
  assert.deepEqual([...(seen.environment ?? [])].sort(), [
    `MONITOR_RUN_ID=${attempt.runId}`,
    'PATH=/bin',
    'X=a b',
    `ZOO=${world.zoo.dir}`,
  ]);
  assert.deepEqual(await strategy.checkHealth(managed(name), 10_000, never), { kind: 'healthy' });
});

test('if nothing could be started now, nothing is stopped either', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zu');
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  Object.assign(world.parts.programs, { unready: async () => 'systemd does not answer' });
  const outcome = await world.strategy().restart(attemptFor(name));
  assert.deepEqual(outcome, { kind: 'failed', reason: 'not started: systemd does not answer' });
  assert.ok(isAlive(pid));
});

test('a dead program is started from what was recorded while it lived, empty arguments and all', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zr');
  const path = world.zoo.script(name, '#!/bin/bash\nwhile :; do sleep 300; done\n');
  const pid = await world.zoo.start(path, ['', 'x y', '']);
  const strategy = world.strategy();
  await waitFor('comm', () => world.table.read(pid, ['name'])?.name === name);
  await strategy.observe(managed(name));
  const record = world.parts.launches.get(name);
  assert.deepEqual([record?.executable, record?.argv], [path, [path, '', 'x y', '']]);
  process.kill(pid, 'SIGKILL');
  await waitFor('end', () => !isAlive(pid));
  const outcome = await strategy.restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  const fresh = await waitFor('new one', () => pidsNamed(world, name)[0]);
  assert.deepEqual(world.table.read(fresh, ['argv'])?.argv, ['/bin/bash', path, '', 'x y', '']);
});

test('neighbours by name survive, and hostile names are just names', async (t) => {
  const world = processStrategyWorld(t);
  for (const base of ['zworker', 'z y', 'z) S 1 (', 'z\nb', 'z%s', 'zș', 'z$(id)', '-z', 'zNetworkManager-dispatch']) {
    const name = unique(base);
    const neighbours = [`${name}2`, `my-${name}`, name.slice(0, -1), `${name.toUpperCase()}X`];
    const alive = await Promise.all(neighbours.map((other) => world.zoo.start(world.zoo.sleeper(other))));
    const bystander = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true', name, `/x/${name}`]);
    const pid = await world.zoo.start(world.zoo.sleeper(name));
    const outcome = await world.strategy().restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', `${name}: ${JSON.stringify(outcome)}`);
    assert.ok(!isAlive(pid));
    for (const other of [...alive, bystander]) assert.ok(isAlive(other), name);
  }
});

test('a tree goes whole: workers, children of other names, those with a session of their own, those that fork on TERM', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('ztree');
  const path = world.zoo.script(
    name,
    `#!/bin/bash
    [ "$1" = worker ] && exec sleep 301
    trap 'sleep 302 & sleep 303 & disown -a; exit' TERM
    "$0" worker & "$0" worker & setsid bash -c 'sleep 304; true' & sleep 305 &
    : > ${world.zoo.dir}/ready
    while :; do wait; done
    `,
  );
  const root = await world.zoo.start(path, []);
  await waitFor('tree', () => existsSync(join(world.zoo.dir, 'ready')));
  const ofZoo = () =>
    world.table
      .list(['environment', 'state'])
      .filter((p) => p.state !== 'Z' && p.environment?.includes(`ZOO=${world.zoo.dir}`))
      .map(({ pid }) => pid);
  await waitFor('all of it', () => ofZoo().length >= 6);
  const strategy = world.strategy({ startCommand: 'true' });
  const preview = await strategy.preview(managed(name), never);
  assert.equal(preview.stops.length, 1);
  assert.match(preview.stops[0] ?? '', new RegExp(`^pid ${root}, .* with [5-9] descendants: `));
  const outcome = await strategy.restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  assert.deepEqual(ofZoo(), []);
});

test('what ignores TERM is killed after stop_timeout, what is suspended is stopped at once', async (t) => {
  const world = processStrategyWorld(t);
  const deaf = unique('zdeaf');
  const path = world.zoo.script(deaf, `#!/bin/bash\ntrap '' TERM\n: > ${world.zoo.dir}/deaf\nwhile :; do sleep 1; done\n`);
  const pid = await world.zoo.start(path, []);
  await waitFor('trap', () => existsSync(join(world.zoo.dir, 'deaf')));
  const outcome = await world.strategy({ stopTimeoutMs: 300 }).restart(attemptFor(deaf));
  assert.match(outcome.kind === 'restarted' ? outcome.detail : '', /^stopped \d+ processes \(\d+ by SIGKILL\), started pid /);
  assert.ok(!isAlive(pid));

  const frozen = unique('zfrozen');
  const sleeping = await world.zoo.start(world.zoo.sleeper(frozen));
  process.kill(sleeping, 'SIGSTOP');
  await waitFor('stopped', () => world.table.read(sleeping, ['state'])?.state === 'T');
  assert.match(JSON.stringify(await world.strategy().checkHealth(managed(frozen), 50, never)), /suspended/);
  const thawed = await world.strategy().restart(attemptFor(frozen));
  assert.match(thawed.kind === 'restarted' ? thawed.detail : '', /^stopped 1 process, started/);
  assert.ok(!isAlive(sleeping));
});

test('a zombie is nothing: the program is started', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zzombie');
  const short = world.zoo.sleeper(name);
  const parent = await world.zoo.start('/bin/bash', ['-c', `${short} 0.01 & exec sleep 300`]);
  await waitFor('zombie', () => world.table.list(['ppid', 'state']).find((p) => p.ppid === parent && p.state === 'Z'));
  const strategy = world.strategy({ startCommand: `exec ${short} 300` });
  assert.equal((await strategy.checkHealth(managed(name), 10, never)).kind, 'unhealthy');
  const outcome = await strategy.restart(attemptFor(name));
  assert.match(outcome.kind === 'restarted' ? outcome.detail : '', /^nothing was running, started pid/);
  assert.ok(isAlive(parent));
});

test('two programs of one name are refused unless max_matches allows them; then each is started as it was', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('ztwo');
  const path = world.zoo.sleeper(name);
  const pids = [await world.zoo.start(path, ['300', '1']), await world.zoo.start(path, ['300', '2'])];
  const refused = await world.strategy().restart(attemptFor(name));
  assert.equal(refused.kind, 'failed');
  const reason = refused.kind === 'failed' ? refused.reason : '';
  for (const pid of pids) assert.ok(isAlive(pid) && reason.includes(String(pid)), reason);
  assert.match(reason, /^ambiguous: 2 copies run \(pid .*\), max_matches is 1$/);
  assert.match((await world.strategy().preview(managed(name), never)).refusals.join(), /ambiguous/);

  const outcome = await world.strategy({ maxMatches: 2 }).restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  for (const pid of pids) assert.ok(!isAlive(pid));
  const started = pidsNamed(world, name).map((pid) => world.table.read(pid, ['argv'])?.argv?.slice(1).join(' '));
  assert.deepEqual(started.sort(), ['300 1', '300 2']);
});

test('workers that outlived their recorded master are one tree, started as the master was', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zorphan');
  const path = world.zoo.script(
    name,
    '#!/bin/bash\nwork() { while :; do sleep 300; done; }\nwork & work & work &\nwhile :; do sleep 300; done\n',
  );
  const master = await world.zoo.start(path, ['master']);
  await waitFor('workers', () => pidsNamed(world, name).length === 4);
  const strategy = world.strategy();
  await strategy.observe(managed(name));
  process.kill(master, 'SIGKILL');
  await waitFor('orphans', () => !isAlive(master) && pidsNamed(world, name).length === 3);
  // A daemon that was started anew meanwhile knows whose they are, too, however often it looks.
  const anew = world.strategy();
  await anew.observe(managed(name));
  await anew.observe(managed(name));
  const outcome = await anew.restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  await waitFor('new tree', () => pidsNamed(world, name).length === 4);
});

test('a worker without rights that outlived its master does not show how to start it', {
  skip: !isRoot && 'needs root',
}, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zrights');
  const path = world.zoo.script(
    name,
    '#!/usr/bin/perl\nif (!fork) { ($(, $)) = (65534, "65534 65534"); $< = $> = 65534; }\nsleep 300;\n',
  );
  const master = await world.zoo.start(path, []);
  await waitFor('worker', () => pidsNamed(world, name).length === 2);
  await world.strategy().observe(managed(name));
  const worker = pidsNamed(world, name).find((pid) => pid !== master) ?? 0;
  await waitFor('drop', () => world.table.read(worker, ['uids'])?.uids?.saved === 65534);
  process.kill(master, 'SIGKILL');
  await waitFor('end', () => !isAlive(master));
  const late = world.strategy();
  await late.observe(managed(name));
  assert.equal(world.parts.launches.get(name)?.uid, 0);
  assert.equal((await late.restart(attemptFor(name))).kind, 'restarted');
  assert.deepEqual(
    world.launched.map(({ uid }) => uid),
    [0],
  );
  assert.ok(!isAlive(worker));
});

test("another pid namespace's processes are not ours", { skip: !isRoot && 'needs root' }, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zcontained');
  const path = world.zoo.sleeper(name);
  await world.zoo.start('/usr/bin/unshare', ['--pid', '--fork', '--kill-child', path, '300']);
  const inside = await waitFor('contained', () => pidsNamed(world, name)[0]);
  const pid = await world.zoo.start(path);
  const outcome = await world.strategy().restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  assert.ok(isAlive(inside) && !isAlive(pid));
});

test('nothing is stopped if nothing could be started', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('ztitle');
  const pid = await world.zoo.start('/bin/bash', ['-c', `exec -a "${name}: master process" cat < <(sleep 300)`]);
  await waitFor('title', () => world.table.read(pid, ['argv'])?.argv?.[0] !== '/bin/bash');
  for (const configured of [false, true]) {
    const outcome = await world.strategy({ configured }).restart(attemptFor(name));
    assert.match(
      outcome.kind === 'failed' ? outcome.reason : '',
      /^nothing to start: how it was started .*; set start_command$/,
    );
    assert.ok(outcome.kind === 'failed' && !outcome.final, 'what runs may be read by the next attempt');
    assert.ok(isAlive(pid));
  }
  const unknown = await world.strategy({ configured: true }).restart(attemptFor(unique('znever')));
  assert.match(
    unknown.kind === 'failed' ? unknown.reason : '',
    /^nothing to start: it has not been seen .* is in PATH; set start_command$/,
  );
  assert.ok(unknown.kind === 'failed' && unknown.final);
});

test('a program with a section of its own is found in PATH, a full path is itself', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zpath $(id) ; x');
  const path = world.zoo.script(name, `#!/bin/bash\necho "$#" > "${world.zoo.dir}/ran"\nexec sleep 300\n`);
  const before = process.env.PATH;
  process.env.PATH = `relative::${world.zoo.dir}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
  const strategy = world.strategy({ configured: true });
  assert.deepEqual((await strategy.preview(managed(name), never)).starts, [`${path}, without arguments`]);
  assert.equal((await world.strategy().restart(attemptFor(name))).kind, 'failed', 'not without a section');
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  await waitFor('ran', () => existsSync(join(world.zoo.dir, 'ran')));
  assert.equal(readFileSync(join(world.zoo.dir, 'ran'), 'utf8'), '0\n');

  const sleeper = world.zoo.sleeper(unique('zfull'));
  const pid = await world.zoo.start(sleeper);
  assert.equal((await strategy.restart(attemptFor(sleeper, true))).kind, 'restarted');
  assert.ok(!isAlive(pid));
});

test('stop_command stops it; one that fails does not save it; %s is judged first', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zstop');
  const path = world.zoo.sleeper(name);
  const start = { startCommand: `exec ${path} 300` };
  for (const [stopCommand, warned] of [
    ['kill "$(pidof -s %s)"; echo "$MONITOR_SYSTEM_NAME" > "$ZOO/stopped"', 0],
    ['exit 3', 1],
  ] as const) {
    const pid = await world.zoo.start(path);
    const outcome = await world.strategy({ ...start, stopCommand, stopTimeoutMs: 5000 }).restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    assert.ok(!isAlive(pid));
    assert.equal(world.warnings.length, warned, world.warnings.join());
    await world.strategy({ startCommand: 'true' }).restart(attemptFor(name));
  }
  assert.equal(readFileSync(join(world.zoo.dir, 'stopped'), 'utf8'), `${name}\n`);
  const hostile = unique('z;id');
  const pid = await world.zoo.start(world.zoo.sleeper(hostile));
  for (const options of [{ ...start, stopCommand: 'kill %s' }, { startCommand: 'start %s' }]) {
    const outcome = await world.strategy(options).restart(attemptFor(hostile));
    assert.match(outcome.kind === 'failed' ? outcome.reason : '', /_command: the name .* cannot stand for %s/);
    assert.ok(outcome.kind === 'failed' && outcome.final);
    assert.ok(isAlive(pid));
  }
});

test('a supervisor that starts it again is left to do so', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zsuper');
  const path = world.zoo.sleeper(name);
  const keeper = await world.zoo.start('/bin/bash', ['-c', `while :; do ${path} 300; sleep 0.3; done`]);
  const pid = await waitFor('child', () => pidsNamed(world, name)[0]);
  const outcome = await world.strategy().restart(attemptFor(name));
  assert.match(
    outcome.kind === 'restarted' ? outcome.detail : '',
    new RegExp(`^stopped 1 process, its supervisor bash \\(pid ${keeper}\\) started pid \\d+$`),
  );
  assert.ok(!isAlive(pid) && isAlive(keeper));
  assert.equal(pidsNamed(world, name).length, 1);
  assert.equal(world.launched.length, 0);
});

test('a program that has run for stable_time is well, a second unless said; 0: one that runs; a check is bounded', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zhealth');
  const strategy = world.strategy();
  const begun = performance.now();
  assert.equal((await strategy.checkHealth(managed(name), 250, never)).kind, 'unhealthy');
  assert.ok(performance.now() - begun < 5000);
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  for (const patient of [strategy, world.strategy({ stableTimeMs: 3_600_000 })])
    assert.match(
      JSON.stringify(await patient.checkHealth(managed(name), 1, never)),
      new RegExp(`pid ${pid} has been running for`),
    );
  assert.equal((await world.strategy({ stableTimeMs: 0 }).checkHealth(managed(name), 1, never)).kind, 'healthy');
  assert.equal((await strategy.checkHealth(managed(name), 10_000, never)).kind, 'healthy');
  assert.equal((await strategy.checkHealth(managed(name), 1, never)).kind, 'healthy');
});

test('the life of a program does not end with the first process of a daemon', async (t) => {
  const world = processStrategyWorld(t);
  const strategy = world.strategy();
  const forking = unique('zfork');
  const go = join(world.zoo.dir, 'go');
  const child = world.zoo.sleeper(forking);
  mkdirSync(join(world.zoo.dir, 'd'));
  const first = await world.zoo.start(
    world.zoo.script(`d/${forking}`, `#!/bin/bash\n${child} 300 & until [ -e ${go} ]; do sleep 0.02; done\n`),
  );
  await waitFor('both', () => world.table.list(['name']).filter((seen) => seen.name === forking).length === 2);
  const daemon = await strategy.life(managed(forking), never);
  writeFileSync(go, '');
  await waitFor('the first has ended', () => !isAlive(first));
  assert.equal(await daemon?.ended(never), undefined);
});

test('our own commands are neither recorded nor, for another process, matched', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zcheck');
  const path = world.zoo.sleeper(name);
  const running = world.parts.commands.run(
    {
      line: `exec ${path} 300`,
      kind: 'check',
      runId: 'check-1',
      description: 'check of other',
      environment: { MONITOR_ATTEMPT: '1', MONITOR_PROCESS_NAME: 'other', MONITOR_SYSTEM_NAME: 'other' },
      timeoutMs: 1000,
    },
    never,
  );
  const pid = await waitFor('command', () => pidsNamed(world, name)[0]);
  const strategy = world.strategy();
  assert.deepEqual((await strategy.preview(managed(name), never)).stops, []);
  await strategy.observe(managed(name));
  assert.equal(world.parts.launches.get(name), undefined);
  const own = await world.zoo.start(path, ['301'], {
    env: { ZOO: world.zoo.dir, MONITOR_ATTEMPT: '1', MONITOR_SYSTEM_NAME: name },
  });
  await strategy.observe(managed(name));
  assert.equal(world.parts.launches.get(name), undefined);
  process.kill(own, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  await running;
});

test('we and those above us are never touched', async (t) => {
  const world = processStrategyWorld(t);
  const parent = world.table.read(process.ppid, ['executable'])?.executable ?? '';
  const outcome = await world.strategy({ startCommand: 'true', maxMatches: 1000 }).restart(attemptFor(parent, true));
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', /is an ancestor of this monitor$/);
  const title = `zself${process.pid}`;
  process.title = title;
  assert.deepEqual((await world.strategy({ startCommand: 'true' }).preview(managed(title), never)).stops, []);
});

test('an aborted restart returns and starts nothing', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zabort');
  const path = world.zoo.script(name, `#!/bin/bash\ntrap '' TERM\n: > ${world.zoo.dir}/ready\nwhile :; do sleep 1; done\n`);
  await world.zoo.start(path, []);
  await waitFor('trap', () => existsSync(join(world.zoo.dir, 'ready')));
  const abort = new AbortController();
  const running = world.strategy().restart(attemptFor(name, false, abort.signal));
  setImmediate(() => abort.abort());
  const outcome = await running;
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', /aborted/);
  assert.equal(world.launched.length, 0);
});

test('resolve: the key is the name; what cannot be is refused', async (t) => {
  const strategy = processStrategyWorld(t).strategy();
  assert.deepEqual(await strategy.resolve(managed('nginx'), never), {
    kind: 'target',
    key: 'nginx',
    description: 'process nginx',
  });
  assert.equal((await strategy.resolve(managed('/opt/x'), never)).kind, 'refused');
  assert.equal((await strategy.resolve(managed('/opt/x', true), never)).kind, 'target');
  assert.equal((await strategy.resolve(managed('monitor_service'), never)).kind, 'refused');
});

test('the services of the system itself are not programs to restart, except in a section of their own', async (t) => {
  const world = processStrategyWorld(t);
  for (const name of ['systemd-journald', 'dbus-daemon', 'poweroff', 'monitor_service-run-1', 'x.socket']) {
    assert.equal((await world.strategy().resolve(managed(name), never)).kind, 'refused', name);
    assert.equal((await world.strategy().preview(managed(name), never)).refusals.length, 1, name);
    assert.equal((await world.strategy({ configured: true }).resolve(managed(name), never)).kind, 'target', name);
  }
});

test('what is known to run under its name must appear and last, also if another begins; what never ran under it shows nothing', async (t) => {
  const { zoo, strategy } = processStrategyWorld(t);
  const program = strategy({ stableTimeMs: 200 });
  const [name, other] = [unique('life'), unique('ghost')];
  const path = zoo.sleeper(name);
  assert.equal(await program.life(managed(name), never), undefined);
  const first = await zoo.start(path);
  const seen = await program.life(managed(name), never);
  assert(seen !== undefined && seen.ageMs < 60_000);
  assert.equal(await seen.ended(never), undefined);
  process.kill(first, 'SIGKILL');
  await waitFor('it is dead', () => !isAlive(first));
  assert.equal(await seen.ended(never), `pid ${first} has ended`);
  assert.equal(await (await program.life(managed(name), never))?.ended(never), 'no process of that name is running');
  const late = await program.life(managed(name), never);
  await zoo.start(path);
  assert.equal(await late?.ended(never), undefined);
  assert.equal(await seen.ended(never), `pid ${first} has ended`);
  assert.equal(await program.life(managed(other), never), undefined);
});

test('a process table that cannot be read is not one in which nothing runs', async (t) => {
  const { zoo, strategy } = processStrategyWorld(t);
  const found = await strategy({}, new ProcessTable(zoo.dir)).findRunning(managed('anything'), never);
  assert.deepEqual(found, { kind: 'unknown', reason: 'the process table cannot be read' });
});

test('without a section a program is left alone whose unit a row may not touch, as long as it belongs to that', async (t) => {
  const world = processStrategyWorld(t);
  const systemd = new FakeSystemd(new FakeClock());
  systemd.add('actor.service', { state: 'active', relations: { actions: ['FailureAction=exit'] } });
  systemd.add('well.service', { state: 'active' });
  Object.assign(world.parts, { services: systemd });
  const path = world.zoo.sleeper(unique('zactor'));
  const name = path.slice(path.lastIndexOf('/') + 1);
  const livedIn = (unit: string): void => world.parts.roots.set(name, [{ pid: 4_194_000, startTime: 1, unit }]);
  livedIn('actor.service');
  const strategy = world.strategy();
  assert.deepEqual(await strategy.resolve(managed(name), never), {
    kind: 'refused',
    reason: 'actor.service has FailureAction=exit; it is restarted only if it has a section of its own',
  });
  assert.deepEqual(await strategy.means(managed(name), never), { kind: 'target', key: 'actor' }, 'a hold on it holds the unit');
  assert.equal((await world.strategy({ configured: true }).resolve(managed(name), never)).kind, 'target');
  livedIn('well.service');
  assert.equal((await strategy.resolve(managed(name), never)).kind, 'target');
  livedIn('getty@tty9.service');
  assert.equal((await strategy.resolve(managed(name), never)).kind, 'refused');
  // It runs elsewhere by now, and nobody has looked since.
  await world.zoo.start(path);
  await waitFor('it', () => pidsNamed(world, name).length === 1);
  assert.equal((await strategy.resolve(managed(name), never)).kind, 'target');
});

test('of many that bear a name the first are shown, and how many more there are', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zmany');
  const path = world.zoo.sleeper(name);
  await Promise.all(Array.from({ length: 23 }, () => world.zoo.start(path)));
  const { stops } = await world.strategy().preview(managed(name), never);
  assert.deepEqual([stops.length, stops.at(-1)], [21, 'and 3 more']);
});
