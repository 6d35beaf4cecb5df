import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { uptime } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { ProcessStrategy } from '../../../../../src/strategies/process/strategy.ts';
import { Twins } from '../../../../../src/strategies/twins.ts';
import { signalUntil } from '../../../../helpers/caught-signals.ts';
import {
  attemptFor,
  looked,
  managed,
  type ProcessStrategyWorld,
  processStrategyWorld,
} from '../../../../helpers/process-strategy-world.ts';
import { isAlive, nobody, unique } from '../../../../helpers/process-zoo.ts';
import { asRoot } from '../../../../helpers/requirement.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

/** Without what a version manager puts in front of the interpreters. */
const systemPath = ({ zoo }: ProcessStrategyWorld) => ({ PATH: '/usr/bin:/bin', ZOO: zoo.dir });

/** The pids of the zoo's processes that run `file` with python. */
function pythons({ table }: ProcessStrategyWorld, file: string): number[] {
  return table.list(['argv', 'state']).flatMap(({ pid, argv, state }) => (state !== 'Z' && argv?.includes(file) ? [pid] : []));
}

test('what we started is the program whatever its name: one copy, well, stopped and started again', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zledger');
  const file = join(world.zoo.dir, 'ledger.py');
  writeFileSync(file, 'import time\nwhile True: time.sleep(300)\n');
  const options = { startCommand: `exec /usr/bin/python3 ${file}`, stableTimeMs: 0 };
  const strategy = world.strategy(options);
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  assert.deepEqual(await strategy.checkHealth(managed(name), 10_000, never), { kind: 'healthy' });
  const [first, ...others] = pythons(world, file);
  assert.ok(first !== undefined && others.length === 0);

  // So it is for a daemon that was started anew, and for exits.
  const anew = world.strategy(options);
  const running = await anew.findRunning(managed(name), never);
  assert.ok(running.kind === 'found' && running.processes[0]?.pid === first, JSON.stringify(running));
  const outcome = await anew.restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  assert.ok(!isAlive(first));
  assert.equal(pythons(world, file).length, 1);
});

test('a start that leaves for the background is followed by its run', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zback');
  const file = join(world.zoo.dir, 'back.py');
  writeFileSync(file, 'import time\nwhile True: time.sleep(300)\n');
  const strategy = world.strategy({ startCommand: `setsid nohup /usr/bin/python3 ${file} >/dev/null 2>&1 &`, stableTimeMs: 0 });
  for (let round = 0; round < 3; round += 1) {
    const outcome = await strategy.restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    await waitFor('python', () => pythons(world, file).length > 0);
    assert.equal(pythons(world, file).length, 1);
  }
});

test('a helper that our start left behind does not prove that the program runs, and goes with the restart', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zhelped');
  const helper = world.zoo.sleeper(unique('zhelper'));
  const program = world.zoo.script(
    'main.sh',
    `#!/bin/bash\n${helper} 300 &\nexec /usr/bin/python3 -c 'import time; time.sleep(300)'\n`,
  );
  const strategy = world.strategy({ startCommand: `exec ${program}`, stableTimeMs: 0 });
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  const running = await strategy.findRunning(managed(name), never);
  const pid = running.kind === 'found' ? (running.processes[0]?.pid ?? 0) : 0;
  process.kill(pid, 'SIGKILL');
  await waitFor('end', () => !isAlive(pid));
  const left = world.table.list(['executable']).find(({ executable }) => executable === helper)?.pid ?? 0;
  assert.ok(isAlive(left));
  assert.equal((await strategy.checkHealth(managed(name), 10, never)).kind, 'unhealthy');
  assert.match(
    (await strategy.preview(managed(name), never)).stops.join(),
    new RegExp(`^pid ${left} \\(.*\\): left behind by it$`),
  );
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  assert.ok(!isAlive(left));
});

test('a script is known by its own name, whatever its interpreter and its options', async (t) => {
  const world = processStrategyWorld(t);
  const text = 'import time\nwhile True: time.sleep(300)\n';
  for (const [first, how] of [
    ['#!/usr/bin/env python3', []],
    ['#!/usr/bin/env -S python3 -u -W ignore', []],
    ['#! /usr/bin/python3 -u', []],
    ['#!/usr/bin/python3', ['/usr/bin/python3', '-u']],
    ['#!/usr/bin/python3', ['/usr/bin/python3', '-W', 'error']],
    ['#!/usr/bin/env python3', ['/usr/bin/python3']],
    ['#!/usr/bin/env python3', [realpathSync('/usr/bin/python3'), '-u', '-X', 'dev']],
    ['#!/usr/bin/env python3', ['/bin/sh', '-c', 'exec /usr/bin/python3 "$@"', 'python3']],
  ] as const) {
    const name = unique('zbilling-api');
    const path = world.zoo.script(name, `${first}\n${text}`);
    const [program = path, ...options] = how;
    const pid = await world.zoo.start(program, how.length === 0 ? [] : [...options, path], { env: systemPath(world) });
    const python = realpathSync('/usr/bin/python3');
    await waitFor('script', () => world.table.read(pid, ['executable'])?.executable === python);
    await waitFor('found by name', async () => (await looked(world, name)).pids[0] === pid);
    assert.deepEqual((await looked(world, path)).pids, [pid], first);
    // Who has it among its arguments only is no such script.
    const bystander = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true', path]);
    assert.deepEqual((await looked(world, name)).pids, [pid]);
    const outcome = await world.strategy().restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    assert.ok(!isAlive(pid) && isAlive(bystander));
    const [fresh, ...more] = pythons(world, path).filter((each) => each !== bystander);
    assert.ok(fresh !== undefined && more.length === 0, first);
  }
});

