import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../../../src/core/program/launch-record.ts';
import { pinnedLaunch } from '../../../../../src/strategies/process/launch/pinned.ts';
import type { ProcessOptions } from '../../../../../src/strategies/process/options.ts';
import {
  attemptFor,
  managed,
  type ProcessStrategyWorld,
  processStrategyWorld,
} from '../../../../helpers/process-strategy-world.ts';
import { isAlive, nobody, unique } from '../../../../helpers/process-zoo.ts';
import { kill } from '../../../../helpers/program-in-path.ts';
import { asRoot } from '../../../../helpers/requirement.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

/** A folder of nobody's with a program of that name, which root runs. */
async function rootRunsTheirs(t: TestContext, options: Partial<ProcessOptions> = {}) {
  const world = processStrategyWorld(t);
  const name = unique('pn');
  const folder = join(world.zoo.dir, 'theirs');
  mkdirSync(folder);
  const file = join(folder, name);
  copyFileSync('/bin/sleep', file);
  chownSync(folder, nobody.uid, nobody.gid);
  const pid = await world.zoo.start(file);
  const strategy = world.strategy(options);
  await seen(strategy, name);
  return { world, name, file, folder, pid, strategy };
}

/** Waits until its program runs under its own name. */
async function seen(strategy: ReturnType<ProcessStrategyWorld['strategy']>, name: string): Promise<void> {
  await waitFor('it is found', async () => (await strategy.preview(managed(name), never)).stops.length > 0);
}

async function pin({ parts }: ProcessStrategyWorld, systemName: string, records: readonly LaunchRecord[]): Promise<void> {
  const launches = [];
  for (const record of records) {
    const pinned = await pinnedLaunch(record);
    assert.ok(pinned.kind === 'launch', JSON.stringify(pinned));
    launches.push(pinned.launch);
  }
  parts.pins.set({ systemName, launches, pinnedAt: new Date() });
}

async function recordsNow(
  strategy: ReturnType<ProcessStrategyWorld['strategy']>,
  name: string,
): Promise<readonly LaunchRecord[]> {
  const now = await strategy.launchesNow(managed(name), never);
  assert.ok(now.kind === 'known', JSON.stringify(now));
  return now.records;
}

test('what root runs from a user’s folder is not started again as root, and that is known before', asRoot, async (t) => {
  const { world, name, pid, strategy, folder } = await rootRunsTheirs(t, { configured: true });
  const refusal = `it would be started as root: ${folder} belongs to user 65534; run \`monitor_service pin ${name}\` or set start_command`;
  assert.equal(await strategy.concern(managed(name)), refusal, 'before a record is kept');
  await strategy.observe(managed(name));
  assert.equal(world.parts.launches.get(name)?.uid, 0);
  assert.equal(await strategy.concern(managed(name)), refusal);
  assert.deepEqual((await strategy.preview(managed(name), never)).refusals, [refusal]);
  assert.deepEqual(await strategy.restart(attemptFor(name)), { kind: 'failed', reason: refusal, final: true });
  assert.ok(isAlive(pid), 'what cannot be started again is not stopped either');
  await kill(pid);
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
  const dead = await strategy.restart(attemptFor(name));
  assert.deepEqual(dead, { kind: 'failed', reason: refusal, final: true }, 'nor is it looked for in PATH');
  assert.deepEqual(world.launched, []);
});

test('root’s program is not started in a directory that a user’s link has become, but as it is pinned', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('pn');
  const theirs = join(world.zoo.dir, 'theirs');
  const [cwd, goal] = [join(theirs, 'd'), join(world.zoo.dir, 'goal')];
  for (const folder of [theirs, cwd, goal]) mkdirSync(folder);
  chownSync(theirs, nobody.uid, nobody.gid);
  const pid = await world.zoo.start(world.zoo.sleeper(name), ['300'], { cwd });
  const strategy = world.strategy();
  await seen(strategy, name);
  await strategy.observe(managed(name));
  const records = await recordsNow(strategy, name);
  assert.equal(records[0]?.cwd, cwd);
  assert.equal(await strategy.concern(managed(name)), undefined, 'whose the folder is does not count');
  await kill(pid);
  rmdirSync(cwd);
  symlinkSync(goal, cwd);
  lchownSync(cwd, nobody.uid, nobody.gid);
  const refusal = `its directory ${cwd} is reached through the link ${cwd} of user 65534; run \`monitor_service pin ${name}\` or set start_command`;
  assert.equal(await strategy.concern(managed(name)), refusal);
  assert.deepEqual((await strategy.preview(managed(name), never)).refusals, [refusal]);
  assert.deepEqual(await strategy.restart(attemptFor(name)), { kind: 'failed', reason: refusal, final: true });
  assert.deepEqual(world.launched, []);
  await pin(world, name, records);
  assert.equal(await strategy.concern(managed(name)), undefined);
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
});

