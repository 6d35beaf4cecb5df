import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfigText } from '../../src/config/config-file.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { CheckParts, CheckTarget, Finding } from '../../src/detectors/checks/check.ts';
import { hostCheck } from '../../src/detectors/checks/types/host.ts';
import { FileHelpers } from '../../src/system/helpers/file-helpers.ts';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { openZoo, unique } from '../helpers/process-zoo.ts';
import { asRoot, missing, skipUnless } from '../helpers/requirement.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { never } from '../helpers/worker-world.ts';

// `type = host` looks at a real machine, with something wrong about it.

const OFF = ['cpu_percent', 'memory_percent', 'disk_percent', 'inode_percent', 'load_per_core', 'swap_percent'];
const ALL_OFF = [...OFF, 'memory_pressure', 'open_files_percent', 'zombies', 'oom_kills'];

/** A check of this host that looks at nothing but what these keys say. */
function hostWith(keys: Readonly<Record<string, string>>, files = new FileHelpers(systemClock)): CheckTarget {
  const lines = ALL_OFF.filter((key) => !(key in keys)).map((key) => `${key} = off`);
  const own = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  const document = loadConfigText('f', ['[check.host]', ...lines, ...own].join('\n'));
  const check = { name: 'host', processName: undefined, systemName: 'host' };
  const options = hostCheck.parse(document.member('check', 'host'), check);
  assert(options !== undefined && document.problems.length === 0);
  return hostCheck.create(options, check, { clock: systemClock, files, programs: { table: new ProcessTable() } } as CheckParts);
}

async function partsOf(target: CheckTarget, timeoutMs = 60_000): Promise<Readonly<Record<string, Finding>>> {
  return (await target.look(timeoutMs, never)).parts ?? {};
}

function reasonOf(finding: Finding | undefined): string {
  return finding === undefined || finding.kind === 'ok' ? String(finding?.kind) : `${finding.kind}: ${finding.reason}`;
}

/** Runs a program to its end. */
function run(...argv: [string, ...string[]]): void {
  const [file, ...rest] = argv;
  const { status, stderr } = spawnSync(file, rest, { encoding: 'utf8' });
  assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
}

/** A folder to mount something on; unmounted before it is removed. */
function mountPoint(t: TestContext, name: string): { readonly dir: string; readonly place: string } {
  let place = '';
  // The hooks run in the order of their registration.
  t.after(() => void spawnSync('umount', ['-l', '-f', place]));
  const dir = tempDir(t);
  place = join(dir, name);
  mkdirSync(place);
  return { dir, place };
}

/** A small ext4 filesystem with 64 inodes; where it is mounted. */
function smallFilesystem(t: TestContext): string {
  const { dir, place } = mountPoint(t, 'my data');
  const image = join(dir, 'image');
  run('dd', 'if=/dev/zero', `of=${image}`, 'bs=1M', 'count=8');
  run('mkfs.ext4', '-q', '-N', '64', image);
  run('mount', '-o', 'loop', image, place);
  return place;
}

test('a full filesystem and a full inode table are each named, and hide nobody', { skip: missing('mkfs.ext4') }, async (t) => {
  const place = smallFilesystem(t);
  const host = hostWith({ disk_percent: '85', inode_percent: '85' });
  const [disk, inodes] = [`disk_percent:${place}`, `inode_percent:${place}`];
  const before = await partsOf(host);
  assert.deepEqual([before[disk], before[inodes]], [{ kind: 'ok' }, { kind: 'ok' }]);
  for (let i = 0; i < 50; i++) writeFileSync(join(place, String(i)), '');
  const many = await partsOf(host);
  assert.deepEqual(many[disk], { kind: 'ok' });
  assert.match(reasonOf(many[inodes]), /^failing: "\/.*\/my data" is 9\d\.\d % out of inodes \(expected at most 85 %\)$/);
  spawnSync('dd', ['if=/dev/zero', `of=${join(place, '0')}`, 'bs=64k']);
  const full = await partsOf(host);
  assert.match(reasonOf(full[disk]), /^failing: "\/.*\/my data" is 100\.0 % full \(expected at most 85 %\)$/);
  assert.notEqual(full['disk_percent:/']?.kind, undefined);
});

