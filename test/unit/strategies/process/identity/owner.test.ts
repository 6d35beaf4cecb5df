import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { isOwnedBy } from '../../../../../src/strategies/process/identity/owner.ts';
import type { ProcessOptions } from '../../../../../src/strategies/process/options.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import {
  attemptFor,
  looked,
  managed,
  type ProcessStrategyWorld,
  processStrategyWorld,
} from '../../../../helpers/process-strategy-world.ts';
import { isAlive, nobody } from '../../../../helpers/process-zoo.ts';
import { asRoot } from '../../../../helpers/requirement.ts';
import { never } from '../../../../helpers/strategy-parts.ts';
import { tempDir } from '../../../../helpers/temp-dir.ts';
import { waitFor } from '../../../../helpers/wait-for.ts';

/** The pids of the programs that a restart would stop. */
async function found(
  world: ProcessStrategyWorld,
  systemName: string,
  options: Partial<ProcessOptions> = {},
): Promise<number[]> {
  return (await looked(world, systemName, { maxMatches: 9, ...options })).pids;
}

test(
  'a process that calls itself a full path by argv[0] is that program if root runs it, and is left alone if not',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const path = join(world.zoo.dir, `zclaim${process.pid}`);
    const file = world.zoo.sleeper('zsleeper');
    const imitator = await world.zoo.start(file, ['300'], { argv0: path, ...nobody });
    assert.deepEqual(await found(world, path), []);
    const strategy = world.strategy({ startCommand: 'true' });
    assert.equal((await strategy.checkHealth(managed(path, true), 10, never)).kind, 'unhealthy');

    const own = await world.zoo.start(file, ['300'], { argv0: path });
    assert.deepEqual(await found(world, path), [own]);
    const outcome = await strategy.restart(attemptFor(path, true));
    assert.equal(outcome.kind, 'restarted', 'the imitator does not count in max_matches');
    assert.ok(!isAlive(own) && isAlive(imitator));
  },
);

test("the configured user's, the last seen one's and the daemon's own are believed too", asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const path = join(world.zoo.dir, `zservice${process.pid}`);
  const pid = await world.zoo.start(world.zoo.sleeper('zsleeper'), ['300'], { argv0: path, ...nobody });
  assert.deepEqual(await found(world, path, { user: 'nobody' }), [pid]);
  assert.deepEqual(await found(world, path, { user: '65534' }), [pid]);
  assert.deepEqual(await found(world, path, { user: 'daemon' }), []);

  const daemonsUser = t.mock.method(process as Required<Pick<NodeJS.Process, 'geteuid'>>, 'geteuid', () => nobody.uid);
  assert.deepEqual(await found(world, path), [pid]);
  daemonsUser.mock.restore();

  const record = { argv: [path], executable: path, cwd: '/', environment: [], groups: [], ...nobody };
  world.parts.launches.set(path, record);
  assert.deepEqual(await found(world, path), [pid]);
  world.parts.launches.set(path, { ...record, uid: 1 });
  assert.deepEqual(await found(world, path), []);
});

test(
  'while nothing is known, a file of that name that belongs to root makes everybody’s process the program; argv[0] makes nobody’s',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const file = world.zoo.sleeper(`zfile${process.pid}`);
    const [byFile, called] = [
      await world.zoo.start(file, ['300'], nobody),
      await world.zoo.start(world.zoo.sleeper('zsleeper'), ['300'], { argv0: file, ...nobody }),
    ];
    assert.deepEqual(await found(world, file), [byFile]);
    assert.deepEqual(await found(world, basename(file)), [byFile]);
    assert.deepEqual(await found(world, basename(file), { user: 'daemon' }), []);
    assert.deepEqual(await found(world, basename(file), { user: 'nobody' }), [byFile, called]);
    assert.deepEqual(await found(world, basename(file), { anyUser: true }), [byFile, called]);
    const link = join(world.zoo.dir, `zlink${process.pid}`);
    symlinkSync(file, link);
    const byLink = await world.zoo.start(link, ['300'], nobody);
    await world.zoo.start('/bin/sleep', ['300'], { argv0: link, ...nobody });
    assert.deepEqual(await found(world, link), [byLink]);

    const script = world.zoo.script(`zscript${process.pid}`, '#!/bin/bash\nwhile :; do sleep 300; done\n');
    const theirs = await world.zoo.start(script, [], nobody);
    const ours = await world.zoo.start(script, []);
    const isScript = (pid: number) => world.table.read(pid, ['argv'])?.argv?.[1] === script;
    await waitFor('scripts', () => isScript(theirs) && isScript(ours));
    assert.deepEqual(await found(world, script), [ours]);
    assert.deepEqual(await found(world, script, { user: 'nobody' }), [theirs, ours]);
  },
);

