import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ConfigDocument } from '../../../src/config/config-document.ts';
import { configPath, loadConfigFile } from '../../../src/config/config-file.ts';
import { type FileAccess, folderProblems, permissionProblems, secretProblems } from '../../../src/config/file-permissions.ts';
import type { SectionReader } from '../../../src/core/config.ts';
import { ConfigError, formatProblem } from '../../../src/core/errors.ts';
import { asRoot } from '../../helpers/requirement.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

describe('configPath', () => {
  const installed = '/opt/monitor_service/config.ini';
  const only =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path);

  it('takes --config, then the environment, then the installed file', () => {
    const env = { MONITOR_SERVICE_CONFIG: '/env.ini' };
    assert.equal(configPath('/option.ini', env, true), '/option.ini');
    assert.equal(configPath(undefined, env, true), '/env.ini');
    assert.equal(configPath(undefined, { MONITOR_SERVICE_CONFIG: '' }, true), installed);
    assert.equal(configPath(undefined, {}, false, only(installed, './config.ini')), installed);
  });

  it('takes ./config.ini last, and never for root', () => {
    assert.equal(configPath(undefined, {}, false, only('./config.ini')), './config.ini');
    assert.equal(configPath(undefined, {}, true, only('./config.ini')), installed);
    assert.equal(configPath(undefined, {}, false, only()), installed);
  });
});

describe('loadConfigFile', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-file-test-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const us = process.geteuid?.() ?? 0;
  const write = (name: string, content: string | Buffer, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const refusal = (path: string): string => {
    try {
      loadConfigFile(path, us);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 1);
      return error.message.replace(path, 'FILE');
    }
    return assert.fail('not refused');
  };

  it('reads a file', () => {
    const document = loadConfigFile(write('good.ini', '\ufeff[monitor]\r\nmode = observe\r\n'), us);
    assert.equal(document.section('monitor').text('mode'), 'observe');
    assert.deepEqual(document.finish(), []);
  });

  it('refuses what is not a readable text file of a sane size, with one problem', () => {
    assert.equal(refusal(join(folder, 'none.ini')), 'FILE: cannot be read: there is no such file');
    mkdirSync(join(folder, 'dir.ini'));
    assert.equal(refusal(join(folder, 'dir.ini')), 'FILE: is not a regular file');
    assert.equal(
      refusal(write('large.ini', Buffer.alloc(1024 * 1024 + 1, '\n'))),
      'FILE: is too large (expected at most 1 MiB)',
    );
    assert.equal(
      refusal(write('latin.ini', Buffer.from('[monitor]\n\n# b\u0103z\u0103 caf\xe9\n'.replace(/\u0103/g, 'a'), 'latin1'))),
      'FILE:3: is not UTF-8 text (save it as UTF-8)',
    );
    assert.equal(
      refusal(write('utf16.ini', Buffer.from('\ufeff[monitor]\n', 'utf16le'))),
      'FILE:1: is not UTF-8 text (save it as UTF-8)',
    );
    assert.equal(refusal('/dev/zero'), 'FILE: is not a regular file');
    symlinkSync('loop.ini', join(folder, 'loop.ini'));
    assert.match(refusal(join(folder, 'loop.ini')), /^FILE: cannot be read: ELOOP/);
    assert.match(refusal('a\0b'), /cannot be read/);
  });

  it('does not hang on a fifo', () => {
    const path = join(folder, 'fifo.ini');
    execFileSync('mkfifo', [path]);
    assert.equal(refusal(path), 'FILE: is not a regular file');
  });

  it('accepts a file of just 1 MiB', () => {
    const text = `[process.last]\n`;
    const path = write('limit.ini', `${'\n'.repeat(1024 * 1024 - text.length)}${text}`);
    assert.deepEqual(loadConfigFile(path, us).names('process'), ['last']);
  });

  it('warns of a password that everybody can read', () => {
    const path = write('open.ini', '[database]\npassword = hunter2\n', 0o644);
    const found = (path: string, ask: (section: SectionReader) => void): (readonly [string, string])[] => {
      const document = loadConfigFile(path, us);
      ask(document.section('database'));
      return document.complete().map(({ severity, problem }) => [severity, problem] as const);
    };
    const warning = ['warning', 'holds a password and is readable by everybody (expected mode 0600, got 0644)'] as const;
    assert.deepEqual(
      found(path, (section) => section.secret('password')),
      [warning],
    );
    assert.deepEqual(
      found(path, (section) => section.text('password')),
      [],
      'the parser says what is secret, not the name of the key',
    );
    const empty = write('none.ini', '[database]\npassword =\n', 0o644);
    assert.deepEqual(
      found(empty, (section) => section.secret('password')),
      [],
    );
  });

  it('refuses, for root, what everybody can write', () => {
    const document = loadConfigFile(write('writable.ini', '[database]\n', 0o666), 0);
    assert.throws(() => document.finish(), /writable by everybody \(expected mode 0600, got 0666\)/);
  });

  it('warns, for root, of a file in a place where others can put another in its place', asRoot, (t) => {
    const joes = join(tempDir(t), 'joes');
    const folder = join(joes, 'etc');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'config.ini');
    writeFileSync(path, '[database]\n', { mode: 0o600 });
    const found = (file = path): string[] =>
      loadConfigFile(file, 0).problems.map(({ severity, problem }) => `${severity}: ${problem.replaceAll(joes, 'JOES')}`);
    assert.deepEqual(found(), []);
    for (const [owner, mode, words] of [
      [4711, 0o755, 'JOES belongs to user 4711, mode 0755'],
      [0, 0o777, 'others may write to JOES, owner user root \\(0\\), mode 0777'],
      [0, 0o775, 'others may write to JOES, owner user root \\(0\\), mode 0775'],
    ] as const) {
      chownSync(joes, owner, 0);
      chmodSync(joes, mode);
      assert.match(found().join('\n'), new RegExp(`^warning: can be replaced by others, .*: ${words} [^\n]*$`));
    }
    chownSync(joes, 0, 0);
    chmodSync(joes, 0o1777);
    assert.deepEqual(found(), [], 'a sticky folder above');
    const link = join(joes, 'link');
    symlinkSync(folder, link);
    assert.deepEqual(found(join(link, 'config.ini')), []);
    lchownSync(link, 4711, 0);
    assert.match(
      found(join(link, 'config.ini')).join('\n'),
      /^warning: can be replaced by others, .*: JOES\/link belongs to user 4711/,
    );
  });
});

