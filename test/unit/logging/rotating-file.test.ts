import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openRotatingFile, type RotatingFile, type RotatingFileOptions } from '../../../src/logging/rotating-file.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const asRoot = process.geteuid?.() === 0 || process.env.CI === 'true' ? false : 'needs root';

test('the name is always the live log; so many rotated ones stay, none larger than allowed by more than a line', async (t) => {
  const dir = tempDir(t);
  const file = await open(t, dir, { maxBytes: 1_000, filesToKeep: 3 });
  for (let i = 0; i < 500; i++) {
    file.write(line(i));
    assert.ok(statSync(join(dir, 'm.log')).isFile());
  }
  assert.equal(readdirSync(dir).length, 4);
  const names = readdirSync(dir);
  assert.equal(names[0], 'm.log');
  for (const name of names) assert.ok(statSync(join(dir, name)).size < 1_000 + 100, name);
  assert.ok(numbers(dir).at(-1) === 499);
  assert.deepEqual(
    numbers(dir),
    Array.from({ length: numbers(dir).length }, (_, i) => 500 - numbers(dir).length + i),
  );
});

test('a restart continues in the same file and leaves none behind', async (t) => {
  const dir = tempDir(t);
  for (let life = 0; life < 10; life++) {
    const file = await open(t, dir, { maxBytes: 1_000, filesToKeep: 2 });
    for (let i = 0; i < 4; i++) file.write(line(life * 4 + i));
    await file.close();
    assert.ok(readdirSync(dir).length <= 1 + 3, readdirSync(dir).join());
  }
  const file = await open(t, dir, { maxBytes: 1_000, filesToKeep: 2 });
  for (let i = 40; i < 80; i++) file.write(line(i));
  assert.equal(readdirSync(dir).length, 3);
  assert.equal(numbers(dir).at(-1), 79);
});

test('a file that another program rotates into the folder at that moment costs one try, and leaves nothing behind', async (t) => {
  const dir = tempDir(t);
  const opening = open(t, dir, {});
  // pino-roll, which is about to look, counts on from the highest number of any file in the folder.
  writeFileSync(join(dir, 'other.log.7.old'), '');
  await assert.rejects(opening, /in the way of its rotation/);
  assert.deepEqual(readdirSync(dir), ['other.log.7.old']);
  const file = await open(t, dir, {});
  file.write(line(1));
  assert.deepEqual(readdirSync(dir).sort(), ['m.log', 'other.log.7.old']);
});

