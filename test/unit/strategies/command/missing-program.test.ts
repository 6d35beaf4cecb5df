import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingPrograms } from '../../../../src/strategies/command/missing-program.ts';
import { namedPrograms } from '../../../../src/strategies/command/named-programs.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('a program, a script or a folder that is missing, or cannot be used, is reported with what was expected', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'bin');
  mkdirSync(path);
  for (const [name, mode] of [
    ['app', 0o755],
    ['data', 0o644],
  ] as const) {
    writeFileSync(join(path, name), '#!/bin/sh\n');
    chmodSync(join(path, name), mode);
  }
  symlinkSync('/nowhere', join(path, 'dangling'));
  symlinkSync('app', join(path, 'linked'));
  const told = (line: string): string[] => missingPrograms(namedPrograms(line), `${path}:relative:`);
  for (const line of [
    'app',
    'linked x',
    `${path}/app`,
    `cd ${path} && ./app`,
    `. ${path}/data`,
    `cd ${path}; true`,
    'true',
    '$X',
  ])
    assert.deepEqual(told(line), [], line);
  assert.deepEqual(told('exec /no/such'), ['"/no/such" is not there (expected a program)']);
  assert.deepEqual(told(`${path}/dangling`), [`"${path}/dangling" is not there (expected a program)`]);
  assert.deepEqual(told(`${path}/data x`), [`"${path}/data" cannot be executed (expected a program, got mode 0644)`]);
  assert.deepEqual(told(path), [`"${path}" is a folder (expected a program)`]);
  for (const name of ['nosuch', 'data'])
    assert.deepEqual(told(name), [`"${name}" is not found (expected a program in one of ${path}:relative:)`]);
  assert.deepEqual(told('cd /no/such && /no/more'), [
    '"/no/such" is not there (expected a folder, to cd to)',
    '"/no/more" is not there (expected a program)',
  ]);
  assert.deepEqual(told(`cd ${path}/app`), [`"${path}/app" is not a folder (expected one, to cd to)`]);
  assert.deepEqual(told(`. ${path}/none`), [`"${path}/none" is not there (expected a file to run)`]);
});

test('what cannot be examined is not reported', () => {
  // Links of /proc are not followed.
  assert.deepEqual(missingPrograms(namedPrograms('/proc/self/root/no/such')), []);
  assert.deepEqual(missingPrograms(namedPrograms(`/${'x'.repeat(5000)}`)), []);
});
