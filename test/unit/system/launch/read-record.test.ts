import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { recallLaunch } from '../../../../src/strategies/process/launch/memory.ts';
import { confinementOf } from '../../../../src/system/launch/confinement.ts';
import { readLaunchRecord } from '../../../../src/system/launch/read-record.ts';
import { planRecorded } from '../../../../src/system/launch/recorded-program.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { seenNow, treeOf } from '../../../helpers/process-trees.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const NOBODY = 65534;

const CAGES: readonly (readonly [what: string, argv: readonly string[], reason: RegExp])[] = [
  ['a bounding set', ['setpriv', '--bounding-set=-sys_time'], /^it is confined: its capabilities are bounded$/],
  ['NoNewPrivs', ['setpriv', '--no-new-privs'], /NoNewPrivs/],
  ['a mount namespace', ['unshare', '--mount'], /namespaces of its own \(mnt\)$/],
  ['a network namespace', ['unshare', '--net'], /namespaces of its own \(net\)$/],
  ['several', ['unshare', '--ipc', '--uts', '--cgroup'], /namespaces of its own \((?=.*cgroup)(?=.*ipc)(?=.*uts).*\)$/],
];

for (const [what, cage, reason] of CAGES)
  for (const owner of ['root', 'a user'] as const)
    test(
      `${what}: nothing that ${owner}’s process says about itself is started outside of its confinement`,
      asRoot,
      async (t) => {
        const zoo = openZoo(t);
        const program = zoo.sleeper('caged');
        const drop = owner === 'root' ? [] : ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
        const [file = '', ...argv] = [...cage, ...drop, program, '300'];
        const pid = await zoo.start(file, argv, { cwd: '/' });
        await waitFor('the program itself', () => table.read(pid, ['argv'])?.argv?.[0] === program);
        const reading = await readLaunchRecord(table, pid, process.pid);
        assert.ok(reading.kind === 'unusable', JSON.stringify(reading));
        assert.match(reading.reason, reason);
        // What it was compared with is what counts: of its own kind it is not confined.
        assert.equal(confinementOf(table, pid, pid), undefined);
      },
    );

test('root without all of its capabilities, and a user without any, who is not confined by that', asRoot, async (t) => {
  const zoo = openZoo(t);
  const program = zoo.sleeper('lessened');
  const start = async (...prefix: readonly string[]): Promise<number> => {
    const [file = '', ...argv] = [...prefix, program, '300'];
    const pid = await zoo.start(file, argv, { cwd: '/' });
    await waitFor('the program itself', () => table.read(pid, ['argv'])?.argv?.[0] === program);
    return pid;
  };
  const lessened = await start('setpriv', '--inh-caps=-all', '--securebits=+noroot');
  assert.match(confinementOf(table, lessened, process.pid) ?? '', /^it is confined: it is root without all capabilities$/);
  const plain = await start('setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups');
  assert.equal(confinementOf(table, plain, process.pid), undefined);
});

