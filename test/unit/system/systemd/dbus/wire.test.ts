import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode } from '../../../../../src/system/systemd/dbus/decode.ts';
import { encode } from '../../../../../src/system/systemd/dbus/encode.ts';
import {
  bodyOf,
  type DbusMessage,
  encodeMessage,
  MessageReader,
  messageTypes,
} from '../../../../../src/system/systemd/dbus/message.ts';
import { type DbusType, parseSignature, WireError } from '../../../../../src/system/systemd/dbus/signature.ts';
import { type DbusValue, Variant } from '../../../../../src/system/systemd/dbus/values.ts';

/** As systemd 252 and dbus-daemon 1.14 sent them, and as calls that those took; one message each. */
const recorded = new Map(
  Object.entries<string>(JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8'))).map(([name, hex]) => [
    name,
    Buffer.from(hex, 'hex'),
  ]),
);

function bytesOf(name: string): Buffer {
  return recorded.get(name) ?? assert.fail(name);
}

function read(bytes: Buffer): DbusMessage {
  const messages = new MessageReader().push(bytes);
  assert.equal(messages.length, 1);
  return messages[0] ?? assert.fail();
}

const SYSTEMD = 'org.freedesktop.systemd1';
const BUS = 'org.freedesktop.DBus';
const MANAGER = { path: '/org/freedesktop/systemd1', interface: `${SYSTEMD}.Manager` };
const RAW_UNIT = '/org/freedesktop/systemd1/unit/raw_2d1_2eservice';
const JOB = '/org/freedesktop/systemd1/job/196';
const { call, reply, error, signal } = messageTypes;

const v = (signature: string, value: DbusValue): Variant => new Variant(signature, value);

/** What the recorded messages say. Those that we would put together in the same order of fields are written too. */
const meanings: Record<
  string,
  Omit<Parameters<typeof encodeMessage>[0], 'values'> & { readonly values: readonly DbusValue[] }
> = {
  'reply: ActiveState': { type: reply, serial: 1, replySerial: 1, sender: SYSTEMD, signature: 'v', values: [v('s', 'active')] },
  'reply: a timestamp': {
    type: reply,
    serial: 2,
    replySerial: 2,
    sender: SYSTEMD,
    signature: 'v',
    values: [v('t', 2617128860n)],
  },
  'reply: no job': { type: reply, serial: 3, replySerial: 3, sender: SYSTEMD, signature: 'v', values: [v('(uo)', [0, '/'])] },
  'reply: InvocationID': {
    type: reply,
    serial: 4,
    replySerial: 4,
    sender: SYSTEMD,
    signature: 'v',
    values: [v('ay', Buffer.from('83be09bd4a3c4b45b2af7385e756d61d', 'hex'))],
  },
  'reply: a job': { type: reply, serial: 8, replySerial: 6, sender: SYSTEMD, signature: 'o', values: [JOB] },
  'signal: JobNew': {
    type: signal,
    serial: 7,
    ...MANAGER,
    member: 'JobNew',
    sender: SYSTEMD,
    signature: 'uos',
    values: [196, JOB, 'raw-1.service'],
  },
  'signal: JobRemoved': {
    type: signal,
    serial: 16,
    ...MANAGER,
    member: 'JobRemoved',
    sender: SYSTEMD,
    signature: 'uoss',
    values: [196, JOB, 'raw-1.service', 'done'],
  },
  'signal: UnitRemoved': {
    type: signal,
    serial: 22,
    ...MANAGER,
    member: 'UnitRemoved',
    sender: SYSTEMD,
    signature: 'so',
    values: ['raw-1.service', RAW_UNIT],
  },
  'signal: of the manager': {
    type: signal,
    serial: 19,
    path: MANAGER.path,
    interface: `${BUS}.Properties`,
    member: 'PropertiesChanged',
    sender: SYSTEMD,
    signature: 'sa{sv}as',
    values: [`${SYSTEMD}.Manager`, [['NFailedUnits', v('u', 2)]], []],
  },
  'call: Hello': {
    type: call,
    serial: 1,
    path: '/org/freedesktop/DBus',
    interface: BUS,
    member: 'Hello',
    destination: BUS,
    values: [],
  },
  'call: AddMatch': {
    type: call,
    serial: 2,
    path: '/org/freedesktop/DBus',
    interface: BUS,
    member: 'AddMatch',
    destination: BUS,
    signature: 's',
    values: [`type='signal',sender='${SYSTEMD}',member='JobRemoved'`],
  },
  'call: StopUnit': {
    type: call,
    serial: 5,
    ...MANAGER,
    member: 'StopUnit',
    destination: SYSTEMD,
    signature: 'ss',
    values: ['x-ok.service', 'replace'],
  },
  'call: StartTransientUnit': {
    type: call,
    serial: 6,
    ...MANAGER,
    member: 'StartTransientUnit',
    signature: 'ssa(sv)a(sa(sv))',
    values: [
      'raw-1.service',
      'fail',
      [
        ['CollectMode', v('s', 'inactive-or-failed')],
        ['DefaultDependencies', v('b', false)],
        ['RuntimeMaxUSec', v('t', 5_000_000n)],
        ['ExecStart', v('a(sasb)', [['/bin/sh', ['/bin/sh', '-c', 'exit 3'], false]])],
      ],
      [],
    ],
  },
};

