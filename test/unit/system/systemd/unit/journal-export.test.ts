import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messagesOf } from '../../../../../src/system/systemd/unit/journal-export.ts';

/** A field whose value is not plain text of one line. */
function sized(name: string, value: string): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(Buffer.byteLength(value)));
  return Buffer.concat([Buffer.from(`${name}\n`), size, Buffer.from(`${value}\n`)]);
}

const ENTRIES = Buffer.concat([
  Buffer.from('__CURSOR=s=1;i=2\n_BOOT_ID=3\nMESSAGE=a = b\n\n'),
  Buffer.concat([sized('OTHER', 'x\n\nMESSAGE=no'), sized('MESSAGE', 'one\n\ntwo'), Buffer.from('\n')]),
  Buffer.from('__CURSOR=s=1;i=1\n\n'),
  Buffer.from('MESSAGE=first\nMESSAGE=second\n\n'),
]);

test('each entry has its messages, however they are written', () => {
  assert.deepEqual(messagesOf(ENTRIES), ['a = b\n', 'one\n\ntwo\n', '', 'first\nsecond\n']);
});

test('of bytes that end anywhere the entries before are whole, and the last one has what there is', () => {
  const whole = messagesOf(ENTRIES).join('');
  for (let size = 0; size < ENTRIES.length; size++) {
    const messages = messagesOf(ENTRIES.subarray(0, size));
    assert.ok(whole.startsWith(messages.join('').replace(/\n$/, '')), `${size}: ${JSON.stringify(messages)}`);
  }
  assert.deepEqual(messagesOf(ENTRIES.subarray(0, ENTRIES.indexOf('two') + 1)), ['a = b\n', 'one\n\nt\n']);
});