test('a shell’s script is known by its name, whichever shell runs it', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zrep.sh');
  const path = world.zoo.script(name, '#!/bin/sh\nsleep 300\n:\n');
  const pid = await world.zoo.start('/bin/bash', [path]);
  await waitFor('it is found', async () => (await looked(world, name)).pids[0] === pid);
  const python = await world.zoo.start('/usr/bin/python3', ['-c', 'import time; time.sleep(300)', path]);
  await waitFor('python', () => world.table.read(python, ['argv'])?.argv?.includes(path));
  assert.deepEqual((await looked(world, name)).pids, [pid]);
});

test('a script that another one, a module or a text has as an argument is not what runs', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zdata-api');
  const path = world.zoo.script(name, '#!/usr/bin/env python3\nimport time\ntime.sleep(300)\n');
  const check = join(world.zoo.dir, 'check.py');
  writeFileSync(check, 'import time\ntime.sleep(300)\n');
  const env = { ...systemPath(world), PYTHONPATH: world.zoo.dir };
  const others: number[] = [];
  for (const words of [[check], ['-u', check], ['-m', 'check'], ['-um', 'check'], ['-c', 'import time; time.sleep(300)']]) {
    const pid = await world.zoo.start('/usr/bin/python3', [...words, path], { env, argv0: 'python3' });
    await waitFor('python', () => world.table.read(pid, ['argv'])?.argv?.at(-1) === path);
    others.push(pid);
  }
  assert.deepEqual((await looked(world, name)).pids, []);
  assert.deepEqual((await looked(world, path)).pids, []);
  const pid = await world.zoo.start('/usr/bin/python3', [path, check], { env });
  await waitFor('found', async () => (await looked(world, name)).pids[0] === pid);
  assert.equal((await world.strategy().restart(attemptFor(name))).kind, 'restarted');
  assert.ok(!isAlive(pid) && others.every(isAlive));
});

test('a file that is not executable, or is not a script of that interpreter, gives nobody its name', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zplain');
  const text = `import time\nopen(${JSON.stringify(`${world.zoo.dir}/ready`)}, "w")\nwhile True: time.sleep(300)\n`;
  const path = world.zoo.script(name, `#!/usr/bin/env ruby\n${text}`);
  const pid = await world.zoo.start('/usr/bin/python3', [path]);
  await waitFor('python', () => existsSync(`${world.zoo.dir}/ready`));
  assert.deepEqual((await looked(world, name)).pids, []);
  writeFileSync(path, '#!/usr/bin/python3\n');
  assert.deepEqual((await looked(world, name)).pids, [pid]);
  chmodSync(path, 0o644);
  assert.deepEqual((await looked(world, name)).pids, []);
  assert.deepEqual((await looked(world, name, { argument: path })).pids, [pid]);
});

test('of two instances with a pid file each, the one that is down is not taken for the other, which has its name', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zinstance');
  const path = world.zoo.sleeper(name);
  const file = (of: string): string => join(world.zoo.dir, `${of}.pid`);
  const section = { argument: undefined, user: undefined, mayBeProgram: true, mayBeUnit: false };
  const sections = [
    { ...section, systemName: name, pidFile: file('one') },
    { ...section, systemName: 'sessions', pidFile: file('two') },
  ];
  const { clock, launches, services } = world.parts;
  Object.assign(world.parts, { twins: new Twins(sections, { launches, services, clock, path: '' }) });
  const [one, two] = [await world.zoo.start(path), await world.zoo.start(path)];
  writeFileSync(file('one'), `${one}`);
  writeFileSync(file('two'), `${two}`);
  const both = [name, path].map((called) => looked(world, called, { pidFile: file('one') }));
  for (const { pids, refusals } of await Promise.all(both)) assert.deepEqual([pids, refusals.join()], [[one], '']);
  process.kill(one, 'SIGKILL');
  await waitFor('end', () => !isAlive(one));
  for (const called of [name, path]) assert.deepEqual((await looked(world, called, { pidFile: file('one') })).pids, []);
  const outcome = await world.strategy({ pidFile: file('one'), startCommand: `exec ${path} 300` }).restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted');
  assert.ok(isAlive(two), 'the other instance was stopped');
  // A child of another section's program is no instance of that.
  const supervisor = await world.zoo.start('/bin/bash', ['-c', `${path} 301; true`]);
  await waitFor('its child', () => world.table.list(['ppid', 'name']).some((seen) => seen.ppid === supervisor));
  writeFileSync(file('two'), `${supervisor}`);
  process.kill(two, 'SIGKILL');
  await waitFor('end', () => !isAlive(two));
  const child = world.table.list(['ppid']).find((seen) => seen.ppid === supervisor)?.pid;
  const supervised = await looked(world, name, { pidFile: file('none'), maxMatches: 9 });
  assert.ok(supervised.pids.includes(child ?? 0), 'what another section supervises is found by its name');
  // Without a pid file of its own, every process of that name is the program.
  assert.ok((await looked(world, name, { maxMatches: 9 })).pids.includes(child ?? 0));
});