test('real messages are read as what they are, and written byte by byte as they were', () => {
  for (const [name, meaning] of Object.entries(meanings)) {
    const bytes = bytesOf(name);
    const message = read(bytes);
    const { values, signature = '', replySerial = 0, path = '', member = '', sender = '', destination = '', ...rest } = meaning;
    assert.deepEqual(
      {
        type: message.type,
        serial: message.serial,
        path: message.path,
        interface: message.interface,
        member: message.member,
        errorName: message.errorName,
        replySerial: message.replySerial,
        destination: message.destination,
        sender: message.sender,
        signature: message.signature,
      },
      { interface: '', errorName: '', ...rest, path, member, sender, destination, replySerial, signature },
      name,
    );
    assert.deepEqual(bodyOf(message), values, name);
    // systemd sets the flag "no answer is expected" where none can be, which says nothing; we set none.
    const written = encodeMessage(meaning);
    const flags = 2;
    written[flags] = bytes[flags] ?? 0;
    assert.equal(written.toString('hex'), bytes.toString('hex'), name);
  }
});

test('real messages whose header fields have another order', () => {
  const refusal = read(bytesOf('error: UnknownProperty'));
  assert.deepEqual([refusal.type, refusal.replySerial, refusal.sender], [error, 5, SYSTEMD]);
  assert.equal(refusal.errorName, 'org.freedesktop.DBus.Error.UnknownProperty');
  assert.deepEqual(bodyOf(refusal), ['Unknown interface org.freedesktop.systemd1.Unit or property Nope.']);
  const hello = read(bytesOf('bus: reply to Hello'));
  assert.deepEqual(
    [hello.type, hello.replySerial, hello.sender, hello.destination, bodyOf(hello)],
    [reply, 1, BUS, ':1.4', [':1.4']],
  );
  const acquired = read(bytesOf('bus: NameAcquired'));
  assert.deepEqual(
    [acquired.type, acquired.member, acquired.sender, bodyOf(acquired)],
    [signal, 'NameAcquired', BUS, [':1.4']],
  );
  const nothing = read(bytesOf('bus: reply to AddMatch'));
  assert.deepEqual([nothing.replySerial, nothing.signature, nothing.body.length, bodyOf(nothing)], [2, '', 0, []]);
  const removed = read(bytesOf('bus: JobRemoved'));
  assert.deepEqual([removed.sender, removed.member], [':1.3', 'JobRemoved']);
  assert.deepEqual(bodyOf(removed), [199, '/org/freedesktop/systemd1/job/199', 'x-ok.service', 'done']);
  assert.deepEqual(bodyOf(read(bytesOf('bus: owner of systemd'))), [':1.3']);
  assert.deepEqual(bodyOf(read(bytesOf('bus: reply of systemd'))), [v('s', 'active')]);
});

test('the two halves of a real change', () => {
  const [service, unit] = ['Service', 'Unit'].map((half) => {
    const message = read(bytesOf(`signal: ${half} half of a failure`));
    assert.deepEqual([message.path, message.member], [RAW_UNIT, 'PropertiesChanged']);
    const [owner, values, invalidated] = bodyOf(message) as [string, [string, Variant][], string[]];
    assert.equal(owner, `${SYSTEMD}.${half}`);
    assert.ok(invalidated.length > 0);
    return new Map(values.map(([key, { value }]) => [key, value]));
  });
  assert.deepEqual(
    ['MainPID', 'Result', 'ExecMainCode', 'ExecMainStatus', 'UID', 'ExecMainExitTimestampMonotonic'].map((key) =>
      service?.get(key),
    ),
    [0, 'exit-code', 1, 3, 4294967295, 2775542601n],
  );
  assert.deepEqual(
    ['ActiveState', 'SubState', 'Job', 'ConditionResult', 'InvocationID', 'ActivationDetails'].map((key) => unit?.get(key)),
    ['failed', 'failed', [0, '/'], true, Buffer.from('be32737d36ed40c092834a5cceb0ba41', 'hex'), []],
  );
});

