import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfigText } from '../../../../../src/config/config-file.ts';
import { formatProblem } from '../../../../../src/core/errors.ts';
import { realFilesystems } from '../../../../../src/detectors/checks/types/host/filesystems.ts';
import {
  judgeLoad,
  judgeMemoryPressure,
  judgeOpenFiles,
  judgeSwap,
} from '../../../../../src/detectors/checks/types/host/kernel.ts';
import { OomKills, victimsIn } from '../../../../../src/detectors/checks/types/host/oom.ts';
import { parseHost } from '../../../../../src/detectors/checks/types/host/options.ts';
import {
  judgeCpu,
  judgeMemory,
  judgeRootPrograms,
  judgeZombies,
} from '../../../../../src/detectors/checks/types/host/processes.ts';
import type { Sample, SampledProcess } from '../../../../../src/detectors/checks/types/host/sample.ts';
import { mountOf, parseMounts } from '../../../../../src/system/files/mounts.ts';
import { ProcessTable } from '../../../../../src/system/proc/table.ts';
import { never } from '../../../../helpers/worker-world.ts';

// What each measure of `type = host` says about values that are given; real ones are in test/integration/host-check.test.ts.

/** A kernel with these files. */
function kernel(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return text;
  };
}

function parsed(lines: string) {
  const document = loadConfigText('f', `[check.host]\n${lines}`);
  const options = parseHost(document.member('check', 'host'));
  return { options, problems: document.problems.map((problem) => formatProblem(document.file, problem)) };
}

function sampled(process: Partial<SampledProcess> & { readonly pid: number }): SampledProcess {
  const usual = { name: 'x', ppid: 1, state: 'S', threads: 1, startTime: 1, kernelThread: false, userCpuMs: 0, systemCpuMs: 0 };
  return { ...usual, ...process };
}

function sampleOf(processes: readonly SampledProcess[], more: Partial<Sample> = {}): Sample {
  const all = new Map(processes.map((process) => [process.pid, process]));
  return { processes: all, cpuPercent: new Map(), zombies: new Map(), isFirst: false, takenMs: 1_000_000, ...more };
}

test('limits have the usual values, can be off, and what is wrong is said', () => {
  const usual = parsed('').options;
  assert.deepEqual(
    [usual.cpuPercent, usual.memoryPercent, usual.diskPercent, usual.inodePercent, usual.loadPerCore, usual.swapPercent],
    [80, 75, 85, 85, 4, 60],
  );
  assert.deepEqual([usual.memoryPressure, usual.openFilesPercent, usual.zombies, usual.oomKills], [20, 80, 0, true]);
  const off = parsed('cpu_percent = off\nzombies = OFF\noom_kills = off\nlisteners = 22/sshd, 80/nginx: master').options;
  assert.deepEqual([off.cpuPercent, off.zombies, off.oomKills], [undefined, undefined, false]);
  assert.deepEqual(off.listeners, [
    { port: 22, program: 'sshd' },
    { port: 80, program: 'nginx: master' },
  ]);
  assert.deepEqual(parsed('disk_percent = 101\nzombies = 1.5\nlisteners = sshd\nroot_programs = sshd').problems, [
    'f:2: [check.host] disk_percent: invalid value "101", expected a number, at most 100, or off',
    'f:3: [check.host] zombies: invalid value "1.5", expected a whole number, at most 1000000, or off',
    'f:4: [check.host] listeners: invalid value "sshd", expected PORT/PROGRAM, such as 22/sshd',
    'f:5: [check.host] root_programs: invalid value "sshd", expected an absolute path, such as /usr/sbin/sshd',
  ]);
});