test('pid_file names the program; a stale one, a link, one that others may write, or no number is reported and not used', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zpidfile');
  const pidFile = join(world.zoo.dir, 'app.pid');
  const options = { pidFile };
  const pid = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']);
  await waitFor('bash and its child', () =>
    world.table.list(['ppid', 'name']).some((seen) => seen.ppid === pid && seen.name === 'sleep'),
  );
  assert.deepEqual((await looked(world, name, options)).pids, []);
  const say = (text: string): void => writeFileSync(pidFile, text);
  say(`${pid}\n`);
  const { stops, warnings } = await looked(world, name, options);
  assert.match(stops.join(), new RegExp(`^pid ${pid}, .*, known by its pid_file, with 1 descendant: `));
  assert.deepEqual(warnings, []);
  assert.deepEqual(await world.strategy({ ...options, stableTimeMs: 0 }).checkHealth(managed(name), 1000, never), {
    kind: 'healthy',
  });

  const refused = async (why: RegExp): Promise<void> => {
    const seen = await looked(world, name, options);
    assert.deepEqual(seen.pids, []);
    assert.match(seen.warnings.join(), why);
  };
  const sinceBoot = Date.now() / 1000 - uptime() / 2;
  utimesSync(pidFile, sinceBoot, sinceBoot);
  await refused(/is stale: process \d+ was started after it was written/);
  utimesSync(pidFile, 1000, 1000);
  await refused(/written before the machine was booted/);
  say(`${pid} ${pid}\n`);
  await refused(/expected one number in it/);
  say(`-${pid}`);
  await refused(/expected one number in it/);
  say(`${pid}`);
  assert.deepEqual((await looked(world, name, options)).pids, [pid]);
  chmodSync(pidFile, 0o664);
  await refused(/users other than its owner may write to it/);
  const link = join(world.zoo.dir, 'link.pid');
  chmodSync(pidFile, 0o644);
  symlinkSync(pidFile, link);
  assert.match((await looked(world, name, { pidFile: link })).warnings.join(), /symbolic link/);
  say('5000007');
  assert.deepEqual((await looked(world, name, options)).pids, []);
  say(`${process.pid}`);
  assert.deepEqual((await looked(world, name, options)).pids, [], 'never ourselves');
});

test("a user's pid file names his own processes alone", asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zowner');
  const pidFile = join(world.zoo.dir, 'app.pid');
  const roots = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']);
  const his = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true'], nobody);
  await waitFor('both', () => [roots, his].every((pid) => world.table.read(pid, ['name'])?.name === 'bash'));
  writeFileSync(pidFile, `${roots}`);
  chownSync(pidFile, nobody.uid, nobody.gid);
  assert.match((await looked(world, name, { pidFile })).warnings.join(), /it belongs to user 65534/);
  const user = { pidFile, user: 'nobody' };
  const other = await looked(world, name, user);
  assert.deepEqual(other.pids, []);
  assert.match(other.warnings.join(), /process \d+ does not belong to user 65534, who owns the file/);
  writeFileSync(pidFile, `${his}`);
  assert.deepEqual((await looked(world, name, user)).pids, [his]);
  const file = world.zoo.sleeper('zcalled');
  chownSync(file, nobody.uid, nobody.gid);
  chmodSync(file, 0o4755);
  const called = await world.zoo.start(file, ['300'], { uid: 2, gid: 2 });
  if (world.table.read(called, ['uids'])?.uids?.effective !== nobody.uid) return t.skip('mounted nosuid');
  writeFileSync(pidFile, `${called}`);
  const { pids, warnings } = await looked(world, name, user);
  assert.deepEqual(pids, []);
  assert.match(warnings.join(), /process \d+ was started by user 2, not by user 65534, who owns the file/);
});

test(
  'argument distinguishes one of many; not the editor that shows the file at a terminal, and never a stranger',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const name = unique('zargument');
    const file = join(world.zoo.dir, 'ledger.py');
    writeFileSync(file, 'import time\nwhile True: time.sleep(300)\n');
    const other = await world.zoo.start('/usr/bin/python3', [
      '-c',
      'import time; time.sleep(300)',
      `${file}.other`,
      `x${file}`,
    ]);
    const stranger = await world.zoo.start('/usr/bin/python3', ['-c', 'import time; time.sleep(300)', file], nobody);
    // As an editor at a terminal: script(1) makes one.
    const editor = await world.zoo.start('/usr/bin/script', ['-qc', `tail -f ${file}`, '/dev/null']);
    await waitFor('editor', () => world.table.list(['argv']).some(({ argv }) => argv?.join(' ') === `tail -f ${file}`));
    assert.deepEqual((await looked(world, name, { argument: file })).pids, []);
    const pid = await world.zoo.start('/usr/bin/python3', ['-u', file]);
    await waitFor('python', () => world.table.read(pid, ['argv'])?.argv?.includes(file));
    const seen = await looked(world, name, { argument: file });
    assert.match(seen.stops.join(), new RegExp(`^pid ${pid}, .*, known by its argument: `));
    assert.match(seen.warnings.join(), new RegExp(`pid ${stranger} has that name too`));
    const outcome = await world.strategy({ argument: file }).restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    assert.ok(!isAlive(pid) && isAlive(stranger) && isAlive(other) && isAlive(editor));
    assert.ok(world.table.list(['argv']).some(({ argv }) => argv?.join(' ') === `tail -f ${file}`));
  },
);