test('values of every type come back as they were', () => {
  fc.assert(
    fc.property(anyValues, ({ signature, values }) => {
      assert.deepEqual(decode(signature, encode(signature, values)), values);
    }),
    { numRuns: 2000 },
  );
});

test('messages come back as they were', () => {
  const text = fc.option(anyText, { nil: undefined });
  const message = fc.record({
    type: fc.constantFrom(call, reply, error, signal),
    serial: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    path: text,
    interface: text,
    member: text,
    errorName: text,
    replySerial: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
    destination: text,
    sender: text,
    descriptors: fc.nat(3),
    body: anyValues,
  });
  fc.assert(
    fc.property(message, ({ body: { signature, values }, ...fields }) => {
      const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
      const found = read(encodeMessage({ ...(present as unknown as Parameters<typeof encodeMessage>[0]), signature, values }));
      const { descriptors, ...expected } = { ...NOTHING, ...present, signature };
      assert.deepEqual({ ...found, body: undefined }, { ...expected, body: undefined });
      assert.deepEqual(bodyOf(found), values);
    }),
    { numRuns: 500 },
  );
});

test('the edges of every number', () => {
  const edges: Record<string, readonly DbusValue[]> = {
    y: [0, 255],
    n: [-32768, 32767],
    q: [0, 65535],
    i: [-(2 ** 31), 2 ** 31 - 1],
    u: [0, 2 ** 32 - 1],
    h: [0, 2 ** 32 - 1],
    x: [-(2n ** 63n), 2n ** 63n - 1n],
    t: [0n, 2n ** 64n - 1n],
    d: [Number.MAX_VALUE, Number.MIN_VALUE, -0, Number.NaN, Number.POSITIVE_INFINITY],
  };
  for (const [signature, values] of Object.entries(edges))
    for (const value of values) assert.deepEqual(decode(signature, encode(signature, [value])), [value], signature);
  const beyond: readonly (readonly [string, DbusValue])[] = [
    ['y', 256],
    ['y', -1],
    ['n', 32768],
    ['q', 65536],
    ['i', 2 ** 31],
    ['u', 2 ** 32],
    ['u', -1],
    ['h', -1],
    ['x', 2n ** 63n],
    ['t', -1n],
    ['t', 2n ** 64n],
  ];
  for (const [signature, value] of beyond) assert.throws(() => encode(signature, [value]), RangeError, `${signature} ${value}`);
});

test('bytes are in the places that the specification gives', () => {
  const hex = (signature: string, ...values: DbusValue[]): string => encode(signature, values).toString('hex');
  assert.equal(hex('yq', 1, 2), '01000200');
  assert.equal(hex('yu', 1, 2), '0100000002000000');
  assert.equal(hex('yt', 1, 2n), '01000000000000000200000000000000');
  assert.equal(hex('b', true), '01000000');
  assert.equal(hex('s', 'foo'), '03000000666f6f00');
  assert.equal(hex('g', 'a{sv}'), '05617b73767d00');
  // The length of an array is without the room before its first element.
  assert.equal(hex('at', [5n]), '08000000000000000500000000000000');
  assert.equal(hex('at', []), '0000000000000000');
  assert.equal(hex('y(y)', 1, [2]), '010000000000000002');
  assert.equal(hex('v', v('u', 7)), '0175000007000000');
  assert.equal(hex('a{ys}', [[1, 'a']]), '0a0000000000000001000000010000006100');
});

test('a byte that is not a boolean is true, and text that is not UTF-8 is marked', () => {
  assert.deepEqual(decode('b', Buffer.from([2, 0, 0, 0])), [true]);
  assert.deepEqual(decode('s', Buffer.from([1, 0, 0, 0, 0xff, 0])), ['\ufffd']);
});

test('an array of bytes may be given as numbers', () => {
  assert.deepEqual(decode('ay', encode('ay', [[1, 2, 255]])), [Buffer.from([1, 2, 255])]);
});