test('nothing is lost or doubled if everything is kept', async (t) => {
  const dir = tempDir(t);
  for (let life = 0; life < 5; life++) {
    const file = await open(t, dir, { maxBytes: 500, filesToKeep: 1_000 });
    for (let i = 0; i < 100; i++) {
      file.write(line(life * 100 + i));
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    await file.close();
  }
  assert.deepEqual(
    numbers(dir),
    Array.from({ length: 500 }, (_, i) => i),
  );
});

test('what is more than is to be kept by now goes at the start', async (t) => {
  const dir = tempDir(t);
  for (const n of [2, 9, 10, 11]) writeFileSync(join(dir, `m.log.${n}.old`), '');
  await open(t, dir, { filesToKeep: 2 });
  assert.deepEqual(readdirSync(dir), ['m.log', 'm.log.10.old', 'm.log.11.old']);
});

test('nothing is kept if nothing is to be kept', async (t) => {
  const dir = tempDir(t);
  const file = await open(t, dir, { maxBytes: 300, filesToKeep: 0 });
  for (let i = 0; i < 50; i++) file.write(line(i));
  assert.deepEqual(readdirSync(dir), ['m.log']);
});

test('tail -F follows across rotations', async (t) => {
  const dir = tempDir(t);
  const file = await open(t, dir, { maxBytes: 2_000, filesToKeep: 2 });
  file.write(line(0));
  const tail = spawn('tail', ['-n', '+1', '-F', join(dir, 'm.log')], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(async () => {
    tail.kill();
    await once(tail, 'close');
  });
  let seen = '';
  tail.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  await waitFor('the first line', () => seen.includes(line(0)));
  for (let i = 1; i < 120; i++) {
    file.write(line(i));
    if (i % 10 === 0) await waitFor(`line ${i}`, () => seen.includes(line(i)));
  }
  await waitFor('the last line', () => seen.includes(line(119)));
  for (let i = 0; i < 120; i++) assert.ok(seen.includes(line(i)), `line ${i}`);
});

test("mode and group hold for each new file, whatever the umask; foreign files' numbers and names do no harm", {
  skip: asRoot,
}, async (t) => {
  const dir = tempDir(t);
  for (const name of ['other.20260101.old', 'Xorg.0.log.old', 'm.log.x.old', 'm.logs.7.old', 'm.log.1.log']) {
    writeFileSync(join(dir, name), 'x');
  }
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  writeFileSync(join(dir, 'm.log'), '', { mode: 0o666 });
  const file = await open(t, dir, { maxBytes: 300, filesToKeep: 2, mode: 0o660, gid: 54_321 });
  for (let i = 0; i < 20; i++) file.write(line(i));
  assert.equal(ours(dir).length, 3);
  for (const name of ours(dir)) {
    assert.equal(statSync(join(dir, name)).mode & 0o777, 0o660, name);
    assert.equal(statSync(join(dir, name)).gid, 54_321, name);
  }
  assert.equal(readdirSync(dir).length, 3 + 5);
});

test('a rotation that fails is reported once, the old file is written on, and a later one finds a free number', async (t) => {
  const dir = tempDir(t);
  const warnings: string[] = [];
  const file = await open(t, dir, { maxBytes: 300, filesToKeep: 50, warn: (problem) => warnings.push(problem) });
  for (const n of [1, 2, 3]) writeFileSync(join(dir, `m.log.${n}.old`), "somebody else's");
  for (let i = 0; i < 40; i++) {
    file.write(line(i));
    await new Promise(setImmediate);
  }
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(warnings[0] ?? '', /^it cannot be rotated \(EEXIST/);
  for (const n of [1, 2, 3]) assert.equal(readFileSync(join(dir, `m.log.${n}.old`), 'utf8'), "somebody else's");
  assert.ok(readdirSync(dir).includes('m.log.5.old'));
  assert.equal(file.displaced(), false);
  assert.deepEqual(
    numbers(dir),
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test('names left by a crash in the middle of a rotation or of a start are taken off', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'm.log'), `${line(0)}\n`);
  linkSync(join(dir, 'm.log'), join(dir, 'm.log.7.old'));
  const file = await open(t, dir, {});
  file.write(line(1));
  assert.deepEqual(readdirSync(dir), ['m.log']);
  assert.deepEqual(numbers(dir), [0, 1]);
});

test('a line that was cut short is ended before the next', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'm.log'), `${line(0)}\n2026-01-01 half a li`);
  const file = await open(t, dir, {});
  file.write(line(1));
  assert.equal(readFileSync(join(dir, 'm.log'), 'utf8'), `${line(0)}\n2026-01-01 half a li\n${line(1)}\n`);
});

test('a log that was moved away is noticed, one that was emptied is written on', async (t) => {
  const dir = tempDir(t);
  const file = await open(t, dir, {});
  file.write(line(0));
  assert.equal(file.displaced(), false);
  truncateSync(join(dir, 'm.log'));
  file.write(line(1));
  assert.deepEqual(numbers(dir), [1]);
  renameSync(join(dir, 'm.log'), join(dir, 'elsewhere'));
  assert.equal(file.displaced(), true);
  appendFileSync(join(dir, 'm.log'), 'new');
  assert.equal(file.displaced(), true);
});