test('a word that cannot be a file’s name, and a file that cannot be examined, do no harm', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zwords');
  const loop = join(world.zoo.dir, 'loop');
  symlinkSync('loop', loop);
  const [file, long] = [world.zoo.sleeper(name), '0'.repeat(300)];
  const pid = await world.zoo.start(file, ['300', long]);
  await waitFor('it', () => world.table.read(pid, ['executable'])?.executable === file);
  assert.deepEqual((await looked(world, name)).refusals, []);
  const outcome = await world.strategy().restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  assert.equal(world.launched[0]?.argv[2], long);

  const other = await world.zoo.start('/usr/bin/perl', ['-e', 'sleep 300', loop]);
  await waitFor('perl', () => world.table.read(other, ['name'])?.name === 'perl');
  assert.deepEqual((await looked(world, unique('zloop'), { argument: loop })).pids, [other]);
});

test('an argument, a script and a text beyond what a look keeps count as much as before it', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zbehind');
  const [word, file] = [unique('--app='), world.zoo.script(name, '#!/usr/bin/python3\nimport time\ntime.sleep(300)\n')];
  const words = Array.from({ length: 100 }, (_, index) => `-${index}`);
  const [text, library] = [`sleep 300; true ${'x'.repeat(3000)}`, `-Wignore:${'x'.repeat(3000)}`];
  const pid = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true', ...words, word]);
  const reader = await world.zoo.start('/bin/bash', ['-c', text, 'deploy', file]);
  const script = await world.zoo.start('/usr/bin/python3', [library, file]);
  await waitFor('all', () =>
    [pid, reader, script].every((one) => /bash|python/.test(world.table.read(one, ['name'])?.name ?? '')),
  );
  const seen = await looked(world, unique('zother'), { argument: word });
  assert.deepEqual(seen.pids, [pid]);
  assert.deepEqual((await looked(world, name)).pids, [script]);
  assert.deepEqual((await looked(world, unique('zother'), { argument: file })).pids, [script]);
  const { stops } = await looked(world, name);
  assert.match(stops.join(), /: \/usr\/bin\/python3 -Wignore:x+…$/);
});

test('the first witness that knows anything alive decides; what a later one knows besides keeps all as it is', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zcopies');
  const path = world.zoo.sleeper(name);
  const pidFile = join(world.zoo.dir, 'app.pid');
  const options = { pidFile, stableTimeMs: 0, startCommand: 'true' };
  const further = await world.zoo.start(path);
  // No pid file: its name decides.
  assert.deepEqual((await looked(world, name, options)).pids, [further]);
  const pid = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']);
  writeFileSync(pidFile, `${pid}`);
  const seen = await looked(world, name, options);
  assert.deepEqual(seen.pids, [pid]);
  assert.match(
    seen.refusals.join(),
    new RegExp(`a further copy runs \\(pid ${further}, known by its name\\), max_matches is 1`),
  );
  assert.deepEqual(await world.strategy(options).checkHealth(managed(name), 1000, never), { kind: 'healthy' });
  const outcome = await world.strategy(options).restart(attemptFor(name));
  assert.match(outcome.kind === 'failed' ? outcome.reason : '', /^ambiguous: beside it/);
  assert.ok(isAlive(pid) && isAlive(further));
  // As many as may run are the program.
  assert.deepEqual((await looked(world, name, { ...options, maxMatches: 2 })).pids.sort(), [further, pid].sort());
  assert.deepEqual((await looked(world, name, { ...options, maxMatches: 2 })).refusals, []);
});

test('the rest of the process group that it led goes with it, whatever that is called', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zleader');
  const helper = unique('zworker');
  const sleeper = world.zoo.sleeper(helper);
  // A helper that PID 1 has adopted, and that is in its group still.
  const path = world.zoo.script(name, `#!/bin/bash\n(${sleeper} 300 &)\nwhile :; do sleep 300; done\n`);
  const isHelper = ({ executable, state }: { executable?: string; state: string }) => executable === sleeper && state !== 'Z';
  const helpers = () => world.table.list(['executable', 'state']).filter(isHelper);
  const pid = await world.zoo.start(path, []);
  await waitFor('helper', () => helpers().length === 1);
  const [left] = helpers();
  const strategy = world.strategy();
  await strategy.observe(managed(name));
  const alive = await strategy.restart(attemptFor(name));
  assert.equal(alive.kind, 'restarted', JSON.stringify(alive));
  assert.ok(!isAlive(pid) && !isAlive(left?.pid ?? 0));

  await waitFor('helper', () => helpers().length === 1);
  const running = await strategy.findRunning(managed(name), never);
  const root = running.kind === 'found' ? (running.processes[0]?.pid ?? 0) : 0;
  process.kill(root, 'SIGKILL');
  await waitFor('end', () => !isAlive(root));
  const [orphan] = helpers();
  assert.ok(orphan !== undefined);
  assert.equal((await strategy.checkHealth(managed(name), 10, never)).kind, 'unhealthy', 'a helper is not the program');
  const dead = await world.strategy().restart(attemptFor(name));
  assert.equal(dead.kind, 'restarted', JSON.stringify(dead));
  assert.ok(!isAlive(orphan.pid));
});

