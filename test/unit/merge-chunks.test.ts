import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { build } from 'esbuild';

// The second half of the bundler (.ci/merge-chunks.mjs): chunks that are always loaded together become one file.

const { mergeChunks } = await import(join(import.meta.dirname, '../../.ci/merge-chunks.mjs'));

/** A program that counts in one module, of which the client, the daemon and a part that is loaded later all must see the same. */
const PROGRAM = {
  'main.js':
    "import { next } from './count.js'; next(); const { run } = await import('./daemon.js'); console.log(await run());",
  'count.js': 'let n = 0; export const next = () => ++n;',
  'words.js': "export const words = () => 'counted';",
  'daemon.js': `import { next } from './count.js'; import { words } from './words.js'; import { own } from './own.js';
    next(); export const run = async () => { const { later } = await import('./later.js'); return own(words() + ' ' + later()); };`,
  'own.js': 'export const own = (text) => text;',
  'later.js':
    "import { next } from './count.js'; import { words } from './words.js'; export const later = () => next() + words().length;",
};

describe('chunks that are loaded together', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'merge-chunks-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const bundle = async (files: Readonly<Record<string, string>>): Promise<void> => {
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const banner = 'const require = undefined;';
    const options = {
      absWorkingDir: dir,
      outdir: join(dir, 'dist'),
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
    } as const;
    const built = await build({
      ...options,
      entryPoints: ['main.js'],
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      write: false,
      metafile: true,
      banner: { js: banner },
    });
    await mergeChunks(built, { main: 'main.js', groups: { client: ['main.js'], daemon: ['daemon.js'] }, banner, options });
  };
  const chunks = (): string[] => readdirSync(join(dir, 'dist/chunks'));

  it('become one file for each group, and each module is still evaluated once', async () => {
    await bundle(PROGRAM);
    assert.equal(execFileSync(process.execPath, [join(dir, 'dist/main.js')], { encoding: 'utf8' }), 'counted 10\n');
    const kinds = chunks().map((file) => file.replace(/-.*/, ''));
    assert.deepEqual(kinds.sort(), ['client', 'daemon', 'later']);
  });

  it('have other names, all of them, after any change', async () => {
    await bundle(PROGRAM);
    const before = chunks();
    rmSync(join(dir, 'dist'), { recursive: true });
    await bundle({ ...PROGRAM, 'count.js': 'let n = 0; export const next = () => (n += 2);' });
    assert.deepEqual(
      chunks().filter((file) => before.includes(file)),
      [],
    );
  });

  it('are refused if two of them export different things by one name', async () => {
    const clash = { ...PROGRAM, 'own.js': 'export const own = (text) => text; export const words = 1;' };
    const later = `${PROGRAM['later.js']} export const two = async () => (await import('./own.js')).words;`;
    await assert.rejects(bundle({ ...clash, 'later.js': later }), /export different things by one name: words/);
  });
});