test('load, swap, pressure and open files are compared with what is allowed, strictly above', () => {
  const load = (text: string) => judgeLoad(kernel({ '/proc/loadavg': text, '/sys/devices/system/cpu/online': '0-3\n' }), 4);
  assert.deepEqual(load('16.00 1 1 1/2 3\n'), { kind: 'ok' });
  assert.deepEqual(load('18.20 1 1 1/2 3\n'), {
    kind: 'failing',
    reason: 'load 18.2 on 4 CPUs, 4.5 for each (expected at most 4)',
  });
  const swap = (free: number, total = 1000) =>
    judgeSwap(kernel({ '/proc/meminfo': `MemTotal: 5 kB\nSwapTotal: ${total} kB\nSwapFree: ${free} kB\n` }), 60);
  assert.deepEqual(swap(400), { kind: 'ok' });
  assert.deepEqual(swap(399), { kind: 'failing', reason: '60.1 % of the swap space is used (expected at most 60 %)' });
  assert.deepEqual(swap(0, 0), { kind: 'ok' }, 'no swap');
  const pressure = 'some avg10=1.00 avg60=20.01 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';
  assert.deepEqual(judgeMemoryPressure(kernel({ '/proc/pressure/memory': pressure }), 21), { kind: 'ok' });
  assert.equal(judgeMemoryPressure(kernel({ '/proc/pressure/memory': pressure }), 20).kind, 'failing');
  assert.equal(judgeMemoryPressure(kernel({}), 20).kind, 'missing');
  const files = kernel({ '/proc/sys/fs/file-nr': '81\t0\t100\n' });
  assert.deepEqual(judgeOpenFiles(files, 80), {
    kind: 'failing',
    reason: '81.0 % of the 100 files that can be open at once are (expected at most 80 %)',
  });
});

test('only real filesystems are looked at, each once', () => {
  const mounts = parseMounts(
    [
      '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
      '22 21 0:5 / /proc rw - proc proc rw',
      '23 21 0:6 / /run rw - tmpfs tmpfs rw',
      '24 21 8:2 / /srv/my\\040data rw - xfs /dev/sda2 rw',
      '25 21 8:2 /sub /mnt rw - xfs /dev/sda2 rw',
      '26 21 7:1 / /snap/core ro - squashfs /dev/loop1 ro',
      '27 21 8:3 / /media ro - ext4 /dev/sda3 rw',
      '28 21 0:44 / /var/lib/docker/overlay2/x rw - overlay overlay rw',
      '29 21 0:50 / /net rw - nfs4 server:/x rw,vers=4.2',
      '30 21 0:51 / /home/u/mnt rw - fuse.sshfs u@host: rw,user_id=1000,group_id=1000',
      '31 21 0:52 / /srv/s3 rw - fuse.s3fs s3fs rw,user_id=0,group_id=0',
      'nonsense',
    ].join('\n'),
  );
  assert.deepEqual(
    realFilesystems(mounts).map(({ place }) => place),
    ['/', '/mnt', '/net', '/srv/s3'],
  );
  assert.equal(mountOf('/srv/my data/file', mounts), '/srv/my data');
  assert.equal(mountOf('/srv/my database', mounts), '/');
  assert.equal(mountOf('/net', mounts), '/net');
});

test('what uses too much is named, the worst first, except for what may', async () => {
  const table = new ProcessTable();
  const own = table.read(process.pid, [
    'name',
    'ppid',
    'state',
    'threads',
    'startTime',
    'kernelThread',
    'userCpuMs',
    'systemCpuMs',
  ]);
  assert(own);
  const sample = sampleOf([{ ...own, memoryPercent: 76 }], { cpuPercent: new Map([[own.pid, 150]]) });
  const cpu = await judgeCpu(table, sample, 149, []);
  assert(cpu.kind === 'failing');
  assert.match(
    cpu.reason,
    new RegExp(`^1 process uses more than 149 % of a core: pid ${own.pid} 150 % \\(parent ${own.ppid}, user `),
  );
  assert.deepEqual(await judgeCpu(table, sample, 150, []), { kind: 'ok' }, 'strictly above');
  assert.deepEqual(await judgeCpu(table, sample, 80, ['node', own.name]), { kind: 'ok' });
  assert.equal((await judgeMemory(table, sample, 75, [])).kind, 'failing');
  const gone = sampleOf([{ ...own, startTime: own.startTime - 1 }], { cpuPercent: new Map([[own.pid, 150]]) });
  assert.deepEqual(await judgeCpu(table, gone, 80, []), { kind: 'ok' }, 'another process has its number now');
});