test('a restart brings back the copies that ran, also one that has died meanwhile, and no more', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zthree');
  const path = world.zoo.sleeper(name);
  const pids = [];
  for (const id of ['1', '2', '3']) pids.push(await world.zoo.start(path, ['300', id]));
  const strategy = world.strategy({ maxMatches: 4 });
  await waitFor('all', async () => (await looked(world, name, { maxMatches: 4 })).pids.length === 3);
  await strategy.observe(managed(name), world.parts.look);
  const running = () =>
    world.table
      .list(['executable', 'state', 'argv'])
      .filter(({ executable, state }) => executable === path && state !== 'Z')
      .map(({ argv }) => argv?.at(-1))
      .sort()
      .join();
  process.kill(pids[1] ?? 0, 'SIGKILL');
  await waitFor('end', () => running() === '1,3');
  await strategy.observe(managed(name), world.parts.look);
  assert.equal((await world.strategy({ maxMatches: 4 }).restart(attemptFor(name))).kind, 'restarted');
  assert.equal(running(), '1,2,3');
  for (const { pid, executable } of world.table.list(['executable'])) if (executable === path) process.kill(pid, 'SIGKILL');
  await waitFor('end of all', () => running() === '');
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  assert.equal(running(), '1,2,3');

  // Somebody starts all of it anew, and less: that is what ran when all was well.
  for (const { pid, executable } of world.table.list(['executable'])) if (executable === path) process.kill(pid, 'SIGKILL');
  await waitFor('end of all', () => running() === '');
  const one = await world.zoo.start(path, ['300', '9']);
  await waitFor('one', () => running() === '9');
  await strategy.observe(managed(name), world.parts.look);
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  assert.ok(!isAlive(one));
  assert.equal(running(), '9');
});

test('instances that differ in argument are never taken for each other, dead or alive', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(unique('zinst'));
  const [one, two] = [await world.zoo.start(path, ['300', '301']), await world.zoo.start(path, ['300', '302'])];
  await waitFor('both', () => [one, two].every((pid) => world.table.read(pid, ['executable'])?.executable === path));
  const strategy = world.strategy({ argument: '302' });
  const name = { ...managed(path, true), processName: 'two' };
  await strategy.observe(name);
  assert.deepEqual((await strategy.preview(name, never)).refusals, []);
  process.kill(two, 'SIGKILL');
  await waitFor('end', () => !isAlive(two));
  const running = await strategy.findRunning(name, never);
  assert.ok(running.kind === 'found' && running.processes.length === 0, JSON.stringify(running));
  assert.equal((await strategy.restart({ ...attemptFor(path, true), process: name })).kind, 'restarted');
  assert.ok(isAlive(one));
});

test('who looks for the word of an argument, and our own command line with it, are not the program', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('com.acme.Billing');
  const ours = ['-e', 'setTimeout(() => {}, 300_000)', process.argv[1] ?? '', 'restart', name];
  for (const [program, ...words] of [
    ['/usr/bin/tail', '-F', name],
    [process.execPath, ...ours],
    ['/usr/bin/timeout', '300', process.execPath, ...ours],
  ] as const) {
    const other = await world.zoo.start(program, words);
    await waitFor(program, () => world.table.read(other, ['argv'])?.argv?.includes(name));
  }
  // Not the copy of timeout that is to become it.
  const runsNode = ({ argv = [] }: { argv?: readonly string[] }): boolean =>
    argv[0] === process.execPath && argv.includes(name);
  await waitFor('what timeout runs', () => world.table.list(['argv']).filter(runsNode).length === 2);
  assert.deepEqual((await looked(world, name, { argument: name })).pids, []);
  const pid = await world.zoo.start('/usr/bin/perl', ['-e', 'sleep 300', name]);
  await waitFor('found', async () => (await looked(world, name, { argument: name })).pids.length > 0);
  assert.deepEqual((await looked(world, name, { argument: name })).pids, [pid]);
});

test('a process that reads the file of an argument is not the program, with or without a terminal; sudo beside it is not either', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zviewed');
  const file = join(world.zoo.dir, 'served.py');
  writeFileSync(file, 'import time\nwhile True: time.sleep(300)\n');
  for (const [program, ...words] of [
    ['/usr/bin/tail', '-f', file],
    ['/bin/bash', '-c', 'sleep 300; :', 'deploy', file],
    ['/bin/sh', '-ec', 'sleep 300; :', file],
  ] as const) {
    const viewer = await world.zoo.start(program, words);
    await waitFor(program, () => world.table.read(viewer, ['executable', 'argv'])?.argv?.includes(file));
  }
  assert.deepEqual((await looked(world, name, { argument: file })).pids, []);
  // This one may run it itself.
  const reader = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; . "$1"', 'deploy', file]);
  await waitFor('reader', async () => (await looked(world, name, { argument: file })).pids[0] === reader);
  process.kill(reader, 'SIGKILL');
  await waitFor('end', () => !isAlive(reader));
  const wrapper = await world.zoo.start('/usr/bin/timeout', ['300', '/usr/bin/python3', file]);
  const pid = await waitFor(
    'python',
    () => world.table.list(['ppid', 'argv']).find(({ ppid, argv }) => ppid === wrapper && argv?.includes(file))?.pid,
  );
  await waitFor('found', async () => (await looked(world, name, { argument: file })).pids.length > 0);
  assert.deepEqual((await looked(world, name, { argument: file })).pids, [pid]);
});

