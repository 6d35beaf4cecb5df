import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock, readHolder } from '../../../src/state/lock.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

test('one holder at a time, who is named, and a release that frees it', (t) => {
  const dir = tempDir(t);
  assert.equal(readHolder(dir), undefined);
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: process.pid });
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: process.pid }, 'a refused starter must not free it');
  assert.equal(readHolder(dir), process.pid);
  lock.release();
  assert.equal(readHolder(dir), undefined);
  assert.deepEqual(readdirSync(dir), ['daemon.lock']);
  const next = acquireLock(dir);
  assert.ok(next.kind === 'acquired');
  next.release();
});

test('a pid file left by a crash names nobody, though its number lives', (t) => {
  const dir = tempDir(t);
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  for (const content of ['', '1', `${process.pid} 1 ${bootId}`, `4194305 5 ${bootId}`, '../1 x y', '\u0000', '1 '.repeat(9)]) {
    writeFileSync(join(dir, 'daemon.pid'), content);
    assert.equal(readHolder(dir), undefined, content);
  }
});

test('a holder that could not write itself down still holds', (t) => {
  const dir = tempDir(t);
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  writeFileSync(join(dir, 'daemon.pid'), 'garbage');
  assert.deepEqual(acquireLock(dir), { kind: 'held', pid: undefined });
  lock.release();
});

test('a lock file with garbage in it is emptied', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'daemon.lock'), 'garbage '.repeat(1_000), { mode: 0o600 });
  const lock = acquireLock(dir);
  assert.ok(lock.kind === 'acquired');
  assert.equal(acquireLock(dir).kind, 'held');
  lock.release();
});