test('zombies count once they are a minute old, and their parent is named', () => {
  const old = { ageMs: () => 3_600_000 } as unknown as ProcessTable;
  const zombie = sampled({ pid: 7, ppid: 5, state: 'Z', name: 'worker' });
  const all = [sampled({ pid: 5, name: 'master' }), zombie];
  const seen = (agoMs: number): Sample => sampleOf(all, { zombies: new Map([[zombie, 1_000_000 - agoMs]]) });
  assert.deepEqual(judgeZombies(old, seen(60_000), 0), {
    kind: 'failing',
    reason: '1 zombie (expected at most 0 older than a minute): pid 7 worker (parent 5 master does not reap it)',
  });
  assert.deepEqual(judgeZombies(old, seen(59_000), 0), { kind: 'ok' });
  assert.deepEqual(judgeZombies(old, { ...seen(0), isFirst: true }, 0), {
    kind: 'unknown',
    reason: '1 zombie, for how long is not known yet',
  });
  assert.deepEqual(judgeZombies(old, seen(60_000), 1), { kind: 'ok' });
  const young = { ageMs: () => 50_000 } as unknown as ProcessTable;
  assert.deepEqual(judgeZombies(young, seen(0), 0), { kind: 'ok' }, 'it has not lived for a minute');
});

test('other programs of root are named', () => {
  const root = { real: 0, effective: 0, saved: 0, filesystem: 0 };
  const user = { ...root, effective: 1000 };
  const sample = sampleOf([
    sampled({ pid: 2, kernelThread: true, uids: root }),
    sampled({ pid: 3, uids: root, executable: '/usr/sbin/sshd' }),
    sampled({ pid: 4, uids: root, executable: '/tmp/x\n' }),
    sampled({ pid: 5, uids: user, executable: '/tmp/y' }),
    sampled({ pid: process.pid, uids: root, executable: process.execPath }),
  ]);
  assert.deepEqual(judgeRootPrograms(sample, ['/usr/sbin/sshd']), {
    kind: 'failing',
    reason: '1 other program runs as root: "/tmp/x\\n" (pid 4)',
  });
  assert.deepEqual(judgeRootPrograms(sample, ['/usr/sbin/sshd', '/tmp/x\n']), { kind: 'ok' });
  const unread = sampleOf([sampled({ pid: 3, uids: root })]);
  assert.equal(judgeRootPrograms(unread, ['/a']).kind, 'unknown');
});

test('each out-of-memory kill is an event, and its victim is named if the journal knows it', async () => {
  let count = 5;
  let victims: readonly string[] = ['mysqld (pid 1234)'];
  const kills = new OomKills(
    () => `pgfault 3\noom_kill ${count}\n`,
    async () => victims,
  );
  const look = () => kills.look(new Date(), 1000, never);
  assert.deepEqual(await look(), { kind: 'ok' }, 'those before the daemon began are not news');
  count = 6;
  const reason = 'the kernel has killed 1 process for want of memory: mysqld (pid 1234)';
  assert.deepEqual(await look(), { kind: 'failing', reason, isEvent: true });
  assert.deepEqual(await look(), { kind: 'ok' });
  count = 8;
  victims = [];
  const found = await look();
  assert(found.kind === 'failing' && /2 processes for want of memory: victim not known$/.test(found.reason));
  assert.equal(
    (
      await new OomKills(
        () => 'pgfault 3\n',
        async () => [],
      ).look(new Date(), 1000, never)
    ).kind,
    'missing',
  );
  assert.deepEqual(
    victimsIn(
      [
        'oom-kill:constraint=CONSTRAINT_MEMCG,task=stress,pid=17,uid=0',
        'Memory cgroup out of memory: Killed process 17 (stress) total-vm:1000kB, anon-rss:5kB',
        'Out of memory: Killed process 18 (my (odd) name), UID 27, total-vm:1kB',
        'Killed process 19, UID 27, (java) total-vm:1kB',
      ].join('\n'),
    ),
    ['stress (pid 17)', '"my (odd) name" (pid 18)', 'java (pid 19)'],
  );
});
