import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProcessTable } from '../../src/system/proc/table.ts';
import { findProgram, mariadbProblem } from '../helpers/mariadb-programs.ts';
import { skipUnless } from '../helpers/requirement.ts';
import { containerProblem } from '../helpers/systemd-container.ts';
import { tempDir } from '../helpers/temp-dir.ts';

// A test file that cannot start what it needs fails soon, and leaves nothing: the others do not wait for it.

const LIMIT_MS = 250_000;

/** Runs a file of tests with these programs in front of the others; exit code and output, or a failure where it does not end in time. */
async function run(dir: string, file: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--test', join(import.meta.dirname, file)], {
    env: { ...env, PATH: `${dir}:${process.env.PATH}`, TMPDIR: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  return { code, output };
}

function whatRunsIn(dir: string): string[] {
  const processes = new ProcessTable().list(['argv']);
  return processes.flatMap(({ argv = [] }) => (argv.some((word) => word.includes(dir)) ? [argv.join(' ')] : []));
}

test('of two servers one cannot be initialised', { skip: skipUnless(mariadbProblem()) }, async (t) => {
  const dir = tempDir(t);
  const real = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db') ?? '';
  const script = `#!/bin/sh\nif mkdir ${dir}/first 2>/dev/null; then exec ${real} "$@"; fi\necho no room >&2; exit 1\n`;
  for (const name of ['mariadb-install-db', 'mysql_install_db']) writeFileSync(join(dir, name), script, { mode: 0o755 });
  const { code, output } = await run(dir, '../fixtures/two-servers.ts');
  assert.equal(code, 1, output);
  assert.match(output, /no room/);
  assert.deepEqual(whatRunsIn(dir), []);
});

test('a container does not come up', { skip: skipUnless(containerProblem()) }, async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'systemd-nspawn'), '#!/bin/sh\necho no such machine >&2; exit 1\n', { mode: 0o755 });
  const { code, output } = await run(dir, '../system/transient.test.ts');
  assert.equal(code, 1, output);
  assert.match(output, /no such machine/);
  assert.deepEqual(whatRunsIn(dir), []);
});