test('a value that is not of its type is a TypeError', () => {
  const misfits: readonly (readonly [signature: string, ...values: unknown[]])[] = [
    ['y', '1'],
    ['y', true],
    ['b', 1],
    ['b', 'true'],
    ['n', 1n],
    ['u', undefined],
    ['u', null],
    ['d', '1.5'],
    ['x', 1],
    ['t', 1],
    ['h', 1n],
    ['s', 5],
    ['s', Buffer.from('a')],
    ['s', 'a\0b'],
    ['o', '/a\0'],
    ['g', 7],
    ['v', 'text'],
    ['v', { signature: 's', value: 'text' }],
    ['v', v('u', 'text')],
    ['as', 'text'],
    ['as', [1]],
    ['as', { 0: 'a', length: 1 }],
    ['ay', 'bytes'],
    ['ay', ['a']],
    ['au', Buffer.from([1, 2])],
    ['(su)', ['a']],
    ['(su)', ['a', 1, 2]],
    ['(su)', 'a'],
    ['a{sv}', [['a']]],
    ['a{sv}', new Map([['a', v('s', 'b')]])],
    ['ss', 'one'],
    ['s', 'one', 'two'],
    ['', 'one'],
  ];
  for (const [signature, ...values] of misfits)
    assert.throws(() => encode(signature, values as DbusValue[]), TypeError, `${signature} ${String(values)}`);
});

test('signatures, and texts that are not', () => {
  const basic = 'ybnqiuxtdsogh';
  assert.deepEqual(
    parseSignature(basic),
    [...basic].map((code) => ({ code })),
  );
  assert.deepEqual(parseSignature('a{s(uav)}'), [
    {
      code: 'a',
      of: {
        code: '{',
        fields: [{ code: 's' }, { code: '(', fields: [{ code: 'u' }, { code: 'a', of: { code: 'v' } }] }],
      },
    },
  ]);
  assert.deepEqual(parseSignature(''), []);
  const bad = [
    'z',
    'a',
    '(',
    ')',
    '()',
    '(s',
    's)',
    '{sv}',
    'a{s}',
    'a{svv}',
    'a{vs}',
    'a{(s)v}',
    'a{sv',
    '{',
    '}',
    'a{}',
    'aa',
    'r',
    'e',
    'm*',
    ' ',
    'ș',
    '\0',
  ];
  for (const text of bad) assert.throws(() => parseSignature(text), WireError, text);
  assert.equal(parseSignature('y'.repeat(255)).length, 255);
  assert.throws(() => parseSignature('y'.repeat(256)), WireError);
  // Arrays and structures may be 32 deep each.
  parseSignature(`${'a'.repeat(32)}y`);
  parseSignature(`${'('.repeat(32)}y${')'.repeat(32)}`);
  assert.throws(() => parseSignature(`${'a'.repeat(70)}y`), /nested too deep/);
  assert.throws(() => parseSignature(`${'('.repeat(70)}y${')'.repeat(70)}`), /nested too deep/);
});