test("root's or our own symbolic link is followed, and what it leads to is rotated there", async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'data'));
  writeFileSync(join(dir, 'data/real.log'), '');
  symlinkSync('data/real.log', join(dir, 'm.log'));
  const file = await open(t, dir, { maxBytes: 300, filesToKeep: 2 });
  for (let i = 0; i < 20; i++) file.write(line(i));
  assert.equal(readdirSync(join(dir, 'data')).length, 3);
  assert.deepEqual(readdirSync(dir), ['data', 'm.log']);
});

test('places that others can reach are refused', { skip: asRoot }, async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'victim'), 'secret');
  mkdirSync(join(dir, 'open'));
  chmodSync(join(dir, 'open'), 0o1777);
  mkdirSync(join(dir, 'theirs'));
  chownSync(join(dir, 'theirs'), 65_534, 65_534);
  await assert.rejects(open(t, join(dir, 'open'), {}), /others may write to .*open, owner user root \(0\), mode 1777/);
  await assert.rejects(open(t, join(dir, 'theirs'), {}), /theirs belongs to user nobody \(65534\), mode 0755/);
  symlinkSync('victim', join(dir, 'm.log'));
  const { lchownSync } = await import('node:fs');
  lchownSync(join(dir, 'm.log'), 65_534, 65_534);
  await assert.rejects(open(t, dir, {}), /it is a symbolic link of user 65534/);
  assert.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'secret');
});

test('what is not a file is refused, and nothing waits for it', async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'm.log'));
  await assert.rejects(open(t, dir, {}), /not a regular file/);
  await assert.rejects(openRotatingFile(options('/dev/full')), /not a regular file/);
  await assert.rejects(openRotatingFile(options(join(dir, 'none/m.log'))), /ENOENT/);
  await assert.rejects(openRotatingFile(options('/etc/passwd/m.log')), /ENOTDIR/);
});

async function open(t: TestContext, dir: string, changes: Partial<RotatingFileOptions>): Promise<RotatingFile> {
  const file = await openRotatingFile({ ...options(join(dir, 'm.log')), ...changes });
  t.after(() => file.close());
  return file;
}

function options(file: string): RotatingFileOptions {
  const warn = (problem: string): void => assert.fail(problem);
  return { file, maxBytes: 100_000, filesToKeep: 5, mode: 0o640, gid: undefined, warn };
}

function line(i: number): string {
  return `2026-01-01 00:00:00  [INFO] - line ${i} of the test ${'.'.repeat(20)}`;
}

function ours(dir: string): string[] {
  return readdirSync(dir).filter((name) => /^m\.log(\.\d+\.old)?$/.test(name) && statSync(join(dir, name)).isFile());
}

/** The numbers of the lines in all files, oldest file first. */
function numbers(dir: string): number[] {
  const age = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY);
  const text = ours(dir)
    .sort((a, b) => age(a) - age(b))
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('');
  return [...text.matchAll(/line (\d+) /g)].map((match) => Number(match[1]));
}

test('a folder that a group may write to is accepted, one below a stranger’s is not', { skip: asRoot }, async (t) => {
  const dir = tempDir(t);
  chownSync(dir, 0, 4711);
  chmodSync(dir, 0o775);
  const file = await open(t, dir, {});
  file.write('a line');
  await file.close();
  mkdirSync(join(dir, 'joes/log'), { recursive: true });
  chownSync(join(dir, 'joes'), 4711, 0);
  await assert.rejects(open(t, join(dir, 'joes/log'), {}), /joes belongs to user 4711, mode 0755/);
  assert.deepEqual(readdirSync(join(dir, 'joes/log')), []);
});

test('to a file that is not the one that was made nothing is written', async (t) => {
  const dir = tempDir(t);
  const file = await open(t, dir, {});
  file.write('a line');
  assert.throws(() => file.compare({ dev: 1, ino: 1 }), /another file was put in its place/);
  assert.throws(() => file.write('another'), /another file was put in its place/);
  assert.equal(readFileSync(join(dir, 'm.log'), 'utf8'), 'a line\n');
});
