import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../helpers/temp-dir.ts';

const project = join(import.meta.dirname, '../..');

test('the license texts are those of each package and of what it holds of others, of its own dependencies none', (t) => {
  const dir = tempDir(t);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  };
  cpSync(join(project, 'node_modules/koffi'), join(dir, 'node_modules/koffi'), { recursive: true });
  write('node_modules/one/package.json', '{ "name": "one", "version": "1.2.3", "license": "MIT" }');
  write('node_modules/one/LICENSE', 'own text');
  write('node_modules/one/license.js', 'no text');
  write('node_modules/one/vendor/two/LICENSE.md', 'text of two');
  write('node_modules/one/node_modules/three/LICENSE', 'text of three');
  write('meta.json', JSON.stringify({ inputs: { 'node_modules/one/index.js': {} } }));
  execFileSync(process.execPath, [join(project, '.ci/collect-licenses'), 'meta.json', 'texts'], { cwd: dir });
  const texts = readFileSync(join(dir, 'texts'), 'utf8');
  assert.match(texts, /\none 1\.2\.3\nLicense: MIT\n\nown text\n\nvendor\/two\/LICENSE\.md in one:\n\ntext of two\n/);
  assert.doesNotMatch(texts, /no text|text of three/);
  // Its header is compiled into koffi.node.
  const [, addon = ''] = texts.split('vendor/node-addon-api/LICENSE.md in koffi:\n');
  assert.match(addon, /^\nThe MIT License \(MIT\)[\s\S]*Node\.js API collaborators[\s\S]*Permission is hereby granted/);
});
