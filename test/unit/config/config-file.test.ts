import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { configPath, loadConfigFile } from '../../../src/config/config-file.ts';
import { type FileAccess, permissionProblems } from '../../../src/config/file-permissions.ts';
import { ConfigError } from '../../../src/core/errors.ts';
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
    assert.deepEqual(loadConfigFile(path, us).processNames(), ['last']);
  });

  it('warns of a password that everybody can read', () => {
    const path = write('open.ini', '[database]\npassword = hunter2\n', 0o644);
    const document = loadConfigFile(path, us);
    assert.deepEqual(
      document.problems.map(({ severity, problem }) => [severity, problem]),
      [['warning', 'holds a password and is readable by everybody (expected mode 0600, got 0644)']],
    );
    assert.deepEqual(loadConfigFile(write('none.ini', '[database]\npassword =\n', 0o644), us).problems, []);
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

describe('permissionProblems', () => {
  const root: FileAccess = { mode: 0o100600, uid: 0, gid: 0, directory: { mode: 0o40755, uid: 0 } };
  const found = (access: Partial<FileAccess>, daemonUid = 0, secret = true): string[] =>
    permissionProblems({ ...root, ...access }, daemonUid, secret).map(({ severity, problem }) => `${severity}: ${problem}`);

  it('are empty for a file as it should be', () => {
    assert.deepEqual(found({}), []);
    assert.deepEqual(found({ mode: 0o100640, gid: 5 }), []);
    assert.deepEqual(found({ mode: 0o100660 }), []);
    assert.deepEqual(found({ mode: 0o100644 }, 0, false), []);
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
    assert.match(found({ mode: 0o100604, uid: 1000 }, 1000).join(), /^warning: holds a password/);
  });
});
