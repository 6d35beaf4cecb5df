import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuUse } from '../../../../src/detectors/checks/types/process/cpu-use.ts';
import { judge } from '../../../../src/detectors/checks/types/process/judgement.ts';
import type { ProcessLimits } from '../../../../src/detectors/checks/types/process/options.ts';
import { mostDescriptors } from '../../../../src/detectors/checks/types/process/reading.ts';
import { NO_LIMITS, words } from '../../../helpers/process-check.ts';

type Seen = Parameters<typeof judge>[1];
type Read = Seen['read'][number];

function read(pid: number, of: Partial<Read> = {}): Read {
  const stat = { name: 'web', startTime: pid * 100, state: 'S', threads: 1, userCpuMs: 0, systemCpuMs: 0, atMs: 0 };
  return { pid, ...stat, ...of };
}

/** What a look of these processes makes of the limits, in one line. */
function judged(limits: Partial<ProcessLimits>, processes: readonly Read[], more: Partial<Seen> = {}): string {
  const seen: Seen = {
    found: processes,
    hidden: undefined,
    read: processes,
    unreadMemory: [],
    descriptors: undefined,
    cpuPercent: undefined,
    listeners: undefined,
    ageMs: undefined,
    ...more,
  };
  return words(judge({ min: 1, ...NO_LIMITS, ...limits }, seen));
}

test('min and max count the processes found', () => {
  const [one, two, three] = [read(1), read(2), read(3)];
  assert.equal(judged({}, []), 'failing: not running (expected at least 1)');
  assert.equal(judged({}, [one]), 'ok');
  assert.equal(judged({ min: 2 }, [one]), 'failing: 1 process runs (expected at least 2)');
  assert.equal(judged({ min: 2, max: 3 }, [one, two, three]), 'ok');
  assert.equal(judged({ max: 2 }, [one, two, three]), 'failing: 3 processes run: pid 1, 2, 3 (expected at most 2)');
  assert.equal(judged({ min: 0, max: 0 }, [one]), 'failing: 1 process runs: pid 1 (expected none)');
  assert.equal(judged({ min: 0, max: 0 }, []), 'ok');
  const many = Array.from({ length: 1000 }, (_, index) => read(index + 1));
  const tooMany = '1000 processes run: pid 1, 2, 3, 4, 5, 6, 7, 8 and 992 more (expected at most 1)';
  assert.equal(judged({ max: 1 }, many), `failing: ${tooMany}`);
});

test('sums are over all of them, and what is exactly the limit is well', () => {
  const two = [read(1, { rssBytes: 2 ** 29, threads: 3 }), read(2, { rssBytes: 2 ** 29, threads: 4 })];
  assert.equal(judged({ memory: 2 ** 30, threads: 7 }, two), 'ok');
  const limits = { memory: 2 ** 30 - 4096, threads: 6, cpuPercent: 150 };
  assert.equal(
    judged(limits, two, { cpuPercent: 150.04 }),
    'failing: cpu 150.04 % of 2 processes (expected at most 150 %); ' +
      'memory 1 GiB of 2 processes (expected at most 1023.996 MiB); threads 7 of 2 processes (expected at most 6)',
  );
  assert.equal(judged({ cpuPercent: 150 }, two, { cpuPercent: 150 }), 'ok');
  assert.equal(judged({ cpuPercent: 150 }, two), 'ok', 'the first look says nothing about it');
});

test('memory is named as people write it', () => {
  const processes = [read(1, { rssBytes: 2 ** 30 }), read(2, { rssBytes: 2 ** 30 * 0.2 })];
  assert.equal(judged({ memory: 2 ** 30 }, processes), 'failing: memory 1.2 GiB of 2 processes (expected at most 1 GiB)');
});

test('descriptors are of a single process, whose name is made printable', () => {
  const most = { of: read(12, { name: 'we"b\n\u202e' }), count: 1200, isLeast: false };
  const failing = 'failing: descriptors 1200 of "we\\"b\\n\\u202e" (pid 12) (expected at most 1000 of one process)';
  const descriptors = { most, unread: [] };
  assert.equal(judged({ descriptors: 1000 }, [read(12)], { descriptors }), failing);
  assert.equal(judged({ descriptors: 1200 }, [read(12)], { descriptors }), 'ok');
  const least = { most: { ...most, isLeast: true }, unread: [] };
  assert.match(judged({ descriptors: 1000 }, [read(12)], { descriptors: least }), /descriptors at least 1200 of /);
});

test('on older kernels, very many descriptors are counted as far as it takes', () => {
  const [one, many, denied, gone] = [read(1, { fdCount: 7 }), read(2), read(3), read(4)];
  const names = (pid: number, most: number) => Array.from({ length: Math.min(most, pid === 2 ? 65_536 : 0) }, String);
  const table = { exists: ({ pid }: { pid: number }) => pid !== 4, descriptorNames: names };
  const all = [one, many, denied, gone];
  assert.deepEqual(mostDescriptors(table, all, 10), { most: { of: many, count: 11, isLeast: true }, unread: [denied] });
  assert.deepEqual(mostDescriptors(table, all, 10 ** 6), {
    most: { of: one, count: 7, isLeast: false },
    unread: [many, denied],
  });
});