test('filters and labels, and what cannot be read', (t) => {
  const root = tempDir(t);
  const status = readFileSync('/proc/self/status', 'utf8').replace(/^Seccomp:.*$/m, 'Seccomp:\t0');
  const process = (pid: number, { text = status, label = undefined as string | undefined, mnt = 'mnt:[1]' } = {}): void => {
    mkdirSync(join(root, `${pid}/ns`), { recursive: true });
    mkdirSync(join(root, `${pid}/attr`));
    writeFileSync(join(root, `${pid}/status`), text);
    if (label !== undefined) writeFileSync(join(root, `${pid}/attr/current`), label);
    if (mnt !== '') symlinkSync(mnt, join(root, `${pid}/ns/mnt`));
    symlinkSync(`pid:[${pid}]`, join(root, `${pid}/ns/pid_for_children`));
  };
  const verdict = (pid: number): string | undefined => confinementOf(new ProcessTable(root), pid, 1);
  process(1, { label: 'system_u:system_r:init_t:s0\0' });
  const labels: readonly (readonly [label: string | undefined, free: boolean])[] = [
    [undefined, true],
    ['unconfined\n', true],
    ['system_u:system_r:init_t:s0\0', true],
    ['unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0', true],
    ['system_u:system_r:unconfined_service_t:s0', true],
    ['system_u:system_r:initrc_t:s0', true],
    ['system_u:system_r:httpd_t:s0', false],
    ['system_u:system_r:container_t:s0:c1,c2', false],
    ['docker-default (enforce)\n', false],
    ['/usr/sbin/mysqld (complain)\n', false],
    ['unconfined_t', false],
  ];
  for (const [index, [label, free]] of labels.entries()) {
    process(100 + index, { label });
    assert.equal(verdict(100 + index) === undefined, free, label);
  }
  process(2, { text: status.replace('Seccomp:\t0', 'Seccomp:\t2') });
  assert.match(verdict(2) ?? '', /seccomp/);
  // Less bound than who starts is not bound.
  process(6, { text: status.replace(/^NoNewPrivs:.*$/m, 'NoNewPrivs:\t0') });
  assert.equal(verdict(6), undefined);
  process(7, { text: status.replace(/^CapBnd:.*$/m, 'CapBnd:\tffffffffffffffff') });
  assert.equal(verdict(7), undefined);
  process(3, { mnt: '' });
  assert.equal(verdict(3), 'its namespaces cannot be read');
  process(4, { mnt: 'mnt:[2]' });
  assert.match(verdict(4) ?? '', /\(mnt\)$/);
  assert.equal(verdict(5), 'its rights cannot be read');
});

test('a directory that was removed is not what is in its place now', async (t) => {
  const zoo = openZoo(t);
  const [place, other] = [join(zoo.dir, 'd'), join(zoo.dir, 'other')];
  mkdirSync(place);
  mkdirSync(other);
  const pid = await zoo.start(zoo.sleeper('wanderer'), ['300'], { cwd: place });
  assert.equal((await readLaunchRecord(table, pid, process.pid)).kind, 'read');
  rmdirSync(place);
  const gone = { kind: 'unusable', reason: `its working directory ${place} is gone` };
  assert.deepEqual(await readLaunchRecord(table, pid, process.pid), gone);
  symlinkSync(other, place);
  assert.deepEqual(await readLaunchRecord(table, pid, process.pid), gone);
});

test('a release behind a link is followed: the directory is what the program calls it, and stays so', async (t) => {
  const zoo = openZoo(t);
  const [first, second, current] = ['1', '2', 'current'].map((name) => join(zoo.dir, name)) as [string, string, string];
  mkdirSync(first);
  mkdirSync(second);
  symlinkSync(first, current);
  const env = { PATH: process.env.PATH, ZOO: zoo.dir, PWD: current };
  const pid = await zoo.start(zoo.sleeper('released'), ['300'], { cwd: first, env });
  const tree = treeOf(seenNow(table, pid));
  const sight = { table, starter: process.pid };
  const name = { systemName: 'released', userUid: undefined };
  const seen = await recallLaunch(sight, undefined, tree, name);
  assert.ok(seen.kind === 'known' && seen.record.cwd === current, JSON.stringify(seen));
  symlinkSync(second, join(zoo.dir, 'new'));
  renameSync(join(zoo.dir, 'new'), current);
  const again = await recallLaunch(sight, seen.record, tree, name);
  assert.ok(again.kind === 'known' && again.record.cwd === current && !again.fresh, JSON.stringify(again));
  // One that is seen only now tells where it is, not where it was started.
  const late = await recallLaunch(sight, undefined, tree, name);
  assert.ok(late.kind === 'known' && late.record.cwd === first, JSON.stringify(late));
});

test('another user’s directory is entered with that user’s rights', asRoot, async (t) => {
  const secret = mkdtempSync(join(tempDir(t), 'secret-'));
  chmodSync(secret, 0o700);
  const record = {
    argv: ['sleep', '1'],
    executable: '/bin/sleep',
    cwd: secret,
    environment: [],
    uid: NOBODY,
    gid: NOBODY,
    groups: [],
  };
  const plan = await planRecorded({ ...record, groups: [NOBODY] }, 'run');
  assert.ok(plan.kind === 'ready');
  // Root's own child enters nothing but `/`: the rest is done behind setpriv.
  assert.deepEqual([plan.options.cwd, plan.file], ['/', 'setpriv']);
  assert.match(plan.text ?? '', /cd -- '.*secret-/);
});