test('no text makes parseSignature throw anything but a WireError', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ybnqiuxtdsoghva(){}'), maxLength: 300 }));
  fc.assert(
    fc.property(text, (signature) => {
      try {
        parseSignature(signature);
      } catch (problem) {
        assert.ok(problem instanceof WireError, String(problem));
      }
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are not what their signature says are a WireError', () => {
  const le = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
  const bad: readonly (readonly [string, readonly number[]])[] = [
    ['u', [1, 0, 0]],
    ['t', [1, 0, 0, 0, 0, 0, 0]],
    ['s', [...le(2), 97, 0]],
    ['s', [...le(1), 97, 1]],
    ['s', le(0xffffffff)],
    ['g', [2, 97, 0]],
    ['g', [1, 97, 98]],
    ['ay', [...le(3), 1, 2]],
    ['ay', le(0xffffffff)],
    ['au', [...le(3), 1, 2, 3, 0]],
    ['au', [...le(6), 1, 0, 0, 0, 1, 0, 0, 0]],
    ['at', le(0)],
    ['as', [...le(0x7fffffff), ...le(1), 97, 0]],
    ['v', [0, 0]],
    ['v', [2, 115, 115, 0]],
    ['v', [1, 122, 0]],
    ['v', [1, 115, 0]],
    ['z', []],
    ['(', []],
  ];
  for (const [signature, bytes] of bad)
    assert.throws(() => decode(signature, Buffer.from(bytes)), WireError, `${signature} ${bytes}`);
});

test('values in values have a limit', () => {
  const nested = (depth: number): Variant => {
    let value = v('y', 1);
    for (let at = 1; at < depth; at++) value = v('v', value);
    return value;
  };
  decode('v', encode('v', [nested(64)]));
  for (const depth of [200, 100_000]) assert.throws(() => decode('v', Buffer.from('017600'.repeat(depth), 'hex')), WireError);
});

test('a message from us may be 4 MiB long, and no longer', () => {
  const sized = (length: number): Buffer =>
    encodeMessage({ type: call, serial: 1, path: '/', signature: 'ay', values: [Buffer.alloc(length)] });
  const overhead = sized(0).length;
  assert.equal(sized(4 * 1024 * 1024 - overhead).length, 4 * 1024 * 1024);
  assert.throws(() => sized(4 * 1024 * 1024 - overhead + 1), RangeError);
});

test('a message to us may be 1 MiB long; a longer one is skipped, even if it comes in pieces', () => {
  const sized = (length: number): Buffer =>
    encodeMessage({ type: signal, serial: 1, path: '/', signature: 'ay', values: [Buffer.alloc(length)] });
  const overhead = sized(0).length;
  const longest = sized(1024 * 1024 - overhead);
  assert.equal(longest.length, 1024 * 1024);
  assert.equal(read(longest).body.length, longest.length - overhead + 4);
  const [before, after] = [bytesOf('signal: JobNew'), bytesOf('signal: JobRemoved')];
  for (const length of [1024 * 1024 - overhead + 1, 2_000_003, 3 << 20]) {
    const stream = Buffer.concat([before, sized(length), after]);
    const members = (size: number): string[] => {
      const reader = new MessageReader();
      const found: string[] = [];
      for (let at = 0; at < stream.length; at += size)
        found.push(...reader.push(stream.subarray(at, at + size)).map(({ member }) => member));
      return found;
    };
    for (const size of [stream.length, 65536, 1000, 4097]) assert.deepEqual(members(size), ['JobNew', 'JobRemoved']);
  }
});

test('one that is longer than any may be is a WireError, by its first 16 bytes', () => {
  const bytes = Buffer.from(bytesOf('signal: JobNew'));
  assert.deepEqual(new MessageReader().push(bytes.subarray(0, 15)), []);
  for (const [body, fields] of [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0],
    [0, 0xffffffff],
    [128 * 1024 * 1024, 0],
  ] as const) {
    bytes.writeUInt32LE(body, 4);
    bytes.writeUInt32LE(fields, 12);
    assert.throws(() => new MessageReader().push(bytes.subarray(0, 16)), WireError, `${body} ${fields}`);
  }
});

test('a message of the other byte order is passed over', () => {
  // A signal a.b.C of /x to :1.4, as a machine of that order writes it.
  const other = Buffer.from(
    '4204000100000000000000070000003d01016f00000000022f78000000000000' +
      '0201730000000003612e6200000000000301730000000001430000000000000006017300000000043a312e3400000000',
    'hex',
  );
  assert.equal(other.length, 16 + 61 + 3);
  const stream = Buffer.concat([other, bytesOf('signal: JobNew'), other, other, bytesOf('signal: JobRemoved')]);
  const whole = new MessageReader().push(stream).map(({ member }) => member);
  assert.deepEqual(whole, ['JobNew', 'JobRemoved']);
  const reader = new MessageReader();
  const found = [...stream].flatMap((byte) => reader.push(Buffer.from([byte])).map(({ member }) => member));
  assert.deepEqual(found, ['JobNew', 'JobRemoved']);
});

test('bytes that do not begin like a message are not one', () => {
  const message = encodeMessage({ type: signal, serial: 1, path: '/' });
  for (const [at, byte] of [
    [0, 0],
    [0, 'L'.charCodeAt(0)],
    [3, 0],
    [3, 2],
  ] as const) {
    const other = Buffer.from(message);
    other[at] = byte;
    assert.throws(() => new MessageReader().push(other), WireError);
  }
});

test('header fields of another type are a WireError, unknown ones are passed over', () => {
  const header = (fields: DbusValue): Buffer => {
    const bytes = encode('yyyyuua(yv)', [108, signal, 0, 1, 0, 1, fields]);
    return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
  };
  for (const code of [1, 2, 3, 4, 6, 7, 8]) assert.throws(() => read(header([[code, v('u', 1)]])), WireError);
  const message = read(
    header([
      [77, v('a{sv}', [['a', v('t', 1n)]])],
      [9, v('u', 2)],
      [3, v('s', 'Ping')],
    ]),
  );
  assert.deepEqual([message.member, message.path, message.replySerial], ['Ping', '', 0]);
});

test('a stream is cut into its messages, however it comes', () => {
  const messages = [...recorded.values()];
  const stream = Buffer.concat(messages);
  const expected = messages.map(read).map((message) => [message.serial, message.member, message.body.toString('hex')]);
  const readIn = (cuts: readonly number[]): unknown[] => {
    const reader = new MessageReader();
    const found: DbusMessage[] = [];
    let from = 0;
    for (const to of [...cuts, stream.length]) {
      // In a buffer that is used again, as that of a socket is.
      const chunk = Buffer.from(stream.subarray(from, to));
      found.push(...reader.push(chunk));
      chunk.fill(0xee);
      from = to;
    }
    return found.map((message) => [message.serial, message.member, message.body.toString('hex')]);
  };
  assert.deepEqual(readIn([]), expected);
  // Byte by byte.
  assert.deepEqual(readIn(Array.from({ length: stream.length }, (_, at) => at)), expected);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
      assert.deepEqual(readIn(cuts.toSorted((a, b) => a - b)), expected);
    }),
    { numRuns: 200 },
  );
});

