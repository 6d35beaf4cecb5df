import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCgroup, unitOfCgroup } from '../../../../src/system/proc/cgroup.ts';
import {
  numberAfter,
  numbersAfter,
  parseCpuList,
  parseIo,
  parseMaps,
  parseSmapsRollup,
} from '../../../../src/system/proc/counters.ts';

test('io: every counter by its own line, none by another that ends alike', () => {
  const text = 'rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n';
  assert.deepEqual(parseIo(text), {
    readBytes: 1,
    writtenBytes: 2,
    readCalls: 3,
    writeCalls: 4,
    diskReadBytes: 5,
    diskWrittenBytes: 6,
    diskCancelledBytes: 7,
  });
  assert.equal(parseIo('cancelled_write_bytes: 7\n'), undefined);
  assert.equal(numberAfter('x: 1\nnonvoluntary: 2\nvoluntary: 3\n', 'voluntary:'), 3);
});

test('numbers stand behind their key, up to the end of its line', () => {
  const text = 'Name:\tUid:\t9\nUid:\t1\t22\t333\t4294967295\nGroups:\t5 10 \nNone:\t\nSize:\t  12 kB\nLast:\t7';
  assert.deepEqual(numbersAfter(text, 'Uid:'), [1, 22, 333, 4_294_967_295]);
  assert.deepEqual(numbersAfter(text, 'Uid:', 2), [1, 22]);
  assert.deepEqual(numbersAfter(text, 'Groups:'), [5, 10]);
  assert.deepEqual(numbersAfter(text, 'None:'), []);
  assert.deepEqual(numbersAfter(text, 'Absent:'), []);
  assert.deepEqual(
    ['Size:', 'Last:', 'None:', 'Absent:'].map((key) => numberAfter(text, key)),
    [12, 7, undefined, undefined],
  );
});

test('memory: the kernel’s sums, or the mappings themselves', () => {
  const rollup = [
    '55ea9976b000-7fff8dbc6000 ---p 00000000 00:00 0                          [rollup]',
    'Rss:                1620 kB',
    'Pss:                 305 kB',
    'Pss_Anon:            116 kB',
    'Shared_Clean:       1436 kB',
    'Shared_Dirty:          2 kB',
    'Private_Clean:        68 kB',
    'Private_Dirty:       116 kB',
    'Anonymous:           117 kB',
    'Swap:                  8 kB',
    'SwapPss:               4 kB',
    'Locked:                1 kB',
  ];
  assert.deepEqual(parseSmapsRollup(`${rollup.join('\n')}\n`), {
    source: 'smaps_rollup',
    rssBytes: 1620 * 1024,
    pssBytes: 305 * 1024,
    ussBytes: 184 * 1024,
    sharedBytes: 1438 * 1024,
    anonymousBytes: 117 * 1024,
    swapBytes: 8 * 1024,
    lockedBytes: 1024,
  });
  const maps = [
    '55e000000000-55e000002000 r-xp 00001000 fe:00 123 /bin/a b',
    '7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]',
    'ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]',
  ];
  assert.deepEqual(parseMaps(`${maps.join('\n')}\n`), {
    source: 'maps',
    mappings: 3,
    sizeBytes: 0x2000 + 0x21000 + 0x1000,
    fileBytes: 0x2000,
  });
  assert.equal(parseSmapsRollup(''), undefined);
  assert.equal(parseMaps(''), undefined);
});

test('sets of CPUs', () => {
  assert.deepEqual(parseCpuList('0-2,8\n'), [0, 1, 2, 8]);
  assert.deepEqual(parseCpuList('3'), [3]);
  for (const bad of ['', '1-', 'x', '1,,2', '1-99999999999']) assert.equal(parseCpuList(bad), undefined, bad);
});

test('the cgroup is systemd’s, and its unit the outermost that is not a slice', () => {
  assert.equal(parseCgroup('12:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n'), '/b');
  assert.equal(parseCgroup('0::/a:b c\n'), '/a:b c');
  assert.equal(parseCgroup('4:memory:/a\n'), undefined);
  const units: [string, string | undefined][] = [
    ['/system.slice/nginx.service', 'nginx.service'],
    ['/system.slice/system-app.slice/app@1.service/payload', 'app@1.service'],
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/x.service', 'user@1000.service'],
    ['/user.slice/user-0.slice/session-1.scope', 'session-1.scope'],
    ['/system.slice/_cpu.service', 'cpu.service'],
    ['/init.scope', 'init.scope'],
    ['/docker/0123', undefined],
    ['/docker/nginx.service', undefined],
    ['/../nginx.service', undefined],
    ['/system.slice', undefined],
    ['/', undefined],
    ['', undefined],
  ];
  for (const [path, unit] of units) assert.equal(unitOfCgroup(path), unit, path);
});

test('no text makes these parsers throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseIo, parseMaps, parseSmapsRollup, parseCpuList, parseCgroup, unitOfCgroup]) parse(text);
    }),
  );
});
