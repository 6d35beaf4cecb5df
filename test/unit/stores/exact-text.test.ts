import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, textOf } from '../../../src/stores/exact-text.ts';

test('any bytes come back as they were', () => {
  const byte = fc.constantFrom(
    0,
    0x61,
    0x7f,
    0x80,
    0xa9,
    0xbf,
    0xc0,
    0xc3,
    0xdf,
    0xe2,
    0x82,
    0xac,
    0xed,
    0xb2,
    0xf0,
    0x9f,
    0x98,
    0x80,
    0xf5,
    0xff,
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 30 }), (bytes) => {
      assert.deepEqual([...bytesOf(textOf(Uint8Array.from(bytes)))], bytes);
    }),
    { numRuns: 3000 },
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual([...bytesOf(textOf(bytes))], [...bytes])));
});

test('different bytes are different texts, also after JSON', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
      const [x, y] = [a, b].map((bytes) => JSON.parse(JSON.stringify(textOf(bytes))) as string);
      assert.equal(x === y, Buffer.compare(a, b) === 0);
    }),
    { numRuns: 2000 },
  );
});

test('a valid text is itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(textOf(Buffer.from(text, 'utf8')), text);
      assert.deepEqual(bytesOf(text), Buffer.from(text, 'utf8'));
    }),
  );
  assert.equal(textOf(Buffer.from('\ufeffa')), '\ufeffa', 'a mark of byte order is text too');
  assert.equal(textOf(Uint8Array.of(0x61, 0xff, 0x62)), 'a\udcffb');
});
