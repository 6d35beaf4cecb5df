import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { RecordRoom, readLaunchRecord } from '../../../../src/system/launch/read-record.ts';
import { LOOK_LIMITS } from '../../../../src/system/proc/files.ts';
import {
  hasEnded,
  parseAuxv,
  parseGroups,
  parseIds,
  parseNamespaceDepth,
  parseStat,
  splitNul,
} from '../../../../src/system/proc/parse.ts';
import { signalProcess } from '../../../../src/system/proc/signal.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { longestStall } from '../../../helpers/loop-stall.ts';
import { isAlive, openZoo } from '../../../helpers/process-zoo.ts';
import { missing } from '../../../helpers/requirement.ts';
import { settledRecord } from '../../../helpers/settled-record.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

const table = new ProcessTable();
const isRoot = process.getuid?.() === 0;

test('stat: the name ends at the last bracket, whatever it holds', () => {
  const tail = ' S 7 8 9 34816 -1 4194560 1 2 3 4 5 6 7 8 20 -5 3 0 123456 4096 2 3';
  for (const name of ['sleep', ') S 1 (', 'a b', 'x)\ny', '', '🦊)', '((']) {
    const stat = parseStat(`42 (${name})${tail}\n`);
    assert.deepEqual(stat, {
      name,
      state: 'S',
      ppid: 7,
      pgid: 8,
      sid: 9,
      kernelThread: false,
      threads: 3,
      startTime: 123456,
      nice: -5,
      userCpuMs: 50,
      systemCpuMs: 60,
      vmsBytes: 4096,
      terminalDevice: 34816,
    });
  }
  assert.equal(parseStat('2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 3 0 0')?.kernelThread, true);
  for (const bad of ['', '42', '42 (x', '42 (x) S 1', ')(', '42 (x) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 y']) {
    assert.equal(parseStat(bad), undefined, bad);
  }
});

test('no bytes in a name move what stands behind it', () => {
  const piece = fc.oneof(
    fc.uint8Array(),
    fc.constantFrom(') ', '\n', ' (', '\0', 'ș').map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const name = Buffer.concat(pieces);
      const tail = ') S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 -5 3 0 123456 4096 2 3\n';
      const stat = parseStat(Buffer.concat([Buffer.from('42 ('), name, Buffer.from(tail)]).toString('utf8'));
      assert.deepEqual([stat?.name, stat?.ppid, stat?.startTime, stat?.nice], [name.toString('utf8'), 7, 123456, -5]);
    }),
  );
});

test('no text makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), (text, bytes) => {
      parseStat(text);
      parseIds(text, 'Uid:');
      parseGroups(text);
      parseNamespaceDepth(text);
      parseAuxv(Buffer.from(bytes));
      assert.equal(
        splitNul(
          splitNul(text)
            .map((part) => `${part}\0`)
            .join(''),
        ).length,
        splitNul(text).length,
      );
    }),
  );
});

test('status: ids, groups and pid namespaces', () => {
  const text = 'Name:\tx\\nUid: 0\nUmask:\t0022\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nNSpid:\t700\t12\t1\n';
  assert.deepEqual(parseIds(text, 'Uid:'), { real: 1, effective: 2, saved: 3, filesystem: 4 });
  assert.deepEqual(parseIds(text, 'Gid:'), { real: 5, effective: 6, saved: 7, filesystem: 8 });
  assert.deepEqual(parseGroups(text), [9, 10]);
  assert.equal(parseNamespaceDepth(text), 2);
  assert.deepEqual(parseGroups('Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t \n'), []);
  assert.equal(parseIds('Name:\tx\n', 'Uid:'), undefined);
});

test('argv: empty arguments are kept, a missing end is forgiven', () => {
  assert.deepEqual(splitNul(''), []);
  assert.deepEqual(splitNul('a\0\0b\0'), ['a', '', 'b']);
  assert.deepEqual(splitNul('a\0\0'), ['a', '']);
  assert.deepEqual(splitNul('nginx: master process'), ['nginx: master process']);
});

test('a zombie with threads still runs', () => {
  assert.equal(hasEnded({ state: 'Z', threads: 1 }), true);
  assert.equal(hasEnded({ state: 'Z', threads: 3 }), false);
  assert.equal(hasEnded({ state: 'D', threads: 1 }), false);
});

