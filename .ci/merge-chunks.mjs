// Merges chunks that are always loaded together. A bundler that splits code writes one file for each set of entries that have
// something in common: a daemon would load 42. Node takes a fifth of its start to find and link them, and its module loader
// is busy for so long that V8 loads an optimising compiler for it (5 MB of memory).
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, parse } from 'node:path';
import { build } from 'esbuild';

/**
 * Merges the chunks of a first build by esbuild (`write: false`, `metafile: true`, `splitting: true`) and writes all files.
 *
 * `options` are those of the second build. `main` is the program's source file; it stays a file of its own, because nothing may
 * import it. `groups` has source files by a group's name: a group becomes one file of all chunks that its sources import
 * statically, but for those of an earlier group. Chunks that are in no group stay files of their own. `banner` is what the first
 * build put at the start of each chunk for its `require`. Fails if two chunks of a group export different things by one name.
 */
export async function mergeChunks({ outputFiles, metafile }, { main, groups, banner, options }) {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const groupOf = groupsOf(outputs, main, groups);
  // Part of all names: a daemon that still runs after an upgrade must not load a part of the new version.
  const version = createHash('sha256').update([...texts.keys()].sort().join()).digest('hex').slice(0, 8).toUpperCase();
  const fileOf = (chunk) => {
    if (outputs.get(chunk)?.entryPoint === main) return chunk;
    return `chunks/${groupOf.get(chunk) ?? parse(chunk).name}-${version}.js`;
  };
  const membersOf = (group) => [...groupOf.keys()].filter((chunk) => groupOf.get(chunk) === group);

  const parts = {
    name: 'parts',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^(group|part):/ }, ({ path }) => {
        const [namespace, name] = path.split(':');
        return { path: name, namespace };
      });
      onResolve({ filter: /^\.\.?\// }, ({ path, kind, importer, namespace }) => {
        const [chunk, from] = [basename(path), basename(importer)];
        const isTogether = namespace === 'group' || (groupOf.has(from) && groupOf.get(chunk) === groupOf.get(from));
        if (isTogether && kind === 'import-statement') return { path: chunk, namespace: 'part' };
        const [file, inChunks] = [fileOf(chunk), fileOf(from).startsWith('chunks/')];
        return { path: inChunks ? `./${basename(file)}` : `./${file}`, external: true };
      });
      onLoad({ filter: /./, namespace: 'group' }, ({ path }) => ({
        contents: membersOf(path)
          .map((chunk) => `export * from './${chunk}';`)
          .join('\n'),
      }));
      onLoad({ filter: /./, namespace: 'part' }, ({ path }) => ({ contents: withoutUnused(texts.get(path), banner) }));
    },
  };
  const single = [...texts.keys()].filter((chunk) => !groupOf.has(chunk));
  const { outputFiles: files } = await build({
    ...options,
    bundle: true,
    write: false,
    entryPoints: [
      ...Object.keys(groups).map((group) => ({ in: `group:${group}`, out: `chunks/${group}-${version}` })),
      ...single.map((chunk) => ({ in: `part:${chunk}`, out: fileOf(chunk).replace(/\.js$/, '') })),
    ],
    plugins: [...(options.plugins ?? []), parts],
  });
  for (const group of Object.keys(groups)) {
    const { text } = files.find(({ path }) => path.endsWith(`/chunks/${group}-${version}.js`));
    checkExports(text, membersOf(group), outputs);
  }
  for (const { path, contents } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
}

/** The group of each chunk that is in one. */
function groupsOf(outputs, main, groups) {
  const chunkOf = (source) => [...outputs.keys()].find((name) => outputs.get(name).entryPoint === source);
  const groupOf = new Map();
  for (const [group, sources] of Object.entries(groups)) {
    const seen = new Set(sources.map(chunkOf));
    // A set that grows while it is gone through: what was added is reached too.
    for (const chunk of seen) {
      const { imports, entryPoint } = outputs.get(chunk);
      if (entryPoint !== main && !groupOf.has(chunk)) groupOf.set(chunk, group);
      for (const { path, kind, external } of imports) if (kind === 'import-statement' && !external) seen.add(basename(path));
    }
  }
  return groupOf;
}

/** Without the banner if nothing after it needs it. */
function withoutUnused(text, banner) {
  const rest = text.replace(banner, '');
  return /\brequire\b/.test(rest) ? text : rest;
}

/**
 * Throws if a group's file does not export all that its chunks did: of two different things by one name esbuild exports none,
 * without a word, and although its metafile says so.
 */
function checkExports(text, chunks, outputs) {
  const [, list = ''] = /export\s*\{([^{}]*)\};?\s*$/.exec(text) ?? [];
  const exported = new Set(list.split(',').map((item) => item.trim().split(' as ').pop()));
  const missing = chunks.flatMap((chunk) => outputs.get(chunk).exports).filter((name) => !exported.has(name));
  if (missing.length > 0) throw new Error(`chunks that are merged export different things by one name: ${missing.join(', ')}`);
}