describe('config.d', () => {
  /** A configuration file, and the files of the folder beside it. */
  const written = (t: TestContext, text: string, folder: Readonly<Record<string, string>>): string => {
    const dir = tempDir(t);
    const path = join(dir, 'config.ini');
    writeFileSync(path, text, { mode: 0o600 });
    mkdirSync(join(dir, 'config.d'), { mode: 0o755 });
    for (const [name, content] of Object.entries(folder)) writeFileSync(join(dir, 'config.d', name), content, { mode: 0o600 });
    return path;
  };
  const linesOf = (document: ConfigDocument, path: string): string[] =>
    document.complete().map((problem) => formatProblem(path, problem).replaceAll(dirname(path), ''));

  it('adds sections, in the order of the names, and messages name the file', (t) => {
    const path = written(t, '[monitor]\n[process.a]\nx = 1\n', {
      '20-b.ini': '\n[process.c]\nmax_attempts = x\n',
      '10-a.ini': '[process.b]\nmax_attempts = 5\nmax_atempts = 6\n',
      '.hidden.ini': '[process.hidden]\n',
      'b.ini~': '[process.backup]\n',
    });
    const document = loadConfigFile(path);
    assert.deepEqual(document.names('process'), ['a', 'b', 'c']);
    document.section('monitor');
    const attempts = document
      .names('process')
      .map((name) => document.member('process', name).integer('max_attempts', { default: 2 }));
    assert.deepEqual(attempts, [2, 5, 2]);
    assert.deepEqual(linesOf(document, path), [
      '/config.ini:3: [process.a] x: unknown key, ignored',
      '/config.d/10-a.ini:3: [process.b] max_atempts: unknown key, ignored (did you mean max_attempts?)',
      '/config.d/20-b.ini:3: [process.c] max_attempts: invalid value "x", expected a whole number (at least 0)',
    ]);
    assert.deepEqual([...document.refusals('process').keys()], ['c']);
    assert.match(document.refusals('process').get('c') ?? '', /config\.d\/20-b\.ini:3: \[process\.c\] max_attempts/);
    assert.ok(document.usable);
  });

  it('is named for a process without a section that inherits a value from there', (t) => {
    const path = written(t, '[process.a]\n', { 'a.ini': '\n[process.default]\nuser = x\n' });
    const document = loadConfigFile(path);
    for (const name of ['a', 'b']) document.member('process', name).text('user');
    for (const name of ['a', 'b']) document.warnOfProcess(name, 'user', 'is odd');
    assert.deepEqual(linesOf(document, path), [
      '/config.ini:1: [process.a] user: is odd',
      '/config.d/a.ini:3: [process.b] user: is odd',
    ]);
  });

  it('may not repeat a section: the first one counts, and of a family only that one is refused', (t) => {
    const path = written(t, '\n[process.a]\nmax_attempts = 3\n', {
      'a.ini': '[process.a]\nmax_attempts = 7\n',
      'b.ini': '[process.default]\n',
      'c.ini': '\n\n[process.default]\n',
    });
    const document = loadConfigFile(path);
    assert.equal(document.member('process', 'a').integer('max_attempts', { default: 2 }), 3);
    assert.deepEqual([...document.refusals('process').keys()], ['a']);
    assert.deepEqual(linesOf(document, path), [
      '/config.d/a.ini:1: [process.a] the section is in /config.ini:2 too (expected in one file only)',
      '/config.d/c.ini:3: [process.default] the section is in /config.d/b.ini:1 too (expected in one file only)',
    ]);
    assert.ok(!document.usable, 'what applies to all is not known');
  });

  it('has the same rules of size, text and owner; a secret is looked for file by file', asRoot, (t) => {
    const path = written(t, '[database]\npassword = a\n', { 'a.ini': '[events]\nauth = b\n', 'b.ini': '[process.b]\n' });
    const folder = join(dirname(path), 'config.d');
    chmodSync(join(folder, 'a.ini'), 0o644);
    chmodSync(join(folder, 'b.ini'), 0o644);
    const read = (): ConfigDocument => {
      const document = loadConfigFile(path, 0);
      document.section('database').secret('password');
      document.section('events').secret('auth');
      document.member('process', 'b');
      return document;
    };
    assert.deepEqual(linesOf(read(), path), [
      '/config.d/a.ini: holds a password and is readable by everybody (expected mode 0600, got 0644)',
    ]);
    writeFileSync(join(folder, 'c.ini'), Buffer.from([0x5b, 0xe9, 0x5d]));
    chownSync(join(folder, 'b.ini'), 4711, 4711);
    assert.deepEqual(
      linesOf(read(), path)
        .filter((line) => !line.includes('password'))
        .map((line) => line.replace(/ \(.*/, '')),
      [
        '/config.d/b.ini: belongs to the user id 4711, who could run any command as root',
        '/config.d/c.ini:1: is not UTF-8 text',
      ],
    );
    assert.ok(!read().usable);
    rmSync(join(folder, 'c.ini'));
    rmSync(join(folder, 'b.ini'));
    chmodSync(folder, 0o777);
    assert.match(linesOf(read(), path)[0] ?? '', /^\/config\.d: is writable by everybody \(expected mode 0755, got 0777\)$/);
    rmSync(folder, { recursive: true });
    assert.deepEqual(linesOf(read(), path), [], 'no folder');
    writeFileSync(folder, '');
    assert.deepEqual(linesOf(read(), path), [], 'no folder either');
  });

  it('holds at most 256 files', (t) => {
    const path = written(t, '', Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`${i}.ini`, ''])));
    assert.deepEqual(linesOf(loadConfigFile(path), path), ['/config.d: holds 257 files (expected at most 256)']);
  });
});