test('this process, field by field', () => {
  const self = table.read(process.pid, [
    'ppid',
    'argv',
    'executable',
    'cwd',
    'root',
    'uids',
    'groups',
    'kernelThread',
    'cgroup',
  ]);
  assert.equal(self?.ppid, process.ppid);
  assert.equal(self.executable, process.execPath);
  assert.equal(self.cwd, process.cwd());
  assert.equal(self.root, '/');
  assert.equal(self.uids?.real, process.getuid?.());
  // getgroups(2) does not say whether it names the effective group.
  const [egid, groups] = [process.getegid?.(), process.getgroups?.()];
  assert.deepEqual(new Set([...(self.groups ?? []), egid]), new Set([...(groups ?? []), egid]));
  assert.equal(self.kernelThread, false);
  assert.ok(self.cgroup?.startsWith('/'));
  assert.equal(self.argv?.length, process.execArgv.length + process.argv.length);
  assert.equal(Object.keys(self).length, 10);
  assert.ok(table.ageMs({ startTime: table.read(process.pid, ['startTime'])?.startTime ?? 0 }) < performance.now() + 60_000);
});

test('the listing is that of ps', { skip: missing('ps') }, () => {
  const ours = new Map(table.list(['ppid', 'name', 'argv']).map((process) => [process.pid, process]));
  const lines = spawnSync('ps', ['-eo', 'pid=,ppid=,comm=']).stdout.toString().trim().split('\n');
  const matching = lines.filter((line) => {
    const [, pid, ppid] = /^ *(\d+) +(\d+)/.exec(line) ?? [];
    return ours.get(Number(pid))?.ppid === Number(ppid);
  });
  assert.ok(matching.length >= lines.length * 0.8, `${matching.length} of ${lines.length}`);
  assert.deepEqual(
    [...ours.keys()],
    [...ours.keys()].sort((a, b) => a - b),
  );
});

test('hostile names of real programs are read as they are', async (t) => {
  const zoo = openZoo(t);
  for (const name of ['a b', 'x) S 1 (y', 'line\nbreak', '100%s', 'șoricel', '$(id)', '-rf']) {
    const pid = await zoo.start(zoo.sleeper(name), ['300', '0']);
    const seen = table.read(pid, ['name', 'argv', 'executable', 'state']);
    assert.equal(seen?.name, name);
    assert.equal(seen.executable, join(zoo.dir, name));
    assert.deepEqual(seen.argv, [join(zoo.dir, name), '300', '0']);
  }
});

test('a process that ended, a zombie, a number that never was', async (t) => {
  const zoo = openZoo(t);
  const parent = await zoo.start('/bin/bash', ['-c', `${zoo.sleeper('short')} 0.01 & exec sleep 300`]);
  const zombie = await waitFor('zombie', () => table.list(['ppid', 'state']).find((p) => p.ppid === parent && p.state === 'Z'));
  const seen = table.read(zombie.pid, ['name', 'argv', 'executable', 'threads', 'startTime', 'state']);
  assert.deepEqual({ name: seen?.name, argv: seen?.argv, threads: seen?.threads }, { name: 'short', argv: [], threads: 1 });
  assert.equal('executable' in (seen ?? {}), false);
  assert.equal(table.exists({ pid: zombie.pid, startTime: seen?.startTime ?? 0 }), false);
  assert.equal(table.read(2 ** 22 + 1, ['name']), undefined);
  assert.equal(table.read(-1, ['name']), undefined);
  assert.deepEqual(new ProcessTable('/nonexistent').list(['name']), []);
  assert.equal(new ProcessTable('/nonexistent').uptimeMs(), 0);
});

test('only the files of the asked fields are read; what cannot be read is absent', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'proc-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, '7'));
  mkdirSync(join(root, '8'));
  writeFileSync(join(root, '7/stat'), '7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 55 0');
  writeFileSync(join(root, '7/cgroup'), '12:cpu:/a\n1:name=systemd:/system.slice/x.service\n0::/unified\n');
  symlinkSync('/opt/app (deleted)', join(root, '7/exe'));
  const fixture = new ProcessTable(root);
  assert.deepEqual(fixture.list(['name', 'argv', 'executable', 'uids', 'cgroup']), [
    { pid: 7, name: 'x', executable: '/opt/app', cgroup: '/system.slice/x.service' },
  ]);
  assert.deepEqual(fixture.read(7, []), { pid: 7 });
});