/** A filesystem that answers nobody: of FUSE, with a program that does not read. Where it is mounted. */
async function silentFilesystem(t: TestContext): Promise<string> {
  const { place } = mountPoint(t, 'silent');
  const mount = 'exec 3<>/dev/fuse; mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none "$1"; exec sleep 300';
  const holder = spawn('bash', ['-c', mount, 'bash', place], { stdio: 'ignore' });
  t.after(() => holder.kill('SIGKILL'));
  await waitFor('the mount', () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${place} `));
  return place;
}

test('a filesystem that does not answer is unknown, holds up no other, and is not asked again at once', asRoot, async (t) => {
  const place = await silentFilesystem(t);
  let laterMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
  const files = new FileHelpers(clock);
  const host = hostWith({ disk_percent: '100' }, files);
  const first = await partsOf(host, 3000);
  assert.equal(reasonOf(first[`disk_percent:${place}`]), `unknown: "${place}" did not answer within 3 s`);
  assert.deepEqual(first['disk_percent:/'], { kind: 'ok' });
  const beganMs = performance.now();
  const second = await partsOf(host, 60_000);
  assert(performance.now() - beganMs < 30_000);
  assert.match(reasonOf(second[`disk_percent:${place}`]), /^unknown: ".*silent" has not answered for \d+(\.\d)? s$/);
  laterMs = 31_000;
  const third = await partsOf(host, 3000);
  assert.equal(reasonOf(third[`disk_percent:${place}`]), `unknown: "${place}" did not answer within 3 s`);
});

test('a process that takes a whole core, or more memory than it may, is named', async (t) => {
  const zoo = openZoo(t);
  const name = unique('hog');
  await zoo.start(process.execPath, ['-e', 'for (;;);'], { argv0: name });
  const host = hostWith({ cpu_percent: '2', memory_percent: '0.01', except: 'mariadbd' });
  // How much it gets depends on what else runs.
  const found = await waitFor('it is named', async () => {
    const { cpu_percent: cpu, memory_percent: memory } = await partsOf(host);
    return reasonOf(cpu).includes(`: "${name} -e for (;;);"`) ? reasonOf(memory) : undefined;
  });
  assert.match(found, /^failing: \d+ processes use more than 0\.01 % of the memory: pid \d+ \d+ % \(parent \d+, user \S+\): /);
});

test('a zombie is seen, and its parent', async (t) => {
  const zoo = openZoo(t);
  await zoo.start('/bin/bash', ['-c', 'sleep 0 & exec sleep 300']);
  const host = hostWith({ zombies: '0' });
  // It has not lived for a minute.
  assert.deepEqual((await partsOf(host)).zombies, { kind: 'ok' });
});

/** A control group in which not more than 16 MiB can be used; undefined if there can be none. */
function smallGroup(): string | undefined {
  const [v1, v2] = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'];
  for (const [root, file] of [
    [v1, 'memory.limit_in_bytes'],
    [v2, 'memory.max'],
  ] as const) {
    const group = join(root, unique('monitor-test-oom'));
    try {
      mkdirSync(group);
      writeFileSync(join(group, file), '16777216');
      return group;
    } catch {
      spawnSync('rmdir', [group], { stdio: 'ignore' });
    }
  }
  return undefined;
}

const group = process.geteuid?.() === 0 ? smallGroup() : undefined;
test('a kill for want of memory is an event', {
  skip: skipUnless(group === undefined ? 'no memory cgroup' : undefined),
}, async (t) => {
  assert(group !== undefined);
  t.after(() => waitFor('the group is empty', () => spawnSync('rmdir', [group]).status === 0));
  const host = hostWith({ oom_kills: 'true' });
  assert.deepEqual((await partsOf(host)).oom_kills, { kind: 'ok' });
  const hog = 'echo $$ > "$1/cgroup.procs"; exec tail /dev/zero';
  const { signal } = spawnSync('bash', ['-c', hog, 'bash', group], { stdio: 'ignore' });
  assert.equal(signal, 'SIGKILL');
  assert.match(reasonOf((await partsOf(host)).oom_kills), /^failing: the kernel has killed 1 process for want of memory: /);
  assert.deepEqual((await partsOf(host)).oom_kills, { kind: 'ok' });
});
