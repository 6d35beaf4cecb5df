import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { changeablePrograms } from '../../../../src/strategies/command/changeable-program.ts';
import { namedPrograms } from '../../../../src/strategies/command/named-programs.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

test('what a line certainly runs as root by its full path, and belongs to another, is reported', asRoot, (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const app = join(dir, 'app');
  mkdirSync(app);
  for (const name of ['run', 'data']) {
    writeFileSync(join(app, name), '#!/bin/sh\n');
    chmodSync(join(app, name), name === 'run' ? 0o755 : 0o644);
    chownSync(join(app, name), 4711, 0);
  }
  const told = (name: string): string[] => [`"${app}/${name}" can be changed by user 4711, and runs as root`];
  for (const line of [`${app}/run --now`, `exec nice -n 5 ${app}/run`, `cd ${app} && ./run`, `echo x; ${app}/run`])
    assert.deepEqual(changeablePrograms(namedPrograms(line)), told('run'), line);
  assert.deepEqual(changeablePrograms(namedPrograms(`sudo -u app ${app}/run; true`)), [], 'it may run as another user');
  assert.deepEqual(changeablePrograms(namedPrograms(`bash ${app}/data`)), told('data'));
  assert.deepEqual(changeablePrograms(namedPrograms(`. ${app}/data`)), told('data'));
  for (const line of [
    '/bin/sh -c true',
    // By its name, in PATH.
    'run',
    `echo ${app}/run`,
    `su app -c ${app}/run`,
    `runuser -u app -- ${app}/run`,
    `setpriv --reuid app ${app}/run`,
    `if test -x ${app}/run; then ${app}/run; fi`,
    `${app}/run || true`,
    // They fail, of which missingPrograms tells.
    `${app}/data`,
    `${app}/none`,
    `cd ${app}`,
    `${app}`,
  ])
    assert.deepEqual(changeablePrograms(namedPrograms(line)), [], line);
});
