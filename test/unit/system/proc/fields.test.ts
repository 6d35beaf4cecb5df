import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AccountNames } from '../../../../src/system/accounts/names.ts';
import { FIELD_READERS, type ProcessField } from '../../../../src/system/proc/fields.ts';
import { LOOK_LIMITS } from '../../../../src/system/proc/files.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { TerminalNames } from '../../../../src/system/proc/terminal-names.ts';
import { openZoo } from '../../../helpers/process-zoo.ts';
import { missing, skipUnless } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const all = Object.keys(FIELD_READERS) as ProcessField[];
const notRoot = skipUnless(process.getuid?.() === 0 ? undefined : 'needs root');

test('memory, times and owner are those that ps shows', { skip: missing('ps') }, async (t) => {
  const zoo = openZoo(t);
  const pid = await zoo.start(zoo.sleeper('measured'));
  const columns = ['ni', 'nlwp', 'user', 'group', 'vsz', 'rss', 'lstart'];
  // Until it sleeps it maps its libraries.
  await waitFor('the same figures', () => {
    const seen = table.read(pid, ['vmsBytes', 'nice', 'threads', 'userName', 'groupName', 'rssBytes', 'startedAt', 'name']);
    const words = columns.map((column) =>
      spawnSync('ps', ['-o', `${column}=`, '-p', String(pid)])
        .stdout.toString()
        .trim(),
    );
    const [rss, started] = words.splice(5);
    const ours = [seen?.nice, seen?.threads, seen?.userName, seen?.groupName, (seen?.vmsBytes ?? 0) / 1024];
    const apartMs = Math.abs((seen?.startedAt?.getTime() ?? 0) - new Date(started ?? '').getTime());
    // How memory is counted by CPUs leaves room for some pages; ps counts the start in whole seconds.
    const near = Math.abs((seen?.rssBytes ?? 0) / 1024 - Number(rss)) < 300 && apartMs < 3000;
    return near && seen?.name === 'measured' && ours.join() === words.join();
  });
});

/** What is absent is within nothing. */
function isWithin(value: number | undefined, least: number, most: number): void {
  assert.ok(value !== undefined && value >= least && value <= most, `${value} is not within ${least} and ${most}`);
}

test('what this process knows of itself', { skip: missing('nproc') }, () => {
  const before = process.cpuUsage();
  const seen = table.read(process.pid, all);
  assert(seen);
  const after = process.cpuUsage();
  // The kernel counts in ticks of 10 ms.
  isWithin(seen.userCpuMs, before.user / 1000 - 20, after.user / 1000 + 20);
  isWithin(seen.systemCpuMs, before.system / 1000 - 20, after.system / 1000 + 20);
  const [{ user, system }, upMs] = [after, process.uptime() * 1000];
  isWithin(seen.meanCpuPercent, ((user + system) / 1000 / upMs) * 50, ((user + system) / 1000 / upMs) * 200);
  isWithin(seen.rssBytes, process.memoryUsage.rss() - 30e6, process.memoryUsage.rss() + 30e6);
  assert.equal(seen.memoryPercent, ((seen.rssBytes ?? Number.NaN) / totalmem()) * 100);
  const { memoryMaps } = seen;
  assert(memoryMaps);
  if (memoryMaps.source === 'smaps_rollup') isWithin(memoryMaps.ussBytes, 1e6, memoryMaps.rssBytes);
  isWithin(seen.voluntarySwitches, 1, Number.POSITIVE_INFINITY);
  isWithin(seen.involuntarySwitches, 0, Number.POSITIVE_INFINITY);
  const { stdout } = spawnSync('nproc', { env: { PATH: process.env.PATH } });
  assert.deepEqual([seen.cpuAffinity?.length], [Number(String(stdout))]);
  assert(seen.io);
  isWithin(seen.io.readBytes, 1, Number.POSITIVE_INFINITY);
  isWithin(seen.io.readCalls, 1, Number.POSITIVE_INFINITY);
});

test('open descriptors: their number, the files, and which were removed', (t) => {
  const dir = tempDir(t);
  const paths = [join(dir, 'kept'), join(dir, 'gone (deleted)')] as const;
  const fds = paths.map((path) => openSync(path, 'w'));
  t.after(() => fds.forEach(closeSync));
  rmSync(paths[1]);
  const seen = table.read(process.pid, ['fdCount', 'openFiles', 'sockets']);
  const files = seen?.openFiles?.filter(({ path }) => path.startsWith(dir));
  assert.deepEqual(files, [
    { fd: fds[0], path: paths[0], deleted: false },
    { fd: fds[1], path: paths[1], deleted: true },
  ]);
  // The folder's own listing holds its own descriptor too.
  assert.equal(seen?.fdCount, readdirSync('/proc/self/fd').length - 1);
});

