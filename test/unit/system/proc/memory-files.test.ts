import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PIECE_BYTES } from '../../../../src/system/proc/pieces.ts';
import { ProcessTable } from '../../../../src/system/proc/table.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

/** A folder like /proc with one process; and the path of its command line. */
function oneProcess(t: TestContext) {
  const root = tempDir(t);
  mkdirSync(join(root, '1'));
  return { memory: new ProcessTable(root).memory, file: join(root, '1/cmdline') };
}

test('a file is read whole up to the limit, and distinguished from one that differs in a byte', async (t) => {
  const { memory, file } = oneProcess(t);
  const limit = 3 * PIECE_BYTES;
  for (const size of [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, limit]) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index % 251));
    writeFileSync(file, bytes);
    const whole = await memory.whole(1, 'cmdline', limit);
    assert.ok(Buffer.isBuffer(whole) && whole.equals(bytes), String(size));
    assert.equal(await memory.isStill(1, 'cmdline', bytes), true, String(size));
    assert.equal(await memory.isStill(1, 'cmdline', Buffer.concat([bytes, Buffer.of(0)])), false, String(size));
    if (size === 0) continue;
    assert.equal(await memory.isStill(1, 'cmdline', bytes.subarray(1)), false, String(size));
    assert.equal(await memory.isStill(1, 'cmdline', bytes.subarray(0, -1)), false, String(size));
    assert.equal(await memory.whole(1, 'cmdline', size - 1), 'longer', String(size));
  }
  assert.equal(await memory.whole(2, 'cmdline', limit), undefined);
  assert.equal(await memory.isStill(2, 'cmdline', Buffer.alloc(0)), false);
});

test('of what is longer than the limit nothing is kept, however often it is asked for', async (t) => {
  const { memory, file } = oneProcess(t);
  writeFileSync(file, 'first\0');
  truncateSync(file, 600 * 1024 * 1024);
  const bytesNow = (): number => process.memoryUsage().arrayBuffers;
  const before = bytesNow();
  for (let count = 0; count < 100; count++) {
    assert.equal(await memory.whole(1, 'cmdline', 2 * 1024 * 1024), 'longer');
    assert.deepEqual((await memory.withArgument([{ pid: 1 }], 'x')).having, []);
  }
  assert.ok(bytesNow() - before < 1024 * 1024, `${bytesNow() - before} bytes`);
});

test('an argument is found wherever it is in the first 128 KiB of a command line, whole and nothing else', async (t) => {
  const { memory, file } = oneProcess(t);
  const has = async (word: string): Promise<boolean> => (await memory.withArgument([{ pid: 1 }], word)).having.length > 0;
  for (const before of [0, 1, 65_536, 131_050, 131_062]) {
    const filling = before > 0 ? `${'x'.repeat(before)}\0` : '';
    for (const end of ['\0', '']) {
      writeFileSync(file, `${filling}--app=bill${end}`);
      if (filling.length + 11 <= 128 * 1024) assert.equal(await has('--app=bill'), true, `${before}`);
      for (const other of ['--app=bil', '--app=bills', 'app=bill']) assert.equal(await has(other), false, `${before} ${other}`);
    }
  }
  writeFileSync(file, `${'x'.repeat(128 * 1024)}\0--app=bill\0`);
  assert.equal(await has('--app=bill'), false);
  writeFileSync(file, `a\0${'y'.repeat(100_000)}\0b\0`);
  assert.equal(await has('y'.repeat(100_000)), true);
  assert.equal(await has('y'.repeat(99_999)), false);
});