test("a set-user-id program is root's, its argv[0] is its caller's", asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const path = join(world.zoo.dir, `zsetuid${process.pid}`);
  const file = world.zoo.sleeper('zsleeper');
  chmodSync(file, 0o4755);
  const pid = await world.zoo.start(file, ['300'], { argv0: path, ...nobody });
  if (world.table.read(pid, ['uids'])?.uids?.effective !== 0) return t.skip('the temporary folder is mounted nosuid');
  assert.deepEqual(await found(world, path), []);
  assert.deepEqual(await found(world, path, { user: 'nobody' }), [pid]);
});

test(
  'a process that another user started is reported as that, and no setting is named that would let it count',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const name = `zsuid${process.pid}`;
    const file = world.zoo.sleeper('zsleeper');
    const start = (mode: number): Promise<number> => {
      chmodSync(file, mode);
      return world.zoo.start(file, ['300'], { argv0: name, ...nobody });
    };
    const [his, called] = [await start(0o755), await start(0o4755)];
    if (world.table.read(called, ['uids'])?.uids?.effective !== 0) return t.skip('the temporary folder is mounted nosuid');
    const { warnings } = await looked(world, name);
    assert.deepEqual(warnings, [
      `pid ${his} has that name too and is not touched: it belongs to user nobody (65534) (set user, or any_user = true, if it is the program)`,
      `pid ${called} has that name too and is not touched: it was started by user nobody (65534)`,
    ]);
    const told = world.warnings.filter((line) => line.startsWith(`Not taken for ${name}: `));
    assert.deepEqual(
      told,
      warnings.map((line) => `Not taken for ${name}: ${line}`),
      'each reason once',
    );
    const outcome = await world.strategy({}).restart(attemptFor(name));
    assert(outcome.kind === 'failed');
    assert.match(outcome.reason, new RegExp(`^nothing to start: it has not been seen running.*; pid ${his} has that name too`));
    assert.match(outcome.reason, /it belongs to user nobody \(65534\) \(set user, .*\); set start_command$/);
  },
);

test(
  'a process that has given up root counts as its present user: it can overwrite what the kernel gave it at its start',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const path = join(world.zoo.dir, `zdropped${process.pid}`);
    const pid = await world.zoo.start('/usr/bin/perl', ['-e', '$< = $> = 65534; sleep 300'], { argv0: path });
    await waitFor('drop', () => world.table.read(pid, ['uids'])?.uids?.saved === nobody.uid);
    assert.deepEqual(await found(world, path), []);
    assert.deepEqual(await found(world, path, { user: 'nobody' }), [pid]);
  },
);

test("if the kernel's record of its start cannot be read, its real user counts; a pid that was reused is nobody's", (t) => {
  const root = tempDir(t);
  const owned = (uids: string, startTime = 100): boolean => {
    mkdirSync(join(root, '7'), { recursive: true });
    writeFileSync(join(root, '7/stat'), '7 (p) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0');
    writeFileSync(join(root, '7/status'), `Uid:\t${uids}\nGid:\t0\t0\t0\t0\n`);
    return isOwnedBy(new ProcessTable(root), { pid: 7, startTime }, [0]);
  };
  assert.equal(owned('0\t0\t0\t0'), true);
  assert.equal(owned('65534\t0\t0\t0'), false);
  assert.equal(owned('0\t65534\t0\t0'), false);
  assert.equal(owned('0\t0\t0\t0', 99), false);
});

