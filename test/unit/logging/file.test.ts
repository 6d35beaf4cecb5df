import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { LogFile } from '../../../src/logging/file.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { noTinyDisk, runOnTinyDisk } from '../../helpers/tiny-disk.ts';
import { waitFor } from '../../helpers/wait-for.ts';

test('what is written before the file is open waits for it', async (t) => {
  const { log, path, told } = create(t, tempDir(t));
  log.write('one');
  const opening = log.open();
  log.write('two');
  await opening;
  log.write('three');
  assert.equal(read(path), 'one\ntwo\nthree\n');
  assert.deepEqual(told, []);
});

test('what waits is written at the end, though nobody opened the file', async (t) => {
  const { log, path } = create(t, tempDir(t));
  log.write('one');
  await log.close();
  log.write('too late');
  assert.equal(read(path), 'one\n');
});

test('a folder that is not there: one complaint, and all lines once it is', async (t) => {
  const dir = join(tempDir(t), 'sub');
  const { log, path, told } = create(t, dir);
  await log.open();
  log.write('one');
  await log.open();
  log.write('two');
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^error Log file .*: it cannot be written \(ENOENT.*\), continuing without it$/);
  mkdirSync(dir);
  await waitFor('another try', () => read(path) === 'one\ntwo\n');
  assert.match(told[1] ?? '', /^info Log file .* can be written again$/);
  assert.equal(told.length, 2);
});

test('a folder that is deleted under it, and one that is not a folder any more', async (t) => {
  const dir = join(tempDir(t), 'sub');
  mkdirSync(dir);
  const { log, path, told } = create(t, dir);
  await log.open();
  log.write('one');
  rmSync(dir, { recursive: true });
  writeFileSync(dir, '');
  await waitFor('the complaint', () => {
    log.write('two');
    return told.length > 0;
  });
  rmSync(dir);
  mkdirSync(dir);
  await waitFor('another try', () => read(path).includes('two'));
  assert.equal(told.length, 2);
});

test('what waits is bounded, and what was lost is reported', async (t) => {
  const dir = join(tempDir(t), 'sub');
  const { log, path } = create(t, dir);
  for (let i = 0; i < 1_000; i++) log.write(`${i} ${'x'.repeat(1_000)}`);
  mkdirSync(dir);
  await log.close();
  const lines = read(path).trim().split('\n');
  assert.ok(lines.length < 300);
  assert.ok(lines.at(-2)?.startsWith('999 '));
  assert.equal(lines.at(-1), `warning ${1_000 - (lines.length - 1)} lines of this log were lost while it could not be written`);
});

test('one line that was lost is reported as one', async (t) => {
  const { log, path } = create(t, tempDir(t));
  for (let i = 0; i < 2; i++) log.write(`${i} ${'x'.repeat(200_000)}`);
  await log.close();
  assert.match(read(path), /^1 x+\nwarning 1 line of this log was lost while it could not be written\n$/);
});

test('after logrotate moved the file the next lines are in a new one', async (t) => {
  const dir = tempDir(t);
  const { log, path, told } = create(t, dir);
  await log.open();
  log.write('one');
  renameSync(path, `${path}-20260101`);
  await waitFor('a new file', () => {
    log.write('two');
    return read(path).includes('two');
  });
  assert.match(read(`${path}-20260101`), /^one\n(two\n)*$/);
  assert.deepEqual(told, []);
});

test('a full disk: one complaint, no waiting, and writing continues once there is room', { skip: noTinyDisk }, (t) => {
  const script = join(import.meta.dirname, '../../fixtures/logging/full-disk.ts');
  assert.deepEqual(runOnTinyDisk(script, tempDir(t), '1m'), {
    complaints: ['Log file /m.log: it cannot be written (ENOSPC: no space left on device, write), continuing without it'],
    toldAgain: true,
    lossTold: true,
    after: true,
    whole: true,
    onStdout: 5_002,
    slow: false,
  });
});

function create(t: TestContext, dir: string) {
  const told: string[] = [];
  const path = join(dir, 'm.log');
  const log = new LogFile({
    file: path,
    maxBytes: 1_000_000,
    filesToKeep: 2,
    mode: 0o640,
    gid: undefined,
    clock: systemClock,
    format: (level, message) => `${level} ${message}`,
    report: (level, message) => told.push(`${level} ${message}`),
  });
  t.after(() => log.close());
  return { log, path, told };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
