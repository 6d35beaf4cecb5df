import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchRecord, Surroundings } from '../../../../src/core/program/launch-record.ts';
import { DirectLauncher } from '../../../../src/system/launch/direct.ts';
import type { LaunchResult } from '../../../../src/system/launch/launcher.ts';
import { outputFile } from '../../../../src/system/launch/surroundings.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { CommandWorld } from '../../../helpers/command-world.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { settledRecord } from '../../../helpers/settled-record.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const NOBODY = 65534;
const OURS = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: process.getgroups?.() ?? [] };

function open(t: TestContext) {
  const world = new CommandWorld(t);
  chmodSync(world.dir, 0o755);
  const launcher = new DirectLauncher(world.files);
  const launch = (record: LaunchRecord, graceMs = 300): Promise<LaunchResult> => {
    const what = { kind: 'argv', record } as const;
    return launcher.launch({ systemName: 'app', runId: 'launch-1', timeoutMs: 10_000, what }, graceMs, world.never);
  };
  const record = (surroundings: Surroundings, more: Partial<LaunchRecord> = {}): LaunchRecord => ({
    ...{ argv: ['bash', '-c', 'echo out; echo err >&2; exec sleep 300'], executable: '/bin/bash', cwd: '/' },
    ...{ environment: [`WORLD=${world.dir}`], ...OURS, surroundings, ...more },
  });
  return { world, launch, record };
}

