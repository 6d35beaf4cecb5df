import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { launchKind } from '../../../../src/state/records/launches.ts';
import { readSurroundings } from '../../../../src/system/launch/surroundings.ts';
import { unitFolderOf } from '../../../../src/system/proc/cgroup.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max processes             96365                96365                processes 
Max open files            1024                 524288               files     
Max realtime timeout      unlimited            unlimited            us        
`;

const UNLIMITED = { soft: 'unlimited', hard: 'unlimited' };
/** What LIMITS says. */
const USUAL = {
  ...{ cpu: UNLIMITED, fsize: UNLIMITED, core: { soft: '0', hard: 'unlimited' }, rttime: UNLIMITED },
  ...{ nproc: { soft: '96365', hard: '96365' }, nofile: { soft: '1024', hard: '524288' } },
};

/** A process of a folder like /proc. */
function lay(root: string, pid: number, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, `${pid}`, name)), { recursive: true });
    writeFileSync(join(root, `${pid}`, name), text);
  }
}

function stat(pid: number, nice: number): string {
  return `${pid} (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 ${nice} 1 0 100 0 0\n`;
}

function open(t: TestContext) {
  const root = tempDir(t);
  lay(root, 1, { stat: stat(1, 0), limits: LIMITS, status: 'Umask:\t0000\nSigIgn:\t0000000000001000\n' });
  return { root, table: new ProcessTable(root) };
}

test('limits, umask, nice value and ignored signals, though its starter has the same', (t) => {
  const { root, table } = open(t);
  const status = 'Umask:\t0027\nSigIgn:\tfffffffffffbffff\n';
  const limits = LIMITS.replace('1024                 524288 ', '18446744073709551614 unlimited');
  lay(root, 7, {
    stat: stat(7, -5),
    limits: limits.replace('Max core file size        0        ', 'Max core file size        512      '),
    status,
  });
  const found = readSurroundings(table, 7);
  assert.deepEqual(found.limits, {
    ...USUAL,
    core: { soft: '512', hard: 'unlimited' },
    nofile: { soft: '18446744073709551614', hard: 'unlimited' },
  });
  assert.deepEqual([found.umask, found.nice], [0o027, -5]);
  // Neither SIGKILL, SIGTERM, SIGCHLD and SIGSTOP, nor what is libc's own.
  assert.deepEqual(
    found.ignoredSignals,
    [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31],
  );
  lay(root, 8, { stat: stat(8, 0), limits: LIMITS, status: 'Umask:\t0022\nSigIgn:\t0000000000000000\n' });
  assert.deepEqual(readSurroundings(table, 8), { limits: USUAL, umask: 0o022, nice: 0 });
});

test('what an interpreter ignores of itself is not what it was given', (t) => {
  const { root, table } = open(t);
  let pid = 100;
  const signals = (executable: string, ignored: string): readonly number[] | undefined => {
    pid++;
    lay(root, pid, { stat: stat(pid, 0), status: `SigIgn:\t${ignored.padStart(16, '0')}\n` });
    symlinkSync(executable, join(root, `${pid}/exe`));
    return readSurroundings(table, pid).ignoredSignals;
  };
  assert.deepEqual(signals('/usr/bin/python3.11', '1001001'), [1]);
  assert.deepEqual(signals('/usr/bin/node', '1001000'), undefined);
  assert.deepEqual(signals('/usr/sbin/appd', '1001000'), [13, 25]);
  assert.deepEqual(signals('/bin/bash', '4'), undefined);
  assert.deepEqual(signals('/bin/bash', '6'), [2, 3]);
  assert.deepEqual(signals('/usr/sbin/appd', '4'), [3]);
});

test('what cannot be read is absent', (t) => {
  const { root, table } = open(t);
  assert.deepEqual(readSurroundings(table, 4711), {});
  lay(root, 9, {
    stat: stat(9, 0),
    limits: `${'x'.repeat(200_000)}\nMax open files  12`,
    status: 'Umask:\t9999\nSigIgn:\tzz\n',
  });
  assert.deepEqual(readSurroundings(table, 9), { nice: 0 });
});

test('limits of the unit, in a unified hierarchy and in separate ones', (t) => {
  const { root, table } = open(t);
  const cgroups = tempDir(t);
  const put = (file: string, value: string): void => {
    mkdirSync(dirname(join(cgroups, file)), { recursive: true });
    writeFileSync(join(cgroups, file), value);
  };
  const limits = (line: string): unknown => {
    lay(root, 9, { stat: stat(9, 0), cgroup: line });
    const { nice, ...rest } = readSurroundings(table, 9, cgroups);
    assert.equal(nice, 0);
    return rest;
  };
  put('system.slice/app.service/memory.max', '268435456\n');
  put('system.slice/app.service/pids.max', '77\n');
  assert.deepEqual(limits('0::/system.slice/app.service/worker/1\n'), { memoryMax: 268_435_456, tasksMax: 77 });
  put('a.slice/a-b.slice/free.service/memory.max', 'max\n');
  put('a.slice/a-b.slice/free.service/pids.max', 'max\n');
  assert.deepEqual(limits('0::/a.slice/a-b.slice/free.service\n'), { tasksMax: 'unlimited' });
  put('memory/system.slice/old.service/memory.limit_in_bytes', '1048576\n');
  put('pids/system.slice/old.service/pids.max', '5\n');
  const separate = '5:pids:/elsewhere\n4:memory:/\n1:name=systemd:/system.slice/old.service\n0::/\n';
  assert.deepEqual(limits(separate), { memoryMax: 1_048_576, tasksMax: 5 });
  put('memory/system.slice/none.service/memory.limit_in_bytes', '9223372036854771712\n');
  assert.deepEqual(limits('1:name=systemd:/system.slice/none.service\n'), {});
  put('user.slice/user-0.slice/session-1.scope/pids.max', '5\n');
  assert.deepEqual(limits('0::/user.slice/user-0.slice/session-1.scope\n'), {});
  // What is the daemon's own is nobody else's, though it may have been left in there.
  lay(root, process.pid, { stat: stat(process.pid, 0), cgroup: '0::/system.slice/app.service\n' });
  assert.deepEqual(limits('0::/system.slice/app.service\n'), {});
});

test('whose limits are a program’s own', () => {
  const own = [
    '/system.slice/app.service',
    '/system.slice/monitor_service-app-x.service',
    '/system.slice/run-1.scope',
    '/system.slice/_cpu.service',
  ];
  for (const path of own) assert.equal(unitFolderOf(`${path}/below`), path);
  const none = [
    '/',
    '',
    '/init.scope',
    '/user.slice/user-0.slice/session-1.scope',
    '/user.slice/user-0.slice/user@0.service/app.slice/x.service',
  ];
  for (const path of [...none, '/system.slice/dev-sda.swap', '/docker/0123', '/system.slice/a.slice'])
    assert.equal(unitFolderOf(path), undefined, path);
});

test('records keep it, those of earlier versions have none, and what makes no sense is not a record', () => {
  const record = { argv: ['x'], executable: '/x', cwd: '/', environment: [], uid: 0, gid: 0, groups: [] };
  const surroundings = {
    ...{ limits: { nofile: { soft: '1024', hard: 'unlimited' } }, umask: 0o027, nice: -5, ignoredSignals: [1, 13] },
    ...{ standardOutput: '/var/log/x', standardError: '/var/log/x', memoryMax: 1, tasksMax: 'unlimited' },
  };
  assert.deepEqual(launchKind.parse(record), record);
  const whole = { ...record, unconfined: true, surroundings };
  assert.equal(JSON.stringify(launchKind.parse(JSON.parse(JSON.stringify(whole)))), JSON.stringify(whole));
  for (const wrong of [
    ...[{ umask: -1 }, { umask: 0o1000 }, { nice: 0.5 }, { nice: 99 }, { ignoredSignals: ['HUP'] }, { ignoredSignals: [64] }],
    ...[{ limits: { nofile: { soft: '1; id', hard: '1' } } }, { limits: { 'nofile=1;id': { soft: '1', hard: '1' } } }],
    ...[{ standardOutput: 'x' }, { standardError: '/a\nb' }, { memoryMax: '1' }, { tasksMax: -1 }],
  ])
    assert.equal(launchKind.parse({ ...record, surroundings: wrong }), undefined, JSON.stringify(wrong));
});