test('a process is not taken for gone because no descriptor is left', () => {
  const look = `
    const { openSync } = require('node:fs');
    const all = ['startTime', 'argv', 'openFiles', 'io'];
    import(${JSON.stringify(join(import.meta.dirname, '../../../../src/system/proc/table.ts'))}).then(({ ProcessTable }) => {
      const table = new ProcessTable();
      const self = table.read(process.pid, all);
      try { for (;;) openSync('/dev/null'); } catch (error) { console.log(error.code); }
      const [found] = table.list(all).filter(({ pid }) => pid === process.pid);
      console.log(table.exists(self), table.isRunning(process.ppid), found.argv.length === self.argv.length, found.openFiles.length > 30);
      try { openSync('/dev/null'); } catch (error) { console.log(error.code); }
    });`;
  const limited = spawnSync('sh', ['-c', 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, look]);
  assert.equal(limited.stdout.toString(), 'EMFILE\ntrue true true true\nEMFILE\n', limited.stderr.toString());
});

test('a launch record has argv, directory, environment and user as they were', async (t) => {
  const zoo = openZoo(t);
  const path = zoo.script('keeps it', '#!/bin/bash\nsleep 300\n');
  const env = { PATH: '/bin', ZOO: zoo.dir, EMPTY: '', 'A=B': 'c=d', MULTI: 'a\nb' };
  const pid = await zoo.start(path, ['', 'a b', 'ș', ''], { cwd: zoo.dir, env });
  await waitFor('script', () => table.read(pid, ['name'])?.name === 'keeps it');
  const reading = await settledRecord(table, pid);
  assert.ok(reading.kind === 'read');
  assert.deepEqual(reading.record.argv, [path, '', 'a b', 'ș', ''], 'a script is executed by its own path again');
  assert.equal(reading.record.executable, path);
  assert.equal(reading.record.cwd, zoo.dir);
  assert.deepEqual([...reading.record.environment].sort(), ['A=B=c=d', 'EMPTY=', 'MULTI=a\nb', 'PATH=/bin', `ZOO=${zoo.dir}`]);
  assert.equal(reading.record.uid, process.getuid?.());
});

test('what only looks like a script is recorded as it runs', async (t) => {
  const zoo = openZoo(t);
  const script = zoo.script('tool', '#!/bin/bash -e\nsleep 300\n');
  const started: [string, string[], string[]][] = [
    [script, ['x'], [script, 'x']],
    ['/bin/bash', ['-e', script, 'x'], ['/bin/bash', '-e', script, 'x']],
    ['/bin/bash', [script], ['/bin/bash', script]],
  ];
  for (const [file, args, expected] of started) {
    const pid = await zoo.start(file, args);
    const reading = await settledRecord(table, pid);
    assert.deepEqual(reading.kind === 'read' && reading.record.argv, expected);
  }
});

test('set-user-id programs give no launch record', { skip: !isRoot && 'needs root' }, async (t) => {
  const zoo = openZoo(t);
  const path = zoo.sleeper('suid');
  spawnSync('chmod', ['4755', path]);
  const pid = await zoo.start(path, ['300'], { uid: 65534, gid: 65534 });
  assert.equal(table.read(pid, ['uids'])?.uids?.effective, 0, 'the file system honours the bit');
  assert.deepEqual(await settledRecord(table, pid), {
    kind: 'unusable',
    reason: 'it was executed with more rights than its caller had',
  });
});

test('a program run by another user is recorded with that user', { skip: !isRoot && 'needs root' }, async (t) => {
  const zoo = openZoo(t);
  const pid = await zoo.start(zoo.sleeper('plain'), ['300'], { uid: 65534, gid: 65534, cwd: '/' });
  const reading = await settledRecord(table, pid);
  assert.ok(reading.kind === 'read');
  assert.deepEqual([reading.record.uid, reading.record.gid], [65534, 65534]);
});