/** Where standard output and error of what was launched go, once it is asleep; undefined for what is no lasting file. */
async function outputs(result: LaunchResult): Promise<(string | undefined)[]> {
  assert.ok(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
  const { pid } = result;
  await waitFor('the program itself', () => table.read(pid, ['name'])?.name === 'sleep');
  return [outputFile(table, pid, 1), outputFile(table, pid, 2)];
}

test('what only ignores signals is begun with all of its environment, whatever its variables are called', async (t) => {
  const { world, launch, record } = open(t);
  const environment = [`WORLD=${world.dir}`, 'a.b=2', 'PATH=/usr/bin:/bin'];
  const program = { argv: ['/bin/sleep', '300'], executable: '/bin/sleep', environment };
  const result = await launch(record({ ignoredSignals: [2, 3] }, program));
  assert.ok(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
  const { pid } = result;
  await waitFor('the program itself', () => table.read(pid, ['name'])?.name === 'sleep');
  const now = table.read(pid, ['argv', 'environment']);
  assert.deepEqual(now?.argv, ['/bin/sleep', '300']);
  assert.deepEqual(now?.environment?.toSorted(), [...environment, 'MONITOR_RUN_ID=launch-1'].sort());
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^SigIgn:\t0*6$/m);
});

for (const [who, rights] of [
  ['ours', {}],
  ['another user’s', { uid: NOBODY, gid: NOBODY, groups: [NOBODY] }],
] as const)
  test(`what a program had from who started it, a restart gives back: ${who}`, who === 'ours' ? {} : asRoot, async (t) => {
    const { world, launch, record } = open(t);
    const folder = join(world.dir, 'log');
    mkdirSync(folder);
    if ('uid' in rights) chownSync(folder, rights.uid, rights.gid);
    const drop = 'uid' in rights ? `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups ` : '';
    const log = join(folder, "it's $HOME.log");
    writeFileSync(join(world.dir, 'run'), 'umask 027; exec sleep 300 >>"$1" 2>"$1.err"');
    const begin = `ulimit -Sn 300; ulimit -Hn 512; ulimit -f 20480; ulimit -c 0; trap '' HUP USR1; exec nice -n 5 ${drop}bash ${world.dir}/run "$0"`;
    const child = spawn('bash', ['-c', begin, log], {
      cwd: '/',
      env: { WORLD: world.dir, PATH: '/usr/bin:/bin' },
      detached: true,
    });
    const pid = child.pid ?? 0;
    await waitFor('the program itself', () => table.read(pid, ['name'])?.name === 'sleep');
    const first = await settledRecord(table, pid);
    assert.ok(first.kind === 'read', JSON.stringify(first));
    const { surroundings = {} } = first.record;
    assert.deepEqual(surroundings.limits?.nofile, { soft: '300', hard: '512' });
    assert.deepEqual(surroundings.limits?.fsize, { soft: '20971520', hard: '20971520' });
    assert.deepEqual(
      { ...surroundings, limits: undefined },
      {
        ...{ limits: undefined, umask: 0o027, nice: 5, ignoredSignals: [1, 10] },
        ...{ standardOutput: log, standardError: `${log}.err` },
      },
    );
    child.kill('SIGKILL');
    await waitFor('its end', () => !table.isRunning(pid));
    const result = await launch(first.record);
    assert.ok(result.kind === 'launched' && result.pid !== undefined && result.remarks === undefined, JSON.stringify(result));
    const again = result.pid;
    await waitFor('the program itself', () => table.read(again, ['name'])?.name === 'sleep');
    const second = await settledRecord(table, again);
    assert.deepEqual(second.kind === 'read' && second.record.surroundings, surroundings);
    assert.match(table.bytes(again, 'fdinfo/1')?.toString() ?? '', /^flags:\s*0[0-7]*2001$/m, 'for appending, and no more');
    const plain = await launch(record({}, rights));
    assert.ok(plain.kind === 'launched' && plain.pid !== undefined);
    await waitFor('the program itself', () => table.read(plain.pid ?? 0, ['name'])?.name === 'sleep');
    const usual = table.descriptorNames(plain.pid, 100);
    assert.deepEqual(table.descriptorNames(again, 100), usual, 'nothing else is open');
    assert.deepEqual(
      table.list(['ppid']).filter(({ ppid }) => ppid === again),
      [],
      'it has no children that it did not make',
    );
  });

test('both into one file, what was there stays; and one that is not there is made', async (t) => {
  const { world, launch, record } = open(t);
  const [old, fresh] = [join(world.dir, 'old.log'), join(world.dir, 'fresh.log')];
  writeFileSync(old, 'before\n');
  const into = (path: string): Surroundings => ({ umask: 0o027, standardOutput: path, standardError: path });
  for (const path of [old, fresh]) assert.deepEqual(await outputs(await launch(record(into(path)))), [path, path]);
  assert.equal(readFileSync(old, 'utf8'), 'before\nout\nerr\n');
  assert.equal(readFileSync(fresh, 'utf8'), 'out\nerr\n');
  assert.equal(statSync(fresh).mode & 0o777, 0o640);
});

test('what cannot be restored does not prevent its start, and is reported', asRoot, async (t) => {
  const { launch, record } = open(t);
  const limits = { nofile: { soft: '999999999', hard: '9999999999' }, fsize: { soft: '8192', hard: '8192' } };
  const result = await launch(record({ limits, standardOutput: '/no/such/folder/log' }));
  assert.ok(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
  assert.match(
    result.remarks?.join('\n') ?? '',
    /^its standard output no longer goes to \/no\/such\/folder\/log\nits limit nofile is \d+, not 9999999999$/,
  );
  assert.match(table.bytes(result.pid, 'limits')?.toString() ?? '', /^Max file size +8192 +8192 /m);
});

/** A secret of root's, and a folder of nobody's where that file belongs which is to be written to. */
function trap(world: CommandWorld) {
  const secret = join(world.dir, 'secret');
  writeFileSync(secret, 'secret\n', { mode: 0o600 });
  const theirs = join(world.dir, 'theirs');
  mkdirSync(theirs);
  chownSync(theirs, NOBODY, NOBODY);
  return { secret, theirs, file: join(theirs, 'app.log') };
}

const THEIR_RIGHTS = { uid: NOBODY, gid: NOBODY, groups: [NOBODY] };

for (const [who, rights] of [
  ['root', {}],
  ['another user', THEIR_RIGHTS],
] as const)
  test(
    `a link, a FIFO, a second name: nothing is followed, waited for or written with the rights of ${who}`,
    asRoot,
    async (t) => {
      const { world, launch, record } = open(t);
      const { secret, theirs, file } = trap(world);
      const sticky = join(world.dir, 'sticky');
      mkdirSync(sticky);
      chmodSync(sticky, 0o1777);
      const open_ = join(world.dir, 'open');
      writeFileSync(open_, '', { mode: 0o666 });
      chmodSync(open_, 0o666);
      for (const folder of [theirs, sticky]) {
        const path = join(folder, 'app.log');
        const plans: readonly (readonly [what: string, lay: () => void])[] = [
          ['a link to a secret', () => symlinkSync(secret, path)],
          ['a link to what anybody may write to', () => symlinkSync(open_, path)],
          ['a link to nothing', () => symlinkSync(join(world.dir, 'made'), path)],
          ['a FIFO', () => void spawnFifo(path)],
          ['a second name', () => linkSync(open_, path)],
          ['a folder', () => mkdirSync(path)],
        ];
        for (const [what, lay] of plans) {
          lay();
          await waitFor('the trap', () => existsSync(path) || what === 'a link to nothing');
          const result = await launch(record({ standardOutput: path, standardError: path }, rights));
          assert.deepEqual(await outputs(result), [undefined, undefined], what);
          assert.ok(result.kind === 'launched' && result.remarks?.length === 2, what);
          rmSync(path, { recursive: true });
        }
      }
      assert.ok(!existsSync(join(world.dir, 'made')));
      assert.equal(readFileSync(secret, 'utf8'), 'secret\n');
      assert.equal(readFileSync(open_, 'utf8'), '');
      // What is nobody's trap: of root's nothing in another's folder is opened, not even root's own.
      writeFileSync(file, '');
      if (who !== 'root') chownSync(file, NOBODY, NOBODY);
      const expected = who === 'root' ? undefined : file;
      assert.deepEqual(await outputs(await launch(record({ standardOutput: file }, rights))), [expected, undefined]);
      const common = join(sticky, 'common.log');
      assert.deepEqual(await outputs(await launch(record({ standardOutput: common }, rights))), [common, undefined]);
    },
  );

function spawnFifo(path: string): void {
  spawn('mkfifo', ['-m', '666', path]);
}

test(
  'while a stranger exchanges file, link, FIFO and folder without pause, all that is written goes to the file or nowhere',
  asRoot,
  async (t) => {
    const { world, launch, record } = open(t);
    const victim = join(world.dir, 'victim');
    mkdirSync(victim);
    // A user's own file, which that user's program must not be led to by another one's folder.
    const diary = join(victim, 'app.log');
    writeFileSync(diary, '', { mode: 0o600 });
    const shared = join(world.dir, 'shared');
    mkdirSync(join(shared, 'in'), { recursive: true });
    for (const path of [shared, join(shared, 'in')]) chownSync(path, NOBODY, NOBODY);
    for (const path of [victim, diary]) chownSync(path, 1, 1);
    const file = join(shared, 'in/app.log');
    const attack = `cd "$0"; while :; do
    rm -f in/app.log; ln -s "$1/app.log" in/app.log; rm -f in/app.log; mkfifo -m 666 in/app.log; rm -f in/app.log
    ln -s /dev/zero in/app.log; rm -f in/app.log; mv in away; ln -s "$1" in; rm in; mv away in; >in/app.log; chmod 666 in/app.log
  done`;
    const attacker = spawn('bash', ['-c', attack, shared, victim], { uid: NOBODY, gid: NOBODY, stdio: 'ignore' });
    t.after(() => attacker.kill('SIGKILL'));
    const rights = { uid: 1, gid: 1, groups: [1] };
    for (let round = 0; round < 40; round++) {
      const started = performance.now();
      const result = await launch(record({ standardOutput: file, standardError: file }, rights), 50);
      assert.ok(result.kind === 'launched' && result.pid !== undefined, JSON.stringify(result));
      await waitFor('the program itself', () => table.read(result.pid ?? 0, ['name'])?.name === 'sleep');
      assert.ok(performance.now() - started < 20_000);
      const path = table.descriptorPath(result.pid, '1') ?? '';
      assert.ok(path.includes('/runs/') || /\/(?:in|away)\/app\.log(?: \(deleted\))?$/.test(path), path);
      assert.ok(!path.startsWith(victim), path);
      process.kill(result.pid, 'SIGKILL');
      await delay(1);
    }
    assert.equal(readFileSync(diary, 'utf8'), '');
  },
);

test('an output that was rotated, removed, or is not a lasting file is not recorded', async (t) => {
  const { world } = open(t);
  const start = async (redirection: string): Promise<number> => {
    const child = spawn('bash', ['-c', `exec sleep 300 ${redirection}`], {
      cwd: world.dir,
      env: { WORLD: world.dir, PATH: process.env.PATH },
    });
    await waitFor('the program itself', () => table.read(child.pid ?? 0, ['name'])?.name === 'sleep');
    return child.pid ?? 0;
  };
  const path = join(world.dir, 'log');
  const pid = await start('>>log');
  assert.equal(outputFile(table, pid, 1), path);
  assert.equal(outputFile(table, pid, 2), undefined, 'a pipe');
  renameSync(path, `${path}.1`);
  assert.equal(outputFile(table, pid, 1), `${path}.1`);
  writeFileSync(path, '');
  rmSync(`${path}.1`);
  assert.equal(outputFile(table, pid, 1), undefined);
  assert.equal(outputFile(table, await start('>/dev/null'), 1), undefined);
  assert.equal(outputFile(table, await start('1<log'), 1), undefined, 'for reading alone');
  writeFileSync(join(world.dir, 'app-launch-1.2.3'), '');
  assert.equal(outputFile(table, await start('>>app-launch-1.2.3'), 1), undefined, 'one of our own');
});
