import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { loadConfigText } from '../../src/config/config-file.ts';
import { systemClock } from '../../src/core/clock.ts';
import { formatProblem } from '../../src/core/errors.ts';
import type { CheckParts, CheckTarget, Reading } from '../../src/detectors/checks/check.ts';
import { logCheck } from '../../src/detectors/checks/types/log.ts';
import { Worker } from '../../src/probes/worker/client.ts';
import { workerProgram } from '../../src/probes/worker/program.ts';
import { directStarter } from '../../src/probes/worker/start-direct.ts';
import { FileHelpers } from '../../src/system/helpers/file-helpers.ts';
import { asRoot } from '../helpers/requirement.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { never } from '../helpers/worker-world.ts';

// `type = log` with real files, read by real programs and matched in a real worker.

let worker: Worker;
before(() => {
  worker = new Worker({ start: directStarter(workerProgram()), clock: systemClock, onTrouble: assert.fail });
});
after(() => worker.stop());

function parsed(keys: string) {
  const document = loadConfigText('f', `[check.x]\n${keys}`);
  const check = { name: 'x', processName: undefined, systemName: 'x' };
  const options = logCheck.parse(document.member('check', 'x'), check);
  return { options, check, problems: document.problems.map((problem) => formatProblem(document.file, problem)) };
}

function logWith(keys: string): CheckTarget {
  const { options, check, problems } = parsed(keys);
  assert.deepEqual(problems, []);
  assert(options !== undefined);
  const files = new FileHelpers(systemClock);
  return logCheck.create(options, check, { clock: systemClock, files, worker } as unknown as CheckParts);
}

/** A log that does not exist yet, and a check of it for the word ERROR; `look`: one look in a line. */
function errorLog(t: TestContext, more = '') {
  const dir = tempDir(t);
  const path = join(dir, 'app.log');
  const target = logWith(`path = ${path}\npattern = /ERROR/${more}`);
  return { dir, path, target, look: async () => words(await target.look(120_000, never)) };
}

function words(reading: Reading): string {
  if (reading.kind === 'ok') return 'ok';
  const event = reading.kind === 'failing' && reading.isEvent ? ' (event)' : '';
  return `${reading.kind}${event}: ${reading.reason.replaceAll(/"\/[^"]*\/([^"/]*)"/g, '$1')}`;
}

const one = (line: string): string => `failing (event): 1 new line matches /ERROR/ (expected at most 0): ${line}`;

test('only new lines count, once they are whole', async (t) => {
  const { path, look, target } = errorLog(t);
  writeFileSync(path, 'ERROR of yesterday\n');
  assert.equal(await look(), 'ok');
  appendFileSync(path, 'fine\nERROR a');
  assert.equal(await look(), 'ok');
  appendFileSync(path, ' b\nfine\n');
  assert.equal(words(await target.look(120_000, never, true)), one('ERROR a b'), 'a look aside leaves it for the next');
  assert.deepEqual([await look(), await look()], [one('ERROR a b'), 'ok']);
  appendFileSync(path, 'ERROR 1\nERROR \u001b[31m2\u0007\n');
  const reason = '2 new lines match /ERROR/ (expected at most 0): ERROR ?[31m2?';
  assert.equal(await look(), `failing (event): ${reason}`);
});

test('a log that comes into being is read from its beginning', async (t) => {
  const { path, look } = errorLog(t);
  assert.equal(await look(), 'unknown: app.log does not exist');
  writeFileSync(path, 'ERROR at once\n');
  assert.deepEqual([await look(), await look()], [one('ERROR at once'), 'ok']);
});