test('what a user starts is started in a directory that his link leads to', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('pn');
  const link = join(world.zoo.dir, 'link');
  symlinkSync('/tmp', link);
  lchownSync(link, nobody.uid, nobody.gid);
  await world.zoo.start(world.zoo.sleeper(name), ['300'], { ...nobody, cwd: link, env: { PWD: link, ZOO: world.zoo.dir } });
  const strategy = world.strategy({ user: 'nobody' });
  await seen(strategy, name);
  await strategy.observe(managed(name));
  assert.equal(world.parts.launches.get(name)?.cwd, link);
  assert.equal(await strategy.concern(managed(name)), undefined);
});

test('a pin has it started, until its owner changes it; what root changes is started and reported', asRoot, async (t) => {
  const { world, name, file, folder, pid, strategy } = await rootRunsTheirs(t);
  const records = await recordsNow(strategy, name);
  await pin(world, name, records);
  assert.equal(await strategy.concern(managed(name)), undefined);
  assert.match((await strategy.preview(managed(name), never)).starts.join(), /^as pinned: .* \(user root \(0\), in /);
  await kill(pid);
  const healed = await strategy.restart(attemptFor(name));
  assert.ok(healed.kind === 'restarted', JSON.stringify(healed));
  assert.deepEqual(world.warnings, []);
  const swap = 'cp /bin/cat "$0.new" && mv -f "$0.new" "$0"';
  execFileSync('sh', ['-c', swap, file], nobody);
  const changed = `${file} has changed since it was pinned, and is not root's alone (${folder} belongs to user 65534); run \`monitor_service pin ${name}\` again, or set start_command`;
  assert.equal(await strategy.concern(managed(name)), changed);
  assert.deepEqual(await strategy.restart(attemptFor(name)), { kind: 'failed', reason: changed, final: true });
  chownSync(folder, 0, 0);
  copyFileSync('/bin/sleep', `${file}.new`);
  appendFileSync(`${file}.new`, 'upgraded');
  renameSync(`${file}.new`, file);
  assert.equal(await strategy.concern(managed(name)), undefined);
  const upgraded = await strategy.restart(attemptFor(name));
  assert.ok(upgraded.kind === 'restarted', JSON.stringify(upgraded));
  assert.deepEqual(world.warnings, [`row: ${file} has changed since it was pinned, and is root's alone`.replace('row', name)]);
});

test('what is pinned is started, whatever runs; and what is gone is refused, not looked for', asRoot, async (t) => {
  const { world, name, file, pid, strategy } = await rootRunsTheirs(t, { configured: true });
  const [record] = await recordsNow(strategy, name);
  assert.ok(record);
  await pin(world, name, [{ ...record, argv: [file, '299'], cwd: '/', environment: ['PATH=/bin', `ZOO=${world.zoo.dir}`] }]);
  assert.deepEqual((await strategy.preview(managed(name), never)).warnings, [
    `pid ${pid} does not run as it was pinned: what is pinned would be started`,
  ]);
  await strategy.restart(attemptFor(name));
  assert.deepEqual(
    world.launched.map(({ argv, cwd }) => [argv, cwd]),
    [[[file, '299'], '/']],
  );
  await pin(world, name, [{ ...record, executable: '/bin/sleep' }]);
  const missing = world.parts.pins.get(name);
  assert.ok(missing);
  const gone = { path: '/no/such/file', sha256: '0'.repeat(64) };
  world.parts.pins.set({ ...missing, launches: [{ record, files: [gone] }] });
  const refused = await strategy.restart(attemptFor(name));
  assert.ok(refused.kind === 'failed', JSON.stringify(refused));
  assert.match(
    refused.reason,
    /^what was pinned cannot be read: ENOENT.*; run `monitor_service pin .*` again, or set start_command$/,
  );
});

test('require_pin: nothing of root’s without a pin; what is a user’s needs none', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  Object.assign(world.parts, { requirePin: true });
  const [name, users] = [unique('pn'), unique('pn')];
  const pid = await world.zoo.start(world.zoo.sleeper(name));
  const strategy = world.strategy({ user: 'nobody' });
  await seen(strategy, name);
  const refused = await strategy.restart(attemptFor(name));
  assert.ok(refused.kind === 'failed' && refused.final === true && isAlive(pid), JSON.stringify(refused));
  assert.match(refused.reason, /^it would be started as root: require_pin requires a pin; run `monitor_service pin /);
  await pin(world, name, await recordsNow(strategy, name));
  assert.equal((await strategy.restart(attemptFor(name))).kind, 'restarted');
  await world.zoo.start(world.zoo.sleeper(users), ['300'], nobody);
  await seen(strategy, users);
  await strategy.observe(managed(users));
  assert.equal(await strategy.concern(managed(users)), undefined);
  assert.equal((await strategy.restart(attemptFor(users))).kind, 'restarted');
});

test('a record never changes its user, but to the one that user names', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = unique('pn');
  const file = world.zoo.sleeper(name);
  const pid = await world.zoo.start(file);
  const strategy = world.strategy({ anyUser: true });
  await seen(strategy, name);
  // On a busy machine a look may not see all of a process in its time: the next one does.
  const observed = (what: string, looking: typeof strategy, isTrue: () => boolean): Promise<boolean> =>
    waitFor(what, async () => {
      await looking.observe(managed(name));
      return isTrue();
    });
  await observed('it is recorded', strategy, () => world.parts.launches.get(name)?.uid === 0);
  await kill(pid);
  const other = await world.zoo.start(file, ['299'], nobody);
  await seen(strategy, name);
  await observed('it is told', strategy, () => world.warnings.length > 0);
  await strategy.observe(managed(name));
  assert.deepEqual(world.parts.launches.get(name)?.argv, [file, '300']);
  assert.equal(world.warnings.length, 1, 'told once');
  const said = new RegExp(
    `pid ${other}: it runs as user 65534, but is recorded as a program of user 0, and that stays so .*: run .monitor_service pin`,
  );
  assert.match(world.warnings.join(), said);
  await waitFor('it is shown', async () => said.test((await strategy.preview(managed(name), never)).warnings?.join() ?? ''));
  const theirs = world.strategy({ user: 'nobody' });
  await observed('it is recorded as theirs', theirs, () => world.parts.launches.get(name)?.uid === nobody.uid);
});

test(
  'root’s record is replaced by the same program of root’s alone, wherever that lies, and by nothing else',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const name = unique('pn');
    const strategy = world.strategy();
    const run = async (folder: string, args: readonly string[], owner: number): Promise<LaunchRecord | undefined> => {
      const dir = join(world.zoo.dir, folder);
      mkdirSync(dir, { recursive: true });
      copyFileSync('/bin/sleep', join(dir, name));
      chownSync(dir, owner, owner);
      const pid = await world.zoo.start(join(dir, name), args);
      await seen(strategy, name);
      await strategy.observe(managed(name));
      await kill(pid);
      return world.parts.launches.get(name);
    };
    const path = (folder: string): string => join(world.zoo.dir, folder, name);
    assert.equal((await run('one', ['300'], 0))?.executable, path('one'));
    assert.equal((await run('two', ['299'], 0))?.executable, path('two'));
    assert.equal((await run('three', ['298'], nobody.uid))?.executable, path('two'));
    assert.match(
      world.warnings.join(),
      /it does not run as it was recorded: run `monitor_service pin .* or set start_command$/,
    );
    // By another name it is another program, whatever it calls itself.
    writeFileSync(join(world.zoo.dir, 'other'), '');
    copyFileSync('/bin/sleep', join(world.zoo.dir, 'other-name'));
    const pid = await world.zoo.start(join(world.zoo.dir, 'other-name'), ['297'], { argv0: name });
    await seen(strategy, name);
    await strategy.observe(managed(name));
    await kill(pid);
    assert.equal(world.parts.launches.get(name)?.executable, path('two'));
  },
);

test('a row of the database changes nothing of what is started', asRoot, async (t) => {
  const { world, name, strategy, pid } = await rootRunsTheirs(t, { configured: true });
  await pin(world, name, await recordsNow(strategy, name));
  await kill(pid);
  const row = { processId: '4711', processName: "x'; touch /tmp/owned #", systemName: name, systemNameConfigured: true };
  const outcome = await strategy.restart({ process: row, attempt: 7, runId: 'run-2', signal: never });
  assert.equal(outcome.kind, 'restarted', JSON.stringify(outcome));
  const [pinned] = world.parts.pins.get(name)?.launches ?? [];
  assert.deepEqual(world.launched, [pinned?.record]);
});