test('if the owner decides and the user cannot be looked up, the restart is refused, and nothing is stopped', async (t) => {
  const world = processStrategyWorld(t);
  const path = world.zoo.sleeper(`zlost${process.pid}`);
  const pid = await world.zoo.start(path);
  const strategy = world.strategy({ startCommand: 'true', user: 'no-such-user-here' });
  const reason = 'user: there is no user no-such-user-here';
  assert.deepEqual(await strategy.preview(managed(path, true), never), { stops: [], starts: [], refusals: [reason] });
  assert.deepEqual(await strategy.restart(attemptFor(path, true)), { kind: 'failed', reason });
  assert.deepEqual(await strategy.checkHealth(managed(path, true), 500, never), { kind: 'unhealthy', reason });
  assert.ok(isAlive(pid));
  assert.deepEqual((await strategy.preview(managed(basename(path)), never)).refusals, [reason]);
});

test(
  'a stranger who bears the name is not the program: not for a restart, its health, its record or its exits',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const name = `zappd${process.pid}`;
    const file = world.zoo.sleeper(name);
    const strategy = world.strategy();
    const pid = await world.zoo.start(file);
    await strategy.observe(managed(name));
    const record = world.parts.launches.get(name);
    assert.equal(record?.uid, 0);
    const stranger = await world.zoo.start('/bin/sleep', ['300'], { argv0: name, cwd: '/', ...nobody });
    const sameFile = await world.zoo.start(file, ['300'], { cwd: '/', ...nobody });

    const running = await strategy.findRunning(managed(name), never);
    assert.deepEqual(running.kind === 'found' && running.processes.map((process) => process.pid), [pid]);
    const preview = await strategy.preview(managed(name), never);
    assert.deepEqual([preview.stops.length, preview.refusals], [1, []]);
    assert.equal(preview.warnings?.length, 2);
    for (const warning of preview.warnings ?? [])
      assert.match(warning, /^pid \d+ has that name too and is not touched: it belongs to user nobody \(65534\)/);

    // The program is dead, and the stranger lives.
    process.kill(pid, 'SIGKILL');
    await waitFor('its end', () => !isAlive(pid));
    assert.equal((await strategy.checkHealth(managed(name), 10, never)).kind, 'unhealthy');
    const none = await strategy.findRunning(managed(name), never);
    assert.deepEqual(none.kind === 'found' && none.processes, []);
    await strategy.observe(managed(name));
    assert.deepEqual(world.parts.launches.get(name), record, 'what the stranger says of itself is kept nowhere');
    const outcome = await strategy.restart(attemptFor(name));
    assert.ok(outcome.kind === 'restarted', JSON.stringify(outcome));
    assert.deepEqual(world.launched, [record]);
    assert.ok(isAlive(stranger) && isAlive(sameFile));
    const told = world.warnings.filter((line) => line.startsWith(`Not taken for ${name}: `));
    assert.equal(told.length, 1, 'once for each user');
  },
);

test(
  'a file of root’s counts as long as nothing is known, unless others can write to it or it was mounted over',
  asRoot,
  async (t) => {
    const world = processStrategyWorld(t);
    const file = world.zoo.sleeper(`zroots${process.pid}`);
    const pid = await world.zoo.start(file, ['300'], { cwd: '/', ...nobody });
    assert.deepEqual(await found(world, basename(file)), [pid]);
    chmodSync(file, 0o777);
    assert.deepEqual(await found(world, basename(file)), []);
    chmodSync(file, 0o755);
    chownSync(file, 65534, 0);
    assert.deepEqual(await found(world, basename(file)), []);
    const own = world.zoo.sleeper(`zcovered${process.pid}`);
    const mounted = await world.zoo.start('/usr/bin/unshare', [
      ...['--mount', 'sh', '-c', 'mount --bind /bin/sleep "$0" && exec setpriv --reuid=65534 --clear-groups "$0" 300', own],
    ]);
    await waitFor('the covered one', () => world.table.read(mounted, ['executable'])?.executable === own);
    assert.deepEqual(await found(world, basename(own)), []);
  },
);

test('of many strangers the first are shown, and how many more there are', asRoot, async (t) => {
  const world = processStrategyWorld(t);
  const name = `zappm${process.pid}`;
  const strategy = world.strategy();
  await world.zoo.start(world.zoo.sleeper(name));
  await strategy.observe(managed(name));
  const start = () => world.zoo.start('/bin/sleep', ['300'], { argv0: name, cwd: '/', ...nobody });
  await Promise.all(Array.from({ length: 12 }, start));
  const { warnings = [] } = await strategy.preview(managed(name), never);
  assert.deepEqual([warnings.length, warnings.at(-1)], [11, 'and 2 more have that name and are not touched']);
});