test('a daemon that forked twice leaves workers that are the program, though it led neither group nor session', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zgunicorn');
  const path = world.zoo.script(
    name,
    `#!/usr/bin/perl
use POSIX;
sub left { my $parent = shift; select undef, undef, undef, 0.01 while getppid() == $parent; }
my $first = $$; exit if fork; left($first); POSIX::setsid();
my $leader = $$; exit if fork; left($leader);
for (1 .. 2) { if (!fork) { sleep 300; exit } }
open my $file, '>', '${world.zoo.dir}/ready'; close $file;
sleep 300;
`,
  );
  await world.zoo.start(path, []);
  await waitFor('ready', () => existsSync(`${world.zoo.dir}/ready`));
  const strategy = world.strategy();
  await strategy.observe(managed(name));
  const running = await strategy.findRunning(managed(name), never);
  const master = running.kind === 'found' ? (running.processes[0]?.pid ?? 0) : 0;
  assert.notEqual(world.table.read(master, ['sid'])?.sid, master);
  process.kill(master, 'SIGKILL');
  await waitFor('end', () => !isAlive(master));
  const { pids, refusals } = await looked(world, name);
  assert.deepEqual([pids.length, refusals], [1, []]);
  const outcome = await world.strategy().restart(attemptFor(name));
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
});

test('what the same shell has put into the background is somebody else’s, though both are in what was its session', async (t) => {
  const world = processStrategyWorld(t);
  const [one, other] = ['zsiba', 'zsibb'].map((name) => world.zoo.sleeper(unique(name)));
  const name = basename(one ?? '');
  const shell = await world.zoo.start('/bin/sh', ['-c', `${one} 300 & ${other} 300 & exit`]);
  await waitFor('the shell’s end', () => !isAlive(shell));
  const pidOf = (path = ''): number => world.table.list(['executable']).find(({ executable }) => executable === path)?.pid ?? 0;
  await waitFor('both', () => pidOf(one) > 0 && pidOf(other) > 0);
  const [pid, sibling] = [pidOf(one), pidOf(other)];
  const sids = [pid, sibling].map((of) => world.table.read(of, ['sid'])?.sid);
  assert.deepEqual(sids, [shell, shell]);
  const strategy = world.strategy();
  await strategy.observe(managed(name));
  process.kill(pid, 'SIGKILL');
  await waitFor('end', () => !isAlive(pid));
  assert.deepEqual((await strategy.preview(managed(name), never)).stops, []);
  const outcome = await strategy.restart(attemptFor(name));
  assert.match(
    outcome.kind === 'restarted' ? outcome.detail : JSON.stringify(outcome),
    /^nothing was running, started pid \d+$/,
  );
  assert.ok(isAlive(sibling));
});

test('a start script that becomes the program late is known by that: the workers that it leaves are the program', async (t) => {
  const looks: Readonly<Record<string, (strategy: ProcessStrategy, name: string) => Promise<unknown>>> = {
    'a health check': (strategy, name) => strategy.checkHealth(managed(name), 10_000, never),
    'a look in passing': (strategy, name) => strategy.observe(managed(name)),
  };
  for (const [how, look] of Object.entries(looks)) {
    const world = processStrategyWorld(t);
    const name = unique('zlate');
    const go = join(world.zoo.dir, 'go');
    const real = world.zoo.script(
      'real',
      `#!/usr/bin/perl\nif (!fork) { sleep 300; exit }\nopen my $file, '>', '${world.zoo.dir}/ready'; close $file;\nsleep 300;\n`,
    );
    const wait = `while [ ! -e ${go} ]; do sleep 0.02; done`;
    const strategy = world.strategy({
      startCommand: `exec ${world.zoo.script('start', `#!/bin/bash\n${wait}\nexec ${real}\n`)}`,
    });
    assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
    const [root] = world.parts.roots.get(name);
    assert.ok(root);
    assert.match(root.executable ?? '', /bash$/);
    writeFileSync(go, '');
    await waitFor('it is the program', () => existsSync(join(world.zoo.dir, 'ready')));
    await look(strategy, name);
    process.kill(root.pid, 'SIGKILL');
    await waitFor('end', () => !isAlive(root.pid));
    assert.deepEqual((await looked(world, name)).stops.length, 1, how);
    assert.deepEqual(await strategy.checkHealth(managed(name), 10_000, never), { kind: 'healthy' }, how);
  }
});

test('what a start leaves behind in an emptied environment, in a session below its own, is the program', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zbelow');
  const path = world.zoo.sleeper(unique('zother'));
  const start = `env -i setsid sh -c 'setsid ${path} 300 & sleep 0.3'; :`;
  const strategy = world.strategy({ startCommand: start, stableTimeMs: 0 });
  const running = () => world.table.list(['executable', 'state']).filter((p) => p.executable === path && p.state !== 'Z');
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  const [first] = running();
  assert.deepEqual((await looked(world, name)).pids, [first?.pid]);
  assert.deepEqual(await world.strategy({ stableTimeMs: 0 }).checkHealth(managed(name), 5000, never), { kind: 'healthy' });
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  const [second, ...others] = running();
  assert.ok(second !== undefined && second.pid !== first?.pid && others.length === 0);
});

test('a program behind a link to its release is followed to the next one', async (t) => {
  const world = processStrategyWorld(t);
  const sleeper = world.zoo.sleeper(unique('zrelease'));
  const base = sleeper.slice(sleeper.lastIndexOf('/') + 1);
  for (const release of ['1', '2']) {
    mkdirSync(join(world.zoo.dir, release));
    copyFileSync(sleeper, join(world.zoo.dir, release, base));
  }
  const current = join(world.zoo.dir, 'current');
  symlinkSync(join(world.zoo.dir, '1'), current);
  await world.zoo.start(join(current, base), ['300']);
  await waitFor('it', () =>
    world.table.list(['executable']).some(({ executable }) => executable === join(world.zoo.dir, '1', base)),
  );
  const strategy = world.strategy();
  await strategy.observe(managed(base));
  unlinkSync(current);
  symlinkSync(join(world.zoo.dir, '2'), current);
  await world.strategy().observe(managed(base));
  assert.equal((await strategy.restart(attemptFor(base))).kind, 'restarted');
  const fresh = () =>
    world.table
      .list(['executable', 'state'])
      .filter(({ executable, state }) => state !== 'Z' && executable?.endsWith(`/${base}`));
  await waitFor('the new release', () => fresh()[0]?.executable === join(world.zoo.dir, '2', base));
});