describe('permissionProblems', () => {
  const root: FileAccess = { mode: 0o100600, uid: 0, gid: 0, directory: { mode: 0o40755, uid: 0 } };
  const found = (access: Partial<FileAccess>, daemonUid = 0): string[] =>
    permissionProblems({ ...root, ...access }, daemonUid).map(({ severity, problem }) => `${severity}: ${problem}`);

  it('are empty for a file as it should be', () => {
    assert.deepEqual(found({}), []);
    assert.deepEqual(found({ mode: 0o100640, gid: 5 }), []);
    assert.deepEqual(found({ mode: 0o100660 }), []);
    assert.deepEqual(found({ mode: 0o100644 }), []);
    assert.deepEqual(found({ directory: { mode: 0o41777, uid: 0 } }), []);
  });

  it('are errors for root if another user can change the commands', () => {
    assert.match(found({ mode: 0o100602 }).join(), /^error: is writable by everybody/);
    assert.match(found({ uid: 1000 }).join(), /^error: belongs to the user id 1000/);
    assert.match(
      found({ directory: { mode: 0o40777, uid: 0 } }).join(),
      /^error: lies in a directory that is writable by everybody/,
    );
    assert.match(found({ mode: 0o100660, gid: 5 }).join(), /^warning: is writable by the group 5/);
  });

  it('do not concern us if we are not root, except for a readable password', () => {
    assert.deepEqual(found({ mode: 0o100662, uid: 1000, directory: { mode: 0o40777, uid: 0 } }, 1000), []);
    assert.match(secretProblems({ ...root, mode: 0o100604, uid: 1000 })[0]?.problem ?? '', /^holds a password/);
    assert.deepEqual(secretProblems(root), []);
  });

  it('of a folder of which each file is read: only root may put one there', () => {
    const problems = (mode: number, uid: number, daemonUid = 0) =>
      folderProblems({ mode, uid }, daemonUid).map(({ severity, problem }) => `${severity}: ${problem}`);
    assert.deepEqual(problems(0o40755, 0), []);
    assert.deepEqual(problems(0o40777, 1000, 1000), []);
    assert.match(problems(0o40755, 1000).join(), /^error: belongs to the user id 1000/);
    assert.match(problems(0o41777, 0).join(), /^error: is writable by everybody \(expected mode 0755, got 1777\)/);
  });
});