test('a title written over the arguments gives no launch record', async (t) => {
  const zoo = openZoo(t);
  for (const argv0 of ['redis-server *:6379', 'nginx: master process /usr/sbin/nginx -c /etc/x']) {
    const pid = await zoo.start('/bin/bash', ['-c', 'exec -a "$0" cat < <(sleep 300)', argv0]);
    await waitFor('title', () => table.read(pid, ['argv'])?.argv?.[0] === argv0);
    assert.deepEqual(await settledRecord(table, pid), {
      kind: 'unusable',
      reason: 'it wrote a title over its command line',
    });
  }
  const title = await zoo.start(process.execPath, ['-e', 'process.title = "short"; setInterval(() => {}, 1e6)']);
  await waitFor('title', () => table.read(title, ['argv'])?.argv?.[0] === 'short');
  assert.equal((await settledRecord(table, title)).kind, 'unusable');
});

test('a signal goes to the process that was seen, never to its successor', async () => {
  const child = spawn('sleep', ['300']);
  const ended = once(child, 'exit');
  const pid = child.pid ?? 0;
  const seen = table.read(pid, ['startTime']);
  assert.ok(seen);
  assert.equal(signalProcess(table, { pid, startTime: seen.startTime - 1 }, 9), 'gone');
  assert.ok(isAlive(pid));
  assert.equal(signalProcess(table, seen, 15), 'sent');
  assert.deepEqual(await ended, [null, 'SIGTERM']);
  assert.equal(signalProcess(table, seen, 15), 'gone');
});

/** A folder like /proc with these processes, each with a command line and an environment of `size` bytes. */
function longProcesses(t: TestContext, pids: readonly number[], size: number): string {
  const root = tempDir(t);
  writeFileSync(join(root, 'uptime'), '1000.00 2000.00\n');
  for (const pid of pids) {
    mkdirSync(join(root, String(pid)));
    for (const file of ['stat', 'status']) writeFileSync(join(root, `${pid}/${file}`), readFileSync(`/proc/self/${file}`));
    symlinkSync('/bin/true', join(root, `${pid}/exe`));
    for (const file of ['cmdline', 'environ']) {
      writeFileSync(join(root, `${pid}/${file}`), 'first\0');
      truncateSync(join(root, `${pid}/${file}`), size);
    }
  }
  return root;
}

test('of a command line of any length 16 KiB are read, of an environment 64, and no more strings made than they could be', (t) => {
  const seen = new ProcessTable(longProcesses(t, [4711], 600 * 1024 * 1024));
  const [found] = seen.list(['argv', 'environment']);
  assert.deepEqual([found?.argv?.[0], found?.environment?.[0]], ['first', 'first']);
  assert.deepEqual([found?.argv?.length, found?.environment?.length], [2048, 8192]);
  const later = seen.read(4711, ['argv'], { ...LOOK_LIMITS, commandLine: 128 * 1024 });
  assert.equal(later?.argv?.length, 16_384);
  assert.equal(seen.bytes(4711, 'cmdline', 5)?.toString(), 'first');
  assert.equal(seen.hasVariable(4711, 'first'), false);
});

test('a variable is found wherever it is in an environment, whole and nothing else', (t) => {
  const root = longProcesses(t, [1, 2], 0);
  const text = (parts: readonly string[]): string => parts.map((part) => `${part}\0`).join('');
  const seen = new ProcessTable(root);
  // Also across the pieces that it is read in.
  for (const before of [0, 1, 65_510, 65_525, 65_536, 65_540, 131_060, 1_048_570]) {
    const filling = 'x'.repeat(before);
    writeFileSync(join(root, '1/environ'), text([...(before > 0 ? [filling] : []), 'RUN_ID=abc', 'LAST=']));
    assert.deepEqual(
      [seen.hasVariable(1, 'RUN_ID'), seen.hasVariable(1, 'RUN_ID', 'abc'), seen.hasVariable(1, 'LAST', '')],
      [true, true, true],
      String(before),
    );
    for (const [name, value] of [['RUN_ID', 'ab'], ['RUN_ID', 'abcd'], ['UN_ID'], ['RUN'], ['LAST', 'x']] as const)
      assert.equal(seen.hasVariable(1, name, value), false, `${before} ${name}=${value}`);
  }
  assert.equal(seen.hasVariable(3, 'RUN_ID'), false);
});