test(
  'what start_command has started is its user’s, and nobody else’s copy is the program once it is dead',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const path = world.zoo.sleeper(unique('zcopied'));
    const name = path.slice(path.lastIndexOf('/') + 1);
    const strategy = world.strategy({ startCommand: `exec ${path} 300` });
    assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
    const running = await strategy.findRunning(managed(name), never);
    const own = running.kind === 'found' ? (running.processes[0]?.pid ?? 0) : 0;
    const copy = await world.zoo.start(path, ['300'], nobody);
    process.kill(own, 'SIGKILL');
    await waitFor('end', () => !isAlive(own));
    const dead = await world.strategy({ startCommand: `exec ${path} 300` }).findRunning(managed(name), never);
    assert.ok(dead.kind === 'found' && dead.processes.length === 0, JSON.stringify(dead));
    assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
    assert.ok(isAlive(copy));
  },
);

test('a pid file in a folder of another user vouches for no more than that user', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zfolder');
  const folder = join(world.zoo.dir, 'run');
  const pidFile = join(folder, 'app.pid');
  mkdirSync(folder);
  const pid = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']);
  await waitFor('bash', () => world.table.read(pid, ['name'])?.name === 'bash');
  writeFileSync(pidFile, `${pid}`);
  assert.deepEqual((await looked(world, name, { pidFile })).pids, [pid]);
  chownSync(folder, nobody.uid, nobody.gid);
  const other = await looked(world, name, { pidFile });
  assert.deepEqual(other.pids, []);
  assert.match(other.warnings.join(), /it belongs to user 65534/);
  chownSync(folder, 0, 0);
  chmodSync(folder, 0o777);
  assert.match((await looked(world, name, { pidFile })).warnings.join(), /may replace it/);
  chmodSync(folder, 0o1777);
  assert.deepEqual((await looked(world, name, { pidFile })).pids, [pid]);
});

test(
  'who owns a folder above a pid file can lead it to another one, which vouches for his own processes alone',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const name = unique('zled');
    const roots = await world.zoo.start(world.zoo.sleeper('zledother'));
    const [theirs, app] = ['roots', 'app'].map((folder) => join(world.zoo.dir, folder));
    for (const folder of [theirs ?? '', app ?? '']) mkdirSync(folder);
    writeFileSync(join(theirs ?? '', 'web.pid'), `${roots}\n`);
    symlinkSync(theirs ?? '', join(app ?? '', 'run'));
    const options = { pidFile: join(app ?? '', 'run/web.pid'), user: 'nobody' };
    assert.deepEqual((await looked(world, name, options)).pids, [roots], 'as long as all of it is root’s');
    chownSync(app ?? '', nobody.uid, nobody.gid);
    const led = await looked(world, name, options);
    assert.deepEqual(led.pids, []);
    assert.match(led.warnings.join(), new RegExp(`process ${roots} does not belong to user ${nobody.uid}, who owns the file`));
  },
);

test('who says that he runs root’s script, and runs another file, is not it', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zfaked');
  const path = world.zoo.script(name, '#!/usr/bin/python3\nimport time\nwhile True: time.sleep(300)\n');
  const shell = await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true', path], { argv0: '/usr/bin/python3', ...nobody });
  await waitFor('both', () => world.table.read(shell, ['argv'])?.argv?.[0] === '/usr/bin/python3');
  assert.deepEqual((await looked(world, name)).pids, []);
  assert.deepEqual((await looked(world, name, { argument: path })).pids, []);
  const real = await world.zoo.start(path, [], nobody);
  await waitFor('found', async () => (await looked(world, name)).pids.length > 0);
  assert.deepEqual((await looked(world, name)).pids, [real]);
  // To a shell `import` is a command, and whoever runs the shell says where that is found.
  const searched = unique('zfaked');
  const script = world.zoo.script(searched, '#!/usr/bin/env python3\nimport time\ntime.sleep(300)\n');
  world.zoo.script('import', '#!/bin/sh\nexec /bin/sleep 300\n');
  const env = { PATH: `${world.zoo.dir}:/usr/bin:/bin`, ZOO: world.zoo.dir };
  const faker = await world.zoo.start('/bin/bash', [script], { argv0: 'python3', env, ...nobody });
  await waitFor('bash', () => world.table.read(faker, ['argv'])?.argv?.[0] === 'python3');
  assert.deepEqual((await looked(world, searched)).pids, []);
  const own = await world.zoo.start(script, [], { env: systemPath(world), ...nobody });
  await waitFor('found', async () => (await looked(world, searched)).pids[0] === own);
});

/** Has a script call itself `idle now`, which it does at SIGUSR1. */
function retitle(world: ReturnType<typeof processStrategyWorld>, pid: number): Promise<void> {
  return signalUntil(pid, 'SIGUSR1', 'title', () => world.table.read(pid, ['argv'])?.argv?.[0] === 'idle now');
}

