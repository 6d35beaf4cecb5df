import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';

// What stands in the bundle for packages that are left out of it (.ci/left-out): that nothing of them is missed.

const root = join(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);
const standIn = (name: string) => require(join(root, '.ci/left-out', `${name}.cjs`));
const installed = (file: string) => require(join(root, 'node_modules', file));

interface Iconv {
  getDecoder(encoding: string): { write(bytes: Buffer): string; end(): string | undefined };
}

/** Every encoding that mysql2 has a name for, and Node itself does not read. */
const encodings = new Set<string>(
  installed('mysql2/lib/constants/charset_encodings.js').filter((name: string) => name && !Buffer.isEncoding(name)),
);

describe("what stands for iconv-lite's tables", () => {
  const read = (iconv: Iconv, encoding: string, bytes: Buffer): string => {
    const decoder = iconv.getDecoder(encoding);
    return decoder.write(bytes) + (decoder.end() ?? '');
  };

  it('reads ASCII in every character set of MySQL that is written in bytes', () => {
    const text = 'Rows matched: 1  Changed: 1  Warnings: 0';
    assert.ok(encodings.size > 25);
    for (const encoding of encodings) {
      if (!encoding.startsWith('utf')) assert.equal(read(standIn('iconv-lite'), encoding, Buffer.from(text)), text, encoding);
    }
  });

  it('reads letters as iconv-lite does', () => {
    const samples = {
      latin2: 'Zażółć',
      cp1250: 'žluťoučký',
      cp1251: 'процесс',
      koi8r: 'процесс',
      greek: 'Ωμέγα',
      hebrew: 'תהליך',
      gbk: '磁盘已满',
      big5: '磁碟',
      sjis: 'プロセス',
      eucjp: 'プロセス',
      euckr: '프로세스',
      tis620: 'กระบวน',
      latin5: 'süreç',
      latin7: 'ąčęė',
      cp1257: 'ąčęė',
      cp1256: 'عملية',
      koi8u: 'процес',
      gb18030: '磁盘',
    };
    const iconv = installed('iconv-lite');
    for (const [encoding, text] of Object.entries(samples)) {
      assert.ok(encodings.has(encoding), encoding);
      const bytes = iconv.encode(text, encoding);
      assert.equal(read(iconv, encoding, bytes), text, encoding);
      assert.equal(read(standIn('iconv-lite'), encoding, bytes), text, encoding);
    }
  });

  it('makes no letter of what it cannot read', () => {
    assert.equal(read(standIn('iconv-lite'), 'cp850', Buffer.from('caf\u0082', 'latin1')), 'caf\ufffd');
    assert.equal(read(standIn('iconv-lite'), 'dec8', Buffer.from('caf\u00e9', 'latin1')), 'caf\ufffd');
  });
});

describe("what stands for mysql2's table of errors", () => {
  it('holds the same', async () => {
    const { lazyTable } = (await import(join(root, '.ci/lazy-table.mjs'))) as { lazyTable(table: object): string };
    const table = installed('mysql2/lib/constants/errors.js') as Record<string, string | number>;
    const module = { exports: {} as Record<string, unknown> };
    runInNewContext(lazyTable(table), { module });
    assert.ok(Object.keys(table).length > 3000);
    for (const [key, value] of Object.entries(table)) assert.equal(module.exports[key], value, key);
    assert.equal(module.exports['99999'], undefined);
    assert.equal(module.exports.NO_SUCH_ERROR, undefined);
  });
});

describe('what stands for date-fns', () => {
  it('has a name for all that pino-roll takes of it, and pino-roll takes it for frequencies and dates alone', () => {
    const source = readFileSync(join(root, 'node_modules/pino-roll/lib/utils.js'), 'utf8');
    const taken = /const \{([^}]*)\} = require\('date-fns'\)/
      .exec(source)?.[1]
      ?.split(',')
      .map((name) => name.trim());
    assert.deepEqual(Object.keys(standIn('date-fns')).sort(), taken?.sort());
    const ours = readFileSync(join(root, 'src/logging/rotating-file.ts'), 'utf8');
    assert.doesNotMatch(ours, /frequency:|dateFormat:/);
  });
});

describe("what stands for Node's own modules", () => {
  it('is the module, from its first use on', () => {
    const [tls, zlib] = [process.getBuiltinModule('node:tls'), process.getBuiltinModule('node:zlib')];
    assert.equal(standIn('tls').connect, tls.connect);
    assert.equal(standIn('tls').TLSSocket, tls.TLSSocket);
    assert.equal(standIn('zlib').inflateSync, zlib.inflateSync);
  });

  it('says of worker_threads what pino asks, and pino asks nothing else', () => {
    const source = readFileSync(join(root, 'node_modules/pino/lib/tools.js'), 'utf8');
    assert.match(source, /const \{ isMainThread \} = require\('worker_threads'\)/);
    assert.deepEqual(standIn('worker_threads'), { isMainThread: true });
  });
});