test('rotation loses no line: what was written before it, and what after', async (t) => {
  const { path, look } = errorLog(t);
  writeFileSync(path, 'begin\n');
  assert.equal(await look(), 'ok');
  appendFileSync(path, 'ERROR before\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'fine\n');
  assert.deepEqual([await look(), await look()], [one('ERROR before'), 'ok']);
  renameSync(path, `${path}.2`);
  assert.equal(await look(), 'unknown: app.log does not exist');
  appendFileSync(`${path}.2`, 'ERROR late');
  writeFileSync(path, '');
  assert.deepEqual([await look(), await look()], [one('ERROR late'), 'ok']);
});

test('truncated, or copied and truncated, it is read from its beginning', async (t) => {
  const { path, look } = errorLog(t);
  writeFileSync(path, 'a line\nanother\n');
  assert.equal(await look(), 'ok');
  truncateSync(path);
  appendFileSync(path, 'ERROR 1\n');
  assert.deepEqual([await look(), await look()], [one('ERROR 1'), 'ok']);
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
  // It is longer than before by the time of the next look.
  appendFileSync(path, 'ERROR 2, and a long line after it\n');
  assert.deepEqual([await look(), await look()], [one('ERROR 2, and a long line after it'), 'ok']);
  unlinkSync(path);
  mkdirSync(path);
  assert.equal(await look(), 'unknown: app.log is not a regular file');
});

test('max lines may match, and long ones are cut', async (t) => {
  const { path, look } = errorLog(t, '\nmax = 2');
  writeFileSync(path, '');
  assert.equal(await look(), 'ok');
  appendFileSync(path, 'ERROR\nERROR\n');
  assert.equal(await look(), 'ok');
  appendFileSync(path, `${'x'.repeat(9000)}ERROR\nERROR\nERROR\n`);
  assert.equal(await look(), 'ok', 'beyond 8 KiB of a line nothing is read');
  appendFileSync(path, `${`${'x'.repeat(1000)}\n`.repeat(1500)}ERROR 1\nERROR 2\nERROR 3\n`);
  assert.equal(await look(), 'ok', 'the first MiB');
  assert.match(await look(), /^failing \(event\): 3 new lines match \/ERROR\/ \(expected at most 2\): ERROR 3$/);
});

test('a line without end does not stop it', async (t) => {
  const { path, look } = errorLog(t);
  writeFileSync(path, '');
  assert.equal(await look(), 'ok');
  appendFileSync(path, 'a line\n');
  assert.equal(await look(), 'ok');
  appendFileSync(path, `${'\0'.repeat(3 * 1024 * 1024)}\nERROR after it\n`);
  for (let looks = 0; looks < 3; looks++) assert.equal(await look(), 'ok');
  assert.equal(await look(), one('ERROR after it'));
});

test('a link to what only root may read is not followed, to what everybody may read it is', asRoot, async (t) => {
  const { dir, path, look } = errorLog(t);
  const [secret, open] = [join(dir, 'secret'), join(dir, 'open')];
  writeFileSync(secret, 'ERROR is a password\n', { mode: 0o600 });
  writeFileSync(open, 'ERROR is none\n', { mode: 0o644 });
  writeFileSync(path, 'begin\n');
  assert.equal(await look(), 'ok');
  unlinkSync(path);
  symlinkSync(secret, path);
  assert.equal(
    await look(),
    'unknown: app.log is reached through a link, and not everybody may read it (name the file itself)',
  );
  unlinkSync(path);
  symlinkSync(open, path);
  assert.equal(await look(), one('ERROR is none'));
});

test('an expression that takes too long is unknown, and what it was to match is not matched again', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'app.log');
  writeFileSync(path, '');
  const target = logWith(`path = ${path}\npattern = /^(a+)+$/`);
  assert.equal(words(await target.look(120_000, never)), 'ok');
  appendFileSync(path, `${'a'.repeat(50)}b\n`);
  assert.equal(words(await target.look(120_000, never)), 'unknown: matching the lines against /^(a+)+$/ takes too long');
  assert.equal(words(await target.look(120_000, never)), 'ok');
});

test('what is wrong with its keys is said', () => {
  assert.deepEqual(parsed('pattern = /x/').problems, [
    'f:1: [check.x] path: is missing: type = log needs a path or journal = UNIT',
  ]);
  assert.deepEqual(parsed('path = x.log\npattern = x').problems, [
    'f:2: [check.x] path: invalid value "x.log", expected an absolute path',
  ]);
  assert.deepEqual(parsed('path = /x.log\npattern = x').problems, [
    'f:3: [check.x] pattern: invalid value, expected /EXPRESSION/',
  ]);
  assert.deepEqual(parsed('path = /x.log\njournal = nginx\npattern = /(/').problems.length, 2);
  assert.deepEqual(parsed('journal = nginx\npattern = /x/i').options?.from, { unit: 'nginx.service' });
});