const NOTHING = {
  path: '',
  interface: '',
  member: '',
  errorName: '',
  replySerial: 0,
  destination: '',
  sender: '',
  descriptors: 0,
};

const anyText = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes('\0') && text.isWellFormed());

/** Types of all kinds, at most four deep, and values of them. */
const { anyType } = fc.letrec<{ anyType: DbusType }>((tie) => {
  const code = fc.constantFrom(...([...'ybnqiuxtdsogh'] as ('y' | 's')[]));
  const basic = code.map((one): DbusType => ({ code: one }));
  return {
    anyType: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      basic,
      fc.constant<DbusType>({ code: 'v' }),
      tie('anyType').map((of): DbusType => ({ code: 'a', of })),
      fc.array(tie('anyType'), { minLength: 1, maxLength: 4 }).map((fields): DbusType => ({ code: '(', fields })),
      fc.tuple(basic, tie('anyType')).map((fields): DbusType => ({ code: 'a', of: { code: '{', fields } })),
    ),
  };
});

function signatureOf(type: DbusType): string {
  switch (type.code) {
    case 'a':
      return `a${signatureOf(type.of)}`;
    case '(':
      return `(${type.fields.map(signatureOf).join('')})`;
    case '{':
      return `{${type.fields.map(signatureOf).join('')}}`;
    default:
      return type.code;
  }
}

function anyOf(type: DbusType, depth = 0): fc.Arbitrary<DbusValue> {
  switch (type.code) {
    case 'y':
      return fc.integer({ min: 0, max: 255 });
    case 'b':
      return fc.boolean();
    case 'n':
      return fc.integer({ min: -32768, max: 32767 });
    case 'q':
      return fc.integer({ min: 0, max: 65535 });
    case 'i':
      return fc.integer();
    case 'u':
    case 'h':
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case 'x':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 't':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'd':
      return fc.double();
    case 's':
    case 'o':
      return anyText;
    case 'g':
      return fc.array(anyType, { maxLength: 3 }).map((types) => types.map(signatureOf).join('').slice(0, 200));
    case 'v': {
      const inner = depth > 3 ? fc.constant<DbusType>({ code: 's' }) : anyType;
      return inner.chain((of) => anyOf(of, depth + 1).map((value) => new Variant(signatureOf(of), value)));
    }
    case 'a':
      if (type.of.code === 'y') return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
      return fc.array(anyOf(type.of, depth + 1), { maxLength: 4 });
    case '(':
    case '{':
      return fc.tuple(...type.fields.map((field) => anyOf(field, depth + 1)));
    default:
      return type satisfies never;
  }
}

const anyValues = fc
  .array(anyType, { maxLength: 4 })
  .filter((types) => types.map(signatureOf).join('').length <= 255)
  .chain((types) =>
    fc.record({
      signature: fc.constant(types.map(signatureOf).join('')),
      values: fc.tuple(...types.map((type) => anyOf(type))) as fc.Arbitrary<DbusValue[]>,
    }),
  );