test('a name that ends in the kernel’s mark of a removed file is not cut', async (t) => {
  const zoo = openZoo(t);
  const dir = join(zoo.dir, 'here (deleted)');
  mkdirSync(dir);
  const kept = zoo.sleeper('kept (deleted)');
  const pid = await zoo.start(kept, ['300'], { cwd: dir });
  const seen = await waitFor('program', () => {
    const process = table.read(pid, ['executable', 'cwd']);
    return process?.executable?.startsWith(zoo.dir) ? process : undefined;
  });
  assert.deepEqual(seen, { pid, executable: kept, cwd: dir });
  rmSync(kept);
  rmSync(dir, { recursive: true });
  assert.deepEqual(table.read(pid, ['executable', 'cwd']), seen);
  const path = join(zoo.dir, 'open (deleted)');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const own = () => table.read(process.pid, ['openFiles'])?.openFiles?.find((file) => file.fd === fd);
  assert.deepEqual(own(), { fd, path, deleted: false });
  rmSync(path);
  // Another file by the name that the mark makes of it is another file.
  closeSync(openSync(`${path} (deleted)`, 'w'));
  assert.deepEqual(own(), { fd, path, deleted: true });
});

test('a terminal has its name', { skip: missing('script') }, async (t) => {
  const zoo = openZoo(t);
  const sleeper = zoo.sleeper('typist');
  // At the end of its input script(1) hangs up.
  const input = `<(exec ${zoo.sleeper('feeder')} 300)`;
  await zoo.start('/bin/bash', ['-c', `exec script -qec 'exec ${sleeper} 300' /dev/null < ${input}`]);
  const typist = await waitFor('typist', () =>
    table.list(['executable', 'terminal']).find(({ executable }) => executable === sleeper),
  );
  const [shown] = spawnSync('ps', ['-o', 'tty=', '-p', String(typist.pid)])
    .stdout.toString()
    .trim()
    .split('\n');
  assert.match(typist.terminal ?? '', /^pts\/\d+$/);
  assert.equal(typist.terminal, shown);
  assert.equal('terminal' in (table.read(1, ['terminal']) ?? {}), false);
});

test('terminals beyond the first 256, none, and one that nobody knows', () => {
  const names = new TerminalNames();
  assert.equal(names.name((136 << 8) | (300 & 0xff) | ((300 & 0xf_ff00) << 12)), 'pts/300');
  assert.equal(names.name((137 << 8) | 4), 'pts/260');
  assert.equal(names.name(0), undefined);
  assert.equal(names.name((4095 << 8) | 255), undefined);
});

test('nice, affinity and another user, as they were set', { skip: notRoot || missing('taskset') }, async (t) => {
  const zoo = openZoo(t);
  const sleeper = zoo.sleeper('tame');
  const options = { uid: 65534, gid: 65534, cwd: '/' };
  const pid = await zoo.start('/usr/bin/nice', ['-n', '7', 'taskset', '-c', '0', sleeper, '300'], options);
  await waitFor('program', () => table.read(pid, ['name'])?.name === 'tame');
  const seen = table.read(pid, ['nice', 'cpuAffinity', 'userName', 'realUserName', 'groupName']);
  assert.deepEqual(seen, {
    pid,
    nice: 7,
    cpuAffinity: [0],
    userName: 'nobody',
    realUserName: 'nobody',
    groupName: spawnSync('getent', ['group', '65534']).stdout.toString().split(':')[0],
  });
});

test('of a zombie and of a kernel thread what they lack is absent, or nothing', async (t) => {
  const zoo = openZoo(t);
  const parent = await zoo.start('/bin/bash', ['-c', `${zoo.sleeper('short')} 0.01 & exec sleep 300`]);
  const zombie = await waitFor('zombie', () => table.list(['ppid', 'state']).find((p) => p.ppid === parent && p.state === 'Z'));
  const seen = table.read(zombie.pid, all);
  assert.deepEqual([seen?.rssBytes, seen?.vmsBytes, seen?.memoryPercent, seen?.argv], [0, 0, 0, []]);
  for (const field of ['executable', 'cwd', 'memoryMaps', 'terminal'] as const)
    assert.equal(field in (seen ?? {}), false, field);
  const thread = table.list(all).find(({ kernelThread }) => kernelThread);
  if (thread === undefined) return;
  for (const field of ['argv', 'fdCount', 'sockets', 'io'] as const) assert.equal(field in thread, false, field);
  assert.equal(thread.rssBytes, 0);
});

