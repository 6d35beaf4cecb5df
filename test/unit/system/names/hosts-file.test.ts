import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addressesInHosts } from '../../../../src/system/names/hosts-file.ts';
import { longestStall } from '../../../helpers/loop-stall.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

function hosts(t: TestContext, text: string | Buffer): (name: string) => Promise<string[]> {
  const file = join(tempDir(t), 'hosts');
  writeFileSync(file, text);
  return async (name) => (await addressesInHosts(name, file)).map(({ address }) => address);
}

test('names and aliases, of both families, from all lines', async (t) => {
  const find = hosts(
    t,
    '127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n192.0.2.1  DB1.example.test db1 # the old one\n' +
      '2001:db8::1 db1\n192.0.2.1 db1 again\nfe80::7%eth0 printer\n',
  );
  assert.deepEqual(await find('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(await find('ip6-localhost'), ['::1']);
  assert.deepEqual(await find('db1.example.test'), ['192.0.2.1'], 'whatever letters it is written in');
  assert.deepEqual(await find('db1'), ['192.0.2.1', '2001:db8::1', '192.0.2.1']);
  assert.deepEqual(await find('printer'), ['fe80::7%eth0']);
});

test('only whole names count, and nothing of a comment', async (t) => {
  const find = hosts(t, '192.0.2.1 mydb1 db1x db1.x #db1\n# 192.0.2.2 db1\n192.0.2.3#db1\n192.0.2.4 db2.\n');
  assert.deepEqual(await find('db1'), []);
  assert.deepEqual(await find('192.0.2.1'), [], 'an address is no name');
  assert.deepEqual(await find('db2'), ['192.0.2.4']);
});

test('lines that are not valid, line ends of Windows, no end at all', async (t) => {
  const junk = Buffer.concat([
    Buffer.from('db1\nnot.an.address db1\n192.0.2.300 db1\n\n   \n192.0.2.1\n'),
    Buffer.from([0, 1, 255, 254, 10]),
    Buffer.from('192.0.2.2 db1\r\n  192.0.2.3\t db1'),
  ]);
  assert.deepEqual(await hosts(t, junk)('db1'), ['192.0.2.2', '192.0.2.3']);
});

test('a path that is missing, is not a file, or never answers delays nobody', async (t) => {
  const dir = tempDir(t);
  assert.deepEqual(await addressesInHosts('db1', join(dir, 'none')), []);
  assert.deepEqual(await addressesInHosts('db1', dir), []);
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  assert.deepEqual(await addressesInHosts('db1', join(dir, 'fifo')), []);
});

test('10 MB of blocked names, and lines without end, do not hold the loop up', async (t) => {
  const blocked = Array.from({ length: 330_000 }, (_, i) => `0.0.0.0 ads${i}.tracker.example\n`).join('');
  assert.ok(blocked.length > 10_000_000);
  const find = hosts(t, `192.0.2.1 first.test\n${'x'.repeat(300_000)} db1\n${blocked}192.0.2.2 last.test\n`);
  const { result, stallMs } = await longestStall(() => find('first.test'));
  assert.deepEqual(result, ['192.0.2.1']);
  assert.ok(stallMs < 60, `the loop stood still for ${stallMs} ms`);
  assert.deepEqual(await find('last.test'), ['192.0.2.2']);
  assert.deepEqual(await find('ads329999.tracker.example'), ['0.0.0.0']);
  assert.deepEqual(await find('db1'), []);
});

test('a line that two pieces share is whole, and more than the bound is not read', async (t) => {
  const line = '192.0.2.1 filler.test\n';
  const before = line.repeat(Math.ceil((64 * 1024) / line.length) - 1);
  const find = hosts(t, `${before}192.0.2.2 between.test\n${'# \n'.repeat(6_000_000)}192.0.2.3 beyond.test\n`);
  assert.deepEqual(await find('between.test'), ['192.0.2.2']);
  assert.deepEqual(await find('beyond.test'), []);
});
