import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../helpers/temp-dir.ts';

const script = join(import.meta.dirname, '../../.ci/link-node');

function project(dir: string): { link: () => void; node: () => string } {
  mkdirSync(join(dir, 'node_modules'));
  mkdirSync(join(dir, '.ci'));
  cpSync(script, join(dir, '.ci/link-node'));
  return {
    link: () => void execFileSync(join(dir, '.ci/link-node'), { stdio: 'pipe' }),
    node: () => execFileSync(join(dir, 'node_modules/.bin/node'), { encoding: 'utf8' }),
  };
}

test('the Node that came with the packages is linked, whatever npm made of it', (t) => {
  const dir = tempDir(t);
  const { link, node } = project(dir);
  const bin = join(dir, 'node_modules/node-linux-any/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), '#!/bin/sh\necho it\n', { mode: 0o755 });
  link();
  assert.equal(node(), 'it\n');
  link();
  assert.equal(node(), 'it\n');
});

test('if none was installed nothing is linked', (t) => {
  const { link, node } = project(tempDir(t));
  link();
  assert.throws(node, { code: 'ENOENT' });
});