test('a listing of everything while processes come and go throws nothing', async (t) => {
  const zoo = openZoo(t);
  // On a busy machine a listing takes seconds: of the short ones it finds none then.
  const again = `while :; do ${zoo.sleeper('brief')} $s; done`;
  await zoo.start('/bin/bash', ['-c', `for s in 0.1 0.2 0.4 0.8 1.5 3 6 12; do ${again} & done; wait`]);
  const gone = new Set<number>();
  await waitFor('some of them', () => {
    for (const { pid, name } of table.list(all)) if (name === 'brief') gone.add(pid);
    return gone.size > 8;
  });
});

test('only what the asked fields need is read', (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, '7/fd'), { recursive: true });
  writeFileSync(join(root, '7/stat'), '7 (x) S 1 7 7 0 -1 0 0 0 0 0 3 4 0 0 20 0 1 0 55 8192');
  writeFileSync(join(root, '7/status'), 'Uid:\t1\t2\t1\t1\nGid:\t3\t4\t3\t3\nVmRSS:\t 12 kB\n');
  writeFileSync(join(root, 'passwd'), 'one:x:1:1::/:\ntwo:x:2:2::/:\n');
  writeFileSync(join(root, 'group'), 'four:x:4:\n');
  symlinkSync('/a (deleted)', join(root, '7/fd/10'));
  symlinkSync('/b', join(root, '7/fd/9'));
  symlinkSync('pipe:[1]', join(root, '7/fd/1'));
  const fixture = new ProcessTable(root, new AccountNames(root));
  assert.deepEqual(fixture.read(7, all), {
    pid: 7,
    name: 'x',
    state: 'S',
    ppid: 1,
    pgid: 7,
    sid: 7,
    kernelThread: false,
    threads: 1,
    startTime: 55,
    nice: 0,
    userCpuMs: 30,
    systemCpuMs: 40,
    vmsBytes: 8192,
    terminalDevice: 0,
    uids: { real: 1, effective: 2, saved: 1, filesystem: 1 },
    gids: { real: 3, effective: 4, saved: 3, filesystem: 3 },
    groups: [],
    namespaceDepth: 0,
    userName: 'two',
    realUserName: 'one',
    groupName: 'four',
    rssBytes: 12_288,
    memoryPercent: (12_288 / totalmem()) * 100,
    swapBytes: 0,
    fdCount: 3,
    openFiles: [
      { fd: 9, path: '/b', deleted: false },
      { fd: 10, path: '/a', deleted: true },
    ],
    sockets: [],
  });
  for (const name of ['1', '9', '10']) rmSync(join(root, '7/fd', name));
  assert.deepEqual(fixture.read(7, ['openFiles'])?.openFiles, []);
  writeFileSync(join(root, '7/fd/0'), 'no link');
  assert.deepEqual(fixture.read(7, ['openFiles', 'sockets']), { pid: 7 }, 'links that are denied are not none');
  rmSync(join(root, '7/status'));
  assert.deepEqual(fixture.read(7, ['uids', 'userName', 'rssBytes', 'memoryPercent', 'nice']), { pid: 7, nice: 0 });
});

test('a command line is whole up to the limit that is asked for', async (t) => {
  const zoo = openZoo(t);
  const args = ['300', ...Array.from({ length: 20 }, (_, i) => String(i % 10).repeat(20_000 + i)), ''];
  const pid = await zoo.start('/bin/sh', ['-c', `${zoo.sleeper('long')} 300; :`, ...args]);
  const limits = { ...LOOK_LIMITS, commandLine: 1024 * 1024 };
  await waitFor('shell', () => (table.read(pid, ['argv'], limits)?.argv?.length ?? 0) > 20);
  // Another table's buffer may have grown already.
  const [whole, cut] = [limits, LOOK_LIMITS].map((limit) => new ProcessTable().read(pid, ['argv'], limit)?.argv?.slice(3));
  assert.deepEqual(whole, args);
  assert.deepEqual(cut?.[0], '300');
  assert.ok(args[1]?.startsWith(cut?.[1] ?? '-') && cut?.length === 2);
});

test('names that are not UTF-8 are read, with the replacement character', async (t) => {
  const zoo = openZoo(t);
  const rename = `printf 'a\\377) b' > /proc/$$/comm; ${zoo.sleeper('wait')} 300; :`;
  const pid = await zoo.start('/bin/bash', ['-c', rename]);
  const seen = await waitFor('name', () => {
    const process = table.read(pid, ['name', 'state', 'uids', 'ppid']);
    return process?.name.startsWith('a') ? process : undefined;
  });
  assert.equal(seen.name, 'a\uFFFD) b');
  assert.equal(seen.ppid, process.pid);
  assert.equal(seen.uids?.real, process.getuid?.());
});