test('what was recorded stays the program as long as it lives, whatever it calls itself and whatever became of its files', async (t) => {
  const world = processStrategyWorld(t);
  const retitled = unique('zidle');
  const perl = world.zoo.script(retitled, '#!/usr/bin/perl\n$SIG{USR1} = sub { $0 = "idle now" };\nsleep 300 while 1;\n');
  const removed = unique('zgone');
  const current = join(world.zoo.dir, 'current');
  for (const release of ['1', '2']) {
    mkdirSync(join(world.zoo.dir, release));
    world.zoo.script(`${release}/${removed}`, '#!/usr/bin/env python3\nimport time\ntime.sleep(300)\n');
  }
  symlinkSync('1', current);
  for (const [name, start, change, startCommand] of [
    [retitled, () => world.zoo.start(perl, []), (pid: number) => retitle(world, pid), undefined],
    [
      removed,
      () => world.zoo.start(`./${removed}`, [], { cwd: current, env: { ...systemPath(world), PWD: current } }),
      async () => {
        rmSync(join(world.zoo.dir, '1'), { recursive: true });
        unlinkSync(current);
        symlinkSync('2', current);
      },
      `cd ${current} && exec ./${removed}`,
    ],
  ] as const) {
    const pid = await start();
    await waitFor('interpreter', () => /perl|python/.test(world.table.read(pid, ['executable'])?.executable ?? ''));
    await waitFor('found by name', async () => (await looked(world, name)).pids[0] === pid);
    const strategy = world.strategy({ startCommand, stableTimeMs: 0 });
    await strategy.observe(managed(name));
    await change(pid);
    // So it is for a daemon that was started anew, for health and for exits.
    const anew = world.strategy({ startCommand, stableTimeMs: 0 });
    assert.deepEqual((await looked(world, name)).pids, [pid]);
    assert.deepEqual(await anew.checkHealth(managed(name), 0, never), { kind: 'healthy' });
    const running = await anew.findRunning(managed(name), never);
    assert.ok(running.kind === 'found' && running.processes[0]?.pid === pid, JSON.stringify(running));
    const outcome = await anew.restart(attemptFor(name));
    assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
    assert.ok(!isAlive(pid), name);
  }
});

test('a program that was first seen when another file had just begun it is known by what it executes later', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zbegun');
  const perl = world.zoo.script('main', '$SIG{USR1} = sub { $0 = "idle now" };\nsleep 300 while 1;\n');
  const begin = `#!/bin/bash\ntrap 'exec -a ${name} /usr/bin/perl ${perl}' USR2\nwhile :; do read -t 0.05 <> <(:); done\n`;
  const pid = await world.zoo.start(world.zoo.script(name, begin), []);
  await waitFor('found by name', async () => (await looked(world, name)).pids[0] === pid);
  const strategy = world.strategy({ startCommand: 'true' });
  await strategy.observe(managed(name));
  const isPerl = (): boolean => world.table.read(pid, ['executable'])?.executable?.includes('perl') === true;
  await signalUntil(pid, 'SIGUSR2', 'perl', isPerl);
  await strategy.observe(managed(name));
  await retitle(world, pid);
  assert.deepEqual((await looked(world, name)).pids, [pid]);
});

test('what was recorded is no more the program than its section says now, and not once it has executed something else', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zchanged');
  const perl = `#!/usr/bin/perl
$SIG{USR1} = sub { $0 = "idle now" };
$SIG{USR2} = sub { exec '/bin/sleep', '300' };
sleep 300 while 1;
`;
  const pid = await world.zoo.start(world.zoo.script(name, perl), []);
  await waitFor('found by name', async () => (await looked(world, name)).pids[0] === pid);
  await world.strategy().observe(managed(name));
  await retitle(world, pid);
  assert.deepEqual((await looked(world, name)).pids, [pid]);
  for (const options of [{ argument: '/opt/of-its-own' }, { pidFile: join(world.zoo.dir, 'none') }, { user: 'root' }])
    assert.deepEqual((await looked(world, name, options)).pids, [], JSON.stringify(options));
  // Nobody else takes its place by that.
  assert.deepEqual((await looked(world, name)).pids, [pid]);
  await signalUntil(pid, 'SIGUSR2', 'exec', () => world.table.read(pid, ['name'])?.name === 'sleep');
  assert.deepEqual((await looked(world, name)).pids, []);
});

test('a pid file that names another overrules whom it named before; one that is gone or not believed does not', async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('zoverruled');
  const pidFile = join(world.zoo.dir, 'app.pid');
  const options = { pidFile };
  const [one, other] = [
    await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']),
    await world.zoo.start('/bin/bash', ['-c', 'sleep 300; true']),
  ];
  await waitFor('both', () => [one, other].every((pid) => world.table.read(pid, ['name'])?.name === 'bash'));
  writeFileSync(pidFile, `${one}`);
  await world.strategy(options).observe(managed(name, true));
  unlinkSync(pidFile);
  assert.deepEqual((await looked(world, name, options)).pids, [one]);
  writeFileSync(pidFile, 'nobody');
  assert.deepEqual((await looked(world, name, options)).pids, [one]);
  writeFileSync(pidFile, `${other}`);
  assert.deepEqual((await looked(world, name, options)).pids, [other]);
  process.kill(other, 'SIGKILL');
  await waitFor('end', () => !isAlive(other));
  assert.deepEqual((await looked(world, name, options)).pids, []);
});
