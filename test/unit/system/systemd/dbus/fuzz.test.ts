import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bodyOf, encodeMessage, MessageReader, messageTypes } from '../../../../../src/system/systemd/dbus/message.ts';
import { WireError } from '../../../../../src/system/systemd/dbus/signature.ts';
import { Variant } from '../../../../../src/system/systemd/dbus/values.ts';
import { type Random, seededRandom } from '../../../../helpers/seeded-random.ts';

const recorded = Object.values<string>(JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8'))).map(
  (hex) => Buffer.from(hex, 'hex'),
);

/** Of every type, so that every branch is met. */
const everything = encodeMessage({
  type: messageTypes.signal,
  serial: 7,
  path: '/a',
  interface: 'a.b',
  member: 'M',
  signature: 'ybnqiuxtdsogva(say)a{s(tv)}aau',
  values: [
    1,
    true,
    -2,
    3,
    -4,
    5,
    -6n,
    7n,
    8.5,
    'text',
    '/path',
    'a{sv}',
    new Variant('av', [new Variant('s', 'in'), new Variant('(uo)', [1, '/'])]),
    [['name', Buffer.from([1, 2, 3])]],
    [['key', [9n, new Variant('as', ['x', 'y'])]]],
    [[1, 2], []],
  ],
});

const MESSAGES = 100_000;

/** True where all of it, the bodies too, are messages; false where it is none; throws where the reader throws something else. */
function readAll(chunks: readonly Buffer[]): boolean {
  const reader = new MessageReader();
  try {
    for (const chunk of chunks) for (const message of reader.push(chunk)) bodyOf(message);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

test('100,000 messages of noise and of real ones gone wrong: they are read, or are a WireError, soon and in little memory', () => {
  const random = seededRandom(20_261_126);
  const valid = [...recorded, everything];
  assert.ok(readAll(valid));
  const heapBefore = process.memoryUsage().heapUsed;
  const cpuBefore = process.cpuUsage();
  let read = 0;
  let largest = 0;
  for (let round = 0; round < MESSAGES; round++) {
    const bytes = round % 4 === 0 ? noise(random) : mutated(valid[Math.floor(random() * valid.length)] ?? everything, random);
    try {
      if (readAll(cut(bytes, random))) read++;
    } catch (error) {
      throw new Error(`round ${round}: ${bytes.toString('hex')}`, { cause: error });
    }
    if (round % 5000 === 0) largest = Math.max(largest, process.memoryUsage().heapUsed - heapBefore);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMs = (user + system) / 1000;
  // Otherwise what is changed would be too little, or too much.
  assert.ok(read > MESSAGES * 0.1 && read < MESSAGES * 0.9, `${read} could be read`);
  assert.ok(cpuMs < 15_000, `${cpuMs} ms of CPU`);
  assert.ok(largest < 200 * 1024 * 1024, `${largest} bytes more`);
});

test('a message that promises much costs what has come of it', () => {
  // As long as may be, and only its beginning comes: nothing is set aside for the rest.
  const beginning = Buffer.from(everything.subarray(0, 64));
  beginning.writeUInt32LE(1024 * 1024 - 4096, 4);
  const before = process.memoryUsage();
  const readers = Array.from({ length: 1000 }, () => {
    const reader = new MessageReader();
    assert.deepEqual(reader.push(beginning), []);
    return reader;
  });
  const after = process.memoryUsage();
  assert.equal(readers.length, 1000);
  assert.ok(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers < 20 * 1024 * 1024);
});

test('arrays that promise more than there is are found out before they are built', () => {
  for (const signature of ['ay', 'au', 'as', 'a(tt)', 'aau', 'av', 'a{sv}']) {
    const bytes = encodeMessage({ type: messageTypes.signal, serial: 1, path: '/', signature, values: [[]] });
    // An empty array's length stands at the beginning of the body.
    const body = bytes.length - (signature.includes('(') || signature.includes('{') ? 8 : 4);
    for (const length of [1, 1000, 2 ** 26, 2 ** 32 - 1]) {
      const promised = Buffer.from(bytes);
      promised.writeUInt32LE(length, body);
      assert.equal(readAll([promised]), false, `${signature} ${length}`);
    }
  }
});

test('the deepest nesting that may come is read soon', () => {
  const signature = `a${'('.repeat(31)}y${')'.repeat(31)}`;
  const element = (): never[] => {
    let value: unknown = 1;
    for (let depth = 0; depth < 31; depth++) value = [value];
    return value as never[];
  };
  const count = 20_000;
  const bytes = encodeMessage({
    type: messageTypes.signal,
    serial: 1,
    path: '/',
    signature,
    values: [Array.from({ length: count }, element)],
  });
  const cpuBefore = process.cpuUsage();
  assert.ok(readAll([bytes]));
  const { user, system } = process.cpuUsage(cpuBefore);
  assert.ok(user + system < 5_000_000, `${user + system} µs of CPU`);
});

function noise(random: Random): Buffer {
  const bytes = Buffer.alloc(Math.floor(random() * 300));
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256);
  // Mostly it begins like a message, or all of it would be refused by its first byte.
  if (random() < 0.8 && bytes.length >= 16) {
    bytes[0] = 'l'.charCodeAt(0);
    bytes[3] = 1;
    if (random() < 0.9) bytes.writeUInt32LE(Math.floor(random() * 200), 4);
    if (random() < 0.9) bytes.writeUInt32LE(Math.floor(random() * 200), 12);
  }
  return bytes;
}

/** A few bytes are other ones, are missing, stand twice, or make a number large. */
function mutated(message: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(message);
  for (let changes = Math.floor(random() * 4); changes >= 0; changes--) {
    const at = Math.floor(random() * bytes.length);
    switch (Math.floor(random() * 6)) {
      case 0:
        bytes[at] = Math.floor(random() * 256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + Math.floor(random() * 8))]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - Math.floor(random() * 16)))]);
        break;
      case 4:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
        break;
      default:
        // A signature's letters become other ones.
        bytes[at] = 'ybnqiuxtdsogva(){}'.charCodeAt(Math.floor(random() * 18));
    }
  }
  return bytes;
}

function cut(bytes: Buffer, random: Random): Buffer[] {
  const at = Math.floor(random() * bytes.length);
  return random() < 0.5 ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
}
