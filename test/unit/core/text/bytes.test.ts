import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesName, parseBytes } from '../../../../src/core/text/bytes.ts';

test('bytes are read with K, M and G, which are powers of 1,024', () => {
  const read = { '0': 0, '1500': 1500, '1k': 1024, '64K': 65_536, '512M': 536_870_912, '1.5G': 1_610_612_736, '2g': 2 ** 31 };
  for (const [text, bytes] of Object.entries(read)) assert.equal(parseBytes(text), bytes, text);
  for (const text of ['', 'K', '1.5', '-1', '1 G', '1GB', '1T', '1e3', '0x10', '.5G', '1.G', '9'.repeat(16), '9999999999G'])
    assert.equal(parseBytes(text), undefined, text);
});

test('bytes are written in the largest unit of which there is a whole one', () => {
  const written = { '0': '0 bytes', '1': '1 byte', '1023': '1023 bytes', '1024': '1 KiB', '1536': '1.5 KiB' };
  for (const [bytes, name] of Object.entries(written)) assert.equal(bytesName(Number(bytes)), name);
  assert.deepEqual([bytesName(2 ** 30), bytesName(2 ** 30 * 1.24), bytesName(2 ** 52)], ['1 GiB', '1.2 GiB', '4096 TiB']);
  assert.equal(bytesName(2 ** 30 + 4096, 6), '1.000004 GiB');
  assert.deepEqual([bytesName(2 ** 30 - 4096), bytesName(2 ** 30 - 4096, 3)], ['1 GiB', '1023.996 MiB']);
});