test('what is longer than a launch record may be is not usable, and neither are more than 65,536 arguments', async (t) => {
  const limits = { cmdline: 2 * 1024 * 1024, environ: 1024 * 1024 };
  const root = longProcesses(t, [4711], 10);
  symlinkSync('/', join(root, '4711/cwd'));
  symlinkSync('/', join(root, '4711/root'));
  writeFileSync(join(root, '4711/auxv'), readFileSync('/proc/self/auxv'));
  writeFileSync(join(root, '4711/environ'), 'A=b\0');
  mkdirSync(join(root, '4711/ns'));
  const seen = new ProcessTable(root);
  const read = async (): Promise<unknown> => {
    const reading = await readLaunchRecord(seen, 4711, 4711);
    return reading.kind === 'unusable' ? reading.reason : reading.record.argv.length + reading.record.environment.length;
  };
  const argument = 'x'.repeat(63);
  const whole = `${argument}\0`.repeat(limits.cmdline / 64);
  writeFileSync(join(root, '4711/cmdline'), whole);
  assert.equal(await read(), limits.cmdline / 64 + 1);
  writeFileSync(join(root, '4711/cmdline'), `${whole}x`);
  assert.equal(await read(), 'its command line is longer than 2 MiB');
  writeFileSync(join(root, '4711/cmdline'), 'x\0'.repeat(65_536));
  assert.equal(await read(), 65_537);
  for (const file of ['environ', 'cmdline']) {
    writeFileSync(join(root, '4711', file), 'x=\0'.repeat(65_537));
    assert.equal(await read(), 'it has more than 65,536 arguments or variables', file);
    writeFileSync(join(root, '4711', file), 'x=\0');
  }
  writeFileSync(join(root, '4711/cmdline'), 'x\0');
  writeFileSync(join(root, '4711/environ'), `A=${'x'.repeat(limits.environ)}`);
  assert.equal(await read(), 'its environment is longer than 1 MiB');
});

test('the records of one program’s copies have a bound together; the first is read in any case', async (t) => {
  const root = longProcesses(t, [4711], 10);
  for (const link of ['cwd', 'root']) symlinkSync('/', join(root, `4711/${link}`));
  writeFileSync(join(root, '4711/auxv'), readFileSync('/proc/self/auxv'));
  writeFileSync(join(root, '4711/environ'), 'A=b\0');
  mkdirSync(join(root, '4711/ns'));
  const seen = new ProcessTable(root);
  const copies = async (cmdline: string): Promise<number> => {
    writeFileSync(join(root, '4711/cmdline'), cmdline);
    const room = new RecordRoom();
    for (let count = 0; ; count++) {
      const reading = await readLaunchRecord(seen, 4711, 4711, room);
      if (reading.kind === 'unusable')
        assert.match(reading.reason, /^arguments and environments of its copies take more than 8 MiB/);
      if (reading.kind === 'unusable') return count;
    }
  };
  assert.equal(await copies(`${'x'.repeat(1023)}\0`.repeat(1024)), 8);
  // Each string takes more than its bytes.
  assert.equal(await copies(`${'x'.repeat(31)}\0`.repeat(64 * 1024)), 2);

  writeFileSync(join(root, '4711/cmdline'), '\0'.repeat(2 * 1024 * 1024));
  const stalls: number[] = [];
  while (stalls.length < 3) stalls.push((await longestStall(() => readLaunchRecord(seen, 4711, 4711))).stallMs);
  assert.ok(Math.min(...stalls) < 50, `${stalls} ms`);
});

test('what is longer than we read is not started again', async (t) => {
  const zoo = openZoo(t);
  const program = zoo.sleeper('long-environment');
  const become = `ulimit -s 65536; x=$(head -c 120000 /dev/zero | tr '\\0' x); exec env $(for i in $(seq 20); do echo "LONG$i=$x"; done) "$0" 300`;
  const pid = await zoo.start('bash', ['-c', become, program]);
  await waitFor('the program itself', () => table.read(pid, ['executable'])?.executable === program);
  const reading = await settledRecord(table, pid);
  assert.deepEqual(reading, { kind: 'unusable', reason: 'its environment is longer than 1 MiB' });
});