test('age fails while the oldest process is younger', () => {
  const two = [read(5), read(6)];
  const young = 'failing: age 59.9 s of "web" (pid 5) (expected at least 60 s)';
  assert.equal(judged({ ageMs: 60_000 }, two, { ageMs: 59_990 }), young);
  assert.equal(judged({ ageMs: 60_000 }, two, { ageMs: 60_000 }), 'ok');
  assert.match(judged({ ageMs: 60_000 }, two), /^unknown: the age /);
});

test('what is missing of listens is named', () => {
  const missing = [
    { host: undefined, port: 443 },
    { host: '::1', port: 80 },
  ];
  const listeners = { missing, unread: [] };
  const failing = 'failing: no listener on 443, [::1]:80 among 1 process (expected one on each)';
  assert.equal(judged({ listens: missing }, [read(1)], { listeners }), failing);
  assert.equal(judged({ listens: missing }, [read(1)], { listeners: { missing: [], unread: [] } }), 'ok');
});

test('what could not be read is unknown, unless something fails for certain', () => {
  const [one, other] = [read(1, { rssBytes: 100 }), read(2)];
  const unreadMemory = [other];
  const unknown = 'unknown: the memory of "web" (pid 2) cannot be read';
  assert.equal(judged({ memory: 100 }, [one, other], { unreadMemory }), unknown);
  assert.match(judged({ memory: 99 }, [one, other], { unreadMemory }), /^failing: memory 100 bytes of 2 /);
  assert.match(judged({ memory: 100, threads: 1 }, [one, other], { unreadMemory }), /^failing: threads 2 [^;]*$/);
  const listens = [{ host: undefined, port: 80 }];
  const listeners = { missing: listens, unread: [other, read(3)] };
  const sockets = 'unknown: the sockets of "web" (pid 2) and of 1 other process cannot all be read';
  assert.equal(judged({ listens }, [one, other], { listeners }), sockets);
  const descriptors = { most: { of: one, count: 5, isLeast: false }, unread: [other] };
  assert.equal(judged({ descriptors: 5 }, [one, other], { descriptors }), unknown.replace('memory', 'descriptors'));
  assert.match(judged({ descriptors: 4 }, [one, other], { descriptors }), /^failing: descriptors 5 /);
});

test('while processes are hidden, nothing is certain that one more of them could change', () => {
  const hidden = 'hidden';
  const one = read(1, { rssBytes: 100, threads: 2 });
  const more = { hidden, ageMs: 5000, cpuPercent: 50 };
  assert.equal(judged({}, [], more), 'unknown: hidden');
  assert.equal(judged({}, [one], more), 'ok');
  assert.equal(judged({ ageMs: 5000 }, [one], more), 'ok');
  const open: Partial<ProcessLimits>[] = [{ max: 1 }, { memory: 100 }, { threads: 2 }, { cpuPercent: 50 }, { ageMs: 6000 }];
  for (const limits of open) assert.equal(judged(limits, [one], more), 'unknown: hidden', JSON.stringify(limits));
  const certain: Partial<ProcessLimits>[] = [{ min: 0, max: 0 }, { memory: 99 }, { threads: 1 }, { cpuPercent: 49 }];
  for (const limits of certain) assert.match(judged(limits, [one], more), /^failing: /, JSON.stringify(limits));
});

test('what has ended before it was read does not count', () => {
  const listens = [{ host: undefined, port: 80 }];
  const gone = { found: [read(1)], listeners: { missing: listens, unread: [] }, ageMs: 0 };
  assert.equal(judged({ listens, ageMs: 60_000 }, [], gone), 'ok');
  assert.equal(judged({ min: 0, listens, ageMs: 60_000 }, []), 'ok', 'nothing runs');
});

test('cpu_percent is what was used since the look before', () => {
  const cpu = new CpuUse();
  const at = (atMs: number, pid: number, ms: number, startTime = 100) => ({
    pid,
    startTime,
    userCpuMs: ms,
    systemCpuMs: ms,
    atMs,
  });
  assert.equal(cpu.since([at(0, 1, 50_000), at(0, 2, 7000)], 0, 500_000), undefined, 'the first look');
  assert.equal(cpu.since([at(400, 1, 50_100)], 400, 500_400), undefined, 'too soon after it');
  // 1,000 ms and 500 ms of CPU in 2 s.
  assert.equal(cpu.since([at(2000, 1, 50_500), at(2000, 2, 7250)], 2000, 502_000), 75);
  assert.equal(cpu.since([at(2300, 1, 50_500)], 2300, 502_300), 75, 'as measured before');
  // Pid 2 is another process now, of which all is new; pid 3 was running before, and nobody had seen it.
  const reused = [at(4000, 1, 50_500), at(4000, 2, 1000, 50_250), at(4000, 3, 90_000, 100)];
  assert.equal(cpu.since(reused, 4000, 504_000), 100);
  assert.equal(cpu.since([at(6000, 3, 90_100, 100)], 6000, 506_000), 10, 'known from then on');
  assert.equal(cpu.since([], 8000, 508_000), 0);
});
