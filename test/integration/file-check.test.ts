import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfigText } from '../../src/config/config-file.ts';
import { systemClock } from '../../src/core/clock.ts';
import { formatProblem } from '../../src/core/errors.ts';
import type { CheckParts, CheckTarget, Reading } from '../../src/detectors/checks/check.ts';
import { fileCheck } from '../../src/detectors/checks/types/file.ts';
import { FileHelpers } from '../../src/system/helpers/file-helpers.ts';
import { asRoot } from '../helpers/requirement.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { never } from '../helpers/worker-world.ts';

// `type = file` with real files, looked at by real programs.

function parsed(keys: string) {
  const document = loadConfigText('f', `[check.x]\n${keys}`);
  const check = { name: 'x', processName: undefined, systemName: 'x' };
  const options = fileCheck.parse(document.member('check', 'x'), check);
  return { options, check, problems: document.problems.map((problem) => formatProblem(document.file, problem)) };
}

function fileWith(keys: string): CheckTarget {
  const { options, check, problems } = parsed(keys);
  assert.deepEqual(problems, []);
  assert(options !== undefined);
  return fileCheck.create(options, check, { clock: systemClock, files: new FileHelpers(systemClock) } as CheckParts);
}

async function look(target: CheckTarget): Promise<string> {
  return words(await target.look(60_000, never));
}

function words(reading: Reading): string {
  if (reading.kind === 'ok') return 'ok';
  const event = reading.kind === 'failing' && reading.isEvent ? ' (event)' : '';
  return `${reading.kind}${event}: ${reading.reason.replaceAll(/"\/[^"]*\/([^"/]*)"/g, '$1')}`;
}

test('a file that has to be there, or must not', async (t) => {
  const path = join(tempDir(t), 'a file');
  const [there, gone] = [fileWith(`path = ${path}`), fileWith(`path = ${path}\nexists = false`)];
  assert.deepEqual([await look(there), await look(gone)], ['failing: a file does not exist', 'ok']);
  writeFileSync(path, '');
  assert.deepEqual([await look(there), await look(gone)], ['ok', 'failing: a file exists (expected that it does not)']);
  assert.equal(await look(fileWith(`path = ${path}/below`)), 'failing: below does not exist');
});

test('age, size, mode, owner and digest', asRoot, async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'link');
  const real = join(dir, 'real');
  writeFileSync(real, 'hello');
  symlinkSync(real, path);
  chmodSync(real, 0o640);
  chownSync(real, 65_534, 0);
  utimesSync(real, new Date(), new Date(Date.now() - 7_200_000));
  const digest = createHash('sha256').update('hello').digest('hex');
  const well = `max_age = 9000\nmin_size = 5\nmax_size = 5\nmode = 0640\nowner = nobody:root\nsha256 = ${digest}`;
  assert.equal(await look(fileWith(`path = ${path}\n${well}`)), 'ok');
  assert.equal(await look(fileWith(`path = ${path}\nowner = 65534`)), 'ok');
  const small = await look(fileWith(`path = ${path}\nmin_size = 6`));
  assert.equal(small, 'failing: link has 5 bytes (expected at least 6 bytes)');
  const ill = `max_age = 3600\nmax_size = 4\nmode = 600\nowner = root\nsha256 = ${'0'.repeat(64)}`;
  assert.equal(
    await look(fileWith(`path = ${path}\n${ill}`)),
    'failing: link was written 2 h ago (expected at most 3600 s); ' +
      'has 5 bytes (expected at most 4 bytes); has mode 0640 (expected 0600); belongs to nobody:root (expected root); ' +
      'has another SHA-256 digest than expected',
  );
});

test('a change is an event, compared with the look before', async (t) => {
  const path = join(tempDir(t), 'watched');
  writeFileSync(path, 'one');
  chmodSync(path, 0o644);
  const target = fileWith(`path = ${path}\nchanged = true`);
  assert.deepEqual([await look(target), await look(target)], ['ok', 'ok']);
  writeFileSync(path, 'two');
  assert.equal(words(await target.look(60_000, never, true)), 'failing (event): watched has changed: content', 'aside');
  assert.deepEqual([await look(target), await look(target)], ['failing (event): watched has changed: content', 'ok']);
  chmodSync(path, 0o600);
  assert.equal(await look(target), 'failing (event): watched has changed: mode');
  unlinkSync(path);
  assert.equal(await look(target), 'failing: watched does not exist');
  mkdirSync(path);
  assert.equal(await look(target), 'unknown: watched is not a regular file');
});

test('what is wrong with its keys is said', () => {
  assert.deepEqual(parsed('').problems, ['f:1: [check.x] path: is missing: type = file needs a path']);
  assert.deepEqual(parsed('path = etc\nmode = 9\nowner = a b\nsha256 = x\nmin_size = 5X').problems, [
    'f:2: [check.x] path: invalid value "etc", expected an absolute path',
    'f:3: [check.x] mode: invalid value "9", expected an octal number, such as 0644',
    'f:4: [check.x] owner: invalid value "a b", expected USER or USER:GROUP',
    'f:5: [check.x] sha256: invalid value "x", expected 64 hexadecimal digits',
    'f:6: [check.x] min_size: invalid value "5X", expected bytes, such as 0, 64K, 512M or 1.5G',
  ]);
  assert.deepEqual(parsed('path = /x\nmin_size = 5M\nmax_size = 1M').problems, [
    'f:4: [check.x] max_size: invalid value "1M", expected at least min_size (5M)',
  ]);
  assert.deepEqual(parsed('path = /etc\nexists = false\nmode = 644').problems, [
    'f:4: [check.x] mode: has no effect with exists = false',
  ]);
});

test('a file that takes too long to read holds up no other, and says nothing about its filesystem', async (t) => {
  const dir = tempDir(t);
  const [huge, small] = [join(dir, 'huge'), join(dir, 'small')];
  writeFileSync(huge, '');
  // A hole: it takes no space.
  truncateSync(huge, 2 ** 42);
  writeFileSync(small, '');
  const files = new FileHelpers(systemClock);
  const of = (keys: string): CheckTarget => {
    const { options, check } = parsed(keys);
    assert(options !== undefined);
    return fileCheck.create(options, check, { clock: systemClock, files } as CheckParts);
  };
  const slow = [of(`path = ${huge}\nchanged = true`), of(`path = ${huge}\nsha256 = ${'0'.repeat(64)}`)].map((target) =>
    target.look(3000, never),
  );
  assert.equal(await look(of(`path = ${small}`)), 'ok');
  for (const reading of await Promise.all(slow))
    assert.match(words(reading), /^unknown: (huge was not read within|too many files)/);
  assert.equal(await look(of(`path = ${small}`)), 'ok', 'at once after it');
});
