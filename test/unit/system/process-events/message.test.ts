import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcRecord, parseProcEvents } from '../../../../src/system/process-events/message.ts';
import { seededRandom } from '../../../helpers/seeded-random.ts';

/** As Linux 6.18 sent them, one datagram each. */
const fixture = join(import.meta.dirname, '../../../fixtures/process-events/messages.json');
const recorded = new Map(
  Object.entries<string>(JSON.parse(readFileSync(fixture, 'utf8'))).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]),
);

function message(name: string): Buffer {
  return recorded.get(name) ?? assert.fail(name);
}

function parse(bytes: Buffer, start = 0, end = bytes.length): ProcRecord[] {
  const told: ProcRecord[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  parseProcEvents(view, start, end, new ProcRecord(), (record) => told.push({ ...record }));
  return told;
}

const meanings: Record<string, Partial<ProcRecord>> = {
  acknowledged: { type: 'acknowledged', acknowledges: 42, sequence: 381203, cpu: 0, error: 0 },
  fork: { type: 'fork', cpu: 0, sequence: 381205, monotonicMs: 17092877.472, thread: 3760, pid: 3760, parentPid: 3685 },
  exec: { type: 'exec', thread: 3761, pid: 3761 },
  'exit code 3': { type: 'exit', pid: 3762, thread: 3762, parentPid: 3760, status: 3 << 8 },
  'exit by SIGKILL': { type: 'exit', pid: 3763, status: 9 },
  'exit by SIGSEGV with a core': { type: 'exit', cpu: 1, sequence: 310766, pid: 3769, status: 11 | 0x80 },
  sid: { type: 'sid', pid: 3765 },
  gid: { type: 'gid', pid: 3766, real: 65534, effective: 65534 },
  uid: { type: 'uid', pid: 3766, real: 65534, effective: 65534 },
  comm: { type: 'comm', pid: 3768, name: 'naïve) name' },
  coredump: { type: 'coredump', pid: 3769, parentPid: 3760 },
  'ptrace begins': { type: 'ptrace', pid: 3772, tracerPid: 3770 },
  'ptrace ends': { type: 'ptrace', pid: 3772, tracerPid: 0 },
  'fork of a thread': { type: 'fork', thread: 3785, pid: 3784, parentPid: 3760 },
  'exit of a thread': { type: 'exit', thread: 3785, pid: 3784, status: 0 },
};

test('there is a meaning for each recorded message', () => {
  assert.deepEqual(Object.keys(meanings).sort(), [...recorded.keys()].sort());
});

for (const [name, meaning] of Object.entries(meanings)) {
  test(`recorded: ${name}`, () => {
    const [record, ...others] = parse(message(name));
    assert.deepEqual(others, []);
    const rounded = { ...record, monotonicMs: Math.round((record?.monotonicMs ?? 0) * 1e3) / 1e3 };
    assert.partialDeepStrictEqual(rounded, meaning);
  });
}

test('several messages in a datagram are reported in their order, wherever it lies', () => {
  const all = Buffer.concat([Buffer.alloc(4, 0xff), ...recorded.values(), Buffer.alloc(4, 0xff)]);
  const kinds = parse(all, 4, all.length - 4).map(({ type }) => type);
  const single = [...recorded.values()].flatMap((bytes) => parse(bytes).map(({ type }) => type));
  assert.deepEqual(kinds, single);
});

test('of a datagram that was cut only whole messages are reported', () => {
  const all = Buffer.concat([message('fork'), message('comm')]);
  for (let length = 0; length < all.length; length += 1) {
    assert.equal(parse(all, 0, length).length, length >= message('fork').length ? 1 : 0, `${length} bytes`);
  }
  assert.equal(parse(all, 0, all.length + 100).length, 2);
});

test('what is not of the process connector is skipped, and what follows it is reported', () => {
  const changes: [number, number][] = [
    [4, 2],
    [16, 2],
    [20, 2],
    [36, 0x10],
    [32, 15],
    [32, 41],
  ];
  for (const [at, value] of changes) {
    const other = Buffer.from(message('exec'));
    other[at] = value;
    assert.deepEqual(
      parse(Buffer.concat([other, message('fork')])).map(({ type }) => type),
      ['fork'],
      `${value} at ${at}`,
    );
  }
});

test('an older kernel that does not say the parent of who exits', () => {
  const short = Buffer.from(message('exit code 3'));
  short.writeUInt16LE(32, 32);
  assert.partialDeepStrictEqual(parse(short), [{ type: 'exit', status: 3 << 8, parentPid: 0 }]);
});

test('a name without an end, and one that is not UTF-8', () => {
  const long = Buffer.from(message('comm'));
  long.fill('x', 60, 76);
  assert.equal(parse(long)[0]?.name, 'x'.repeat(15));
  long.fill(0xff, 60, 62).fill(0, 62, 63);
  assert.equal(parse(long)[0]?.name, '\ufffd\ufffd');
});

test('a number at the kernel’s limits is that number', () => {
  const far = Buffer.from(message('fork'));
  far.writeUInt32LE(0xffff_ffff, 24);
  far.writeBigUInt64LE(2n ** 52n, 44);
  assert.partialDeepStrictEqual(parse(far), [{ sequence: 0xffff_ffff, monotonicMs: 2 ** 52 / 1e6 }]);
});

test('no bytes make it throw or run for ever', () => {
  const random = seededRandom(20_260_101);
  const whole = [...recorded.values()];
  for (let round = 0; round < 20_000; round += 1) {
    const parts = Array.from({ length: 1 + Math.floor(random() * 3) }, () => whole[Math.floor(random() * whole.length)]!);
    const bytes = Buffer.concat(parts);
    for (let change = 0; change < 1 + random() * 6; change += 1) {
      const at = Math.floor(random() * bytes.length);
      if (random() < 0.3 && at + 4 <= bytes.length) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
      else bytes[at] = Math.floor(random() * 256);
    }
    const end = Math.floor(random() * (bytes.length + 8));
    assert.ok(parse(bytes, 0, end).length <= bytes.length / 16, bytes.toString('hex'));
  }
});
