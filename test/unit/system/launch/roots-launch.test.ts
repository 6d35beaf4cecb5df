import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaunchRecord } from '../../../../src/core/program/launch-record.ts';
import { executedFiles } from '../../../../src/system/launch/executed-files.ts';
import { notRootsLaunch } from '../../../../src/system/launch/roots-launch.ts';
import { asRoot } from '../../../helpers/requirement.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOBODY = 65534;

/** A folder of root's with files of root's, and one of nobody's with the same files. */
function twoFolders(t: TestContext): { readonly own: string; readonly theirs: string } {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const [own, theirs] = [join(dir, 'own'), join(dir, 'theirs')] as const;
  for (const folder of [own, theirs]) {
    mkdirSync(folder, { mode: 0o755 });
    for (const [file, text] of Object.entries(FILES)) writeFileSync(join(folder, file), text, { mode: 0o755 });
  }
  chownSync(theirs, NOBODY, NOBODY);
  return { own, theirs };
}

const FILES: Readonly<Record<string, string>> = {
  'app.py': 'x',
  'app.js': 'x',
  'app.jar': 'x',
  daemon: '\u007fELF',
  script: '#!/bin/sh -e\n',
  python3: '\u007fELF',
  'env-script': '#!/usr/bin/env -S python3 -u\n',
  nested: '#!/usr/bin/env script\n',
};

function record(executable: string, argv: readonly string[], changes: Partial<LaunchRecord> = {}): LaunchRecord {
  return { argv, executable, cwd: '/', environment: ['PATH=/usr/bin:/bin'], uid: 0, gid: 0, groups: [], ...changes };
}

/** A record of `interpreter` (a copy of nothing: only its name tells what it is) with these words. */
function interpreted(t: TestContext, interpreter: string, words: string, changes: Partial<LaunchRecord> = {}) {
  const bin = join(tempDir(t), interpreter);
  writeFileSync(bin, '\u007fELF', { mode: 0o755 });
  return record(bin, [bin, ...words.split(' ')], changes);
}

test('a program of root’s in root’s folders is root’s alone; one of others’, or in theirs, is not', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  assert.equal(notRootsLaunch(record(`${own}/daemon`, ['daemon', `${own}/app.py`, theirs])), undefined);
  // Whatever it is called, it may execute what it is given.
  assert.match(notRootsLaunch(record(`${own}/daemon`, ['daemon', `${theirs}/app.py`])) ?? '', /theirs belongs to user 65534$/);
  assert.match(notRootsLaunch(record(`${theirs}/daemon`, ['daemon'])) ?? '', /theirs belongs to user 65534$/);
});

test(
  'whatever is among its words is judged: what cannot be a file is none, what cannot be examined is not root’s',
  asRoot,
  (t) => {
    const { own } = twoFolders(t);
    symlinkSync('loop', `${own}/loop`);
    const long = 'x'.repeat(256);
    assert.equal(
      notRootsLaunch(record(`${own}/daemon`, ['daemon', long, `/${long}/a`, 'y'.repeat(100_000).replaceAll('yyy', 'yy/')])),
      undefined,
    );
    assert.match(
      notRootsLaunch(record(`${own}/daemon`, ['daemon', `${own}/loop`])) ?? '',
      /loop is one symbolic link too many$/,
    );
    assert.match(notRootsLaunch(interpreted(t, 'python3', long)) ?? '', /cannot determine what .* executes$/);
    assert.match(notRootsLaunch(interpreted(t, 'python3', `${own}/loop`)) ?? '', /cannot determine what .* executes$/);
    const path = { environment: [`PATH=${own}/loop:/usr/bin`] };
    assert.match(notRootsLaunch(record(`${own}/env-script`, ['python3', '-u', `${own}/env-script`], path)) ?? '', /loop/);
  },
);

test('of an interpreter the script counts, wherever its options end', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const cases: readonly (readonly [string, string, 'own' | 'theirs' | 'open' | 'unknown'])[] = [
    ['python3.11', `${own}/app.py ${theirs}/data`, 'own'],
    ['python3.11', `-u -W ignore -X dev ${own}/app.py`, 'own'],
    ['python3', `${theirs}/app.py`, 'theirs'],
    ['python3', `-u ${theirs}/app.py ${own}/app.py`, 'theirs'],
    ['python3', '-m http.server', 'unknown'],
    ['python3', `-c pass ${own}/app.py`, 'unknown'],
    ['python3', `-X pycache_prefix=${theirs} ${own}/app.py`, 'unknown'],
    ['python3.11-dbg', `${theirs}/app.py`, 'theirs'],
    ['perl5.36-x86_64-linux-gnu', `${theirs}/app.py`, 'theirs'],
    ['bash-static', `-c exit`, 'unknown'],
    // Node looks in all folders above, of which the tests' own is open to everybody.
    ['node', `--max-old-space-size=512 ${own}/app.js`, 'open'],
    ['node', `-r ${own}/app.js ${theirs}/app.js`, 'unknown'],
    ['node', `--require=${theirs}/app.js ${own}/app.js`, 'unknown'],
    ['perl', `-w ${own}/app.js`, 'own'],
    ['perl', `-I${theirs} ${own}/app.js`, 'unknown'],
    ['java', `-Xmx512m -Dname=value -jar ${own}/app.jar ${theirs}`, 'own'],
    ['java', `-jar ${theirs}/app.jar`, 'theirs'],
    ['java', `-cp ${own}/app.jar Main`, 'unknown'],
    ['java', `-javaagent:${theirs}/app.jar -jar ${own}/app.jar`, 'unknown'],
    ['java', `-XX:OnOutOfMemoryError=x -jar ${own}/app.jar`, 'unknown'],
    ['bash', `-e ${own}/app.js`, 'own'],
    ['bash', `-c exit`, 'unknown'],
    ['bash', `--rcfile ${theirs}/x ${own}/app.js`, 'unknown'],
    ['sh', '-', 'unknown'],
    ['sudo', `${own}/daemon`, 'unknown'],
    ['python3', 'app.py', 'theirs'],
    ['python3', 'missing.py', 'unknown'],
  ];
  for (const [interpreter, words, expected] of cases) {
    // A shell's directory counts itself.
    const cwd = interpreter === 'bash' ? own : theirs;
    const reason = notRootsLaunch(interpreted(t, interpreter, words, { cwd }));
    const pattern = {
      own: /^own$/,
      open: /is writable by others$/,
      theirs: /belongs to user 65534$/,
      unknown: /^cannot determine what .* executes$/,
    }[expected];
    assert.match(reason ?? 'own', pattern, `${interpreter} ${words}`);
  }
});

test('an interpreter is one by whatever name it is called, and by the file that it leads to', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const dir = tempDir(t);
  for (const name of ['python3.11', 'bash', 'perl', 'mdaemon']) writeFileSync(join(dir, name), '\u007fELF', { mode: 0o755 });
  const judged = (link: string, file: string, words: string, called = link): string => {
    symlinkSync(join(dir, file), join(dir, link));
    return notRootsLaunch(record(join(dir, link), [called, ...words.split(' ')], { cwd: theirs })) ?? 'own';
  };
  const untold = /^cannot determine what .* executes$/;
  assert.match(judged('appsrv', 'python3.11', '-m app'), untold);
  assert.equal(judged('appsrv2', 'python3.11', `${own}/app.py`), 'own');
  assert.match(judged('appsrv3', 'python3.11', `-u ${theirs}/app.py`), /theirs belongs to user 65534$/);
  assert.match(judged('shsrv', 'bash', `-c exit`), untold);
  assert.match(judged('plsrv', 'perl', `-I${theirs} -MPm -e 1`), untold);
  assert.match(judged('called', 'mdaemon', '-m app', 'python3'), untold);
  // One thing by its name and another by its file: which of their options it takes nobody knows.
  assert.match(judged('sh', 'python3.11', `-m ${own}/app.py`), untold);
  assert.equal(judged('daemon', 'mdaemon', '-m app'), 'own');
});

test('what a program or script executes from a folder cannot be determined', asRoot, (t) => {
  const { own } = twoFolders(t);
  for (const name of ['make', 'gmake', 'ninja', 'rake3.1', 'npm', 'gunicorn3', 'mvn', 'uwsgi']) {
    assert.match(notRootsLaunch(interpreted(t, name, `-C ${own}`)) ?? '', /^cannot determine what .* executes$/, name);
    writeFileSync(join(own, name), '#!/bin/sh\n', { mode: 0o755 });
    assert.match(notRootsLaunch(record(join(own, name), [name])) ?? '', /^cannot determine what .* executes$/, name);
  }
});

test('of a program that says nothing by its name, files and -I and -C count, but not what is only data', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const judged = (...words: string[]): string =>
    notRootsLaunch(record(`${own}/daemon`, ['daemon', ...words], { cwd: theirs })) ?? 'own';
  for (const data of [
    ['-c', `${own}/app.py`, `--datadir=${theirs}`, `--pid-file=${theirs}/app.py`, '-p', theirs],
    ['-d', theirs, `-l${theirs}/app.py`, '-I', own, `-C${own}`, '-Interval', '-C'],
  ])
    assert.equal(judged(...data), 'own', data.join(' '));
  for (const code of [[`-I${theirs}`], ['-I', theirs], [`-C${theirs}`], ['-C', '.'], ['-f', `${theirs}/app.py`]])
    assert.match(judged(...code), /theirs belongs to user 65534$/, code.join(' '));
});

test('a script that is executed by its path brings its interpreter, also by env and by another script', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const path = (...folders: string[]): Partial<LaunchRecord> => ({ environment: [`PATH=${folders.join(':')}`] });
  assert.equal(notRootsLaunch(record(`${own}/script`, [`${own}/script`])), undefined);
  assert.deepEqual(executedFiles(record(`${own}/script`, ['x'])).files, [`${own}/script`, '/bin/sh']);
  assert.match(notRootsLaunch(record(`${theirs}/script`, ['x'])) ?? '', /theirs belongs to user 65534$/);
  const byEnv = (changes: Partial<LaunchRecord>): string | undefined =>
    notRootsLaunch(record(`${own}/env-script`, ['x'], changes));
  assert.equal(byEnv(path('/nothing-here', own, theirs)), undefined);
  assert.match(byEnv(path(theirs)) ?? '', /theirs belongs to user 65534$/);
  // Who may write to a folder that is looked at before can put another one there.
  assert.match(byEnv(path('/tmp', own)) ?? '', /\/tmp is writable by others$/);
  assert.match(byEnv(path('', own)) ?? '', /^\. is not an absolute path$/);
  assert.match(byEnv(path('/usr/nothing')) ?? '', /^cannot determine what \/usr\/bin\/env executes$/);
  assert.equal(notRootsLaunch(record(`${own}/nested`, ['x'], path(own))), undefined);
  assert.equal(executedFiles(record(`${own}/nested`, ['x'], path(own))).program, `${own}/nested`);
});

test('a shell runs what it finds in PATH and in its directory: folders of others count', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const shellRecords = (changes: Partial<LaunchRecord>): LaunchRecord[] => [
    interpreted(t, 'bash', `-e ${own}/app.js`, changes),
    interpreted(t, 'tcsh', `${own}/app.js`, changes),
    record(`${own}/script`, [`${own}/script`], changes),
  ];
  const judged = (path: string | undefined, cwd = '/'): string[] => {
    const environment = path === undefined ? [] : [`PATH=${path}`];
    const reasons = shellRecords({ environment, cwd }).map((one) => notRootsLaunch(one) ?? 'own');
    return [...new Set(reasons)];
  };
  const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin';
  for (const path of [undefined, '/usr/bin:/bin', usual, `${own}:${usual}`, `${own}/not-yet:${own}`])
    assert.deepEqual(judged(path), ['own'], path);
  for (const path of [`${theirs}:${usual}`, `${usual}:${theirs}`, `${theirs}/not-yet:${usual}`])
    assert.deepEqual(judged(path), [`${theirs} belongs to user ${NOBODY}`], path);
  assert.deepEqual(judged(`/tmp:${usual}`), ['/tmp is writable by others']);
  for (const path of ['', `${usual}:`, `:${usual}`, `.:${usual}`, `bin:${usual}`, `~/bin:${usual}`, '/a:'.repeat(300)])
    assert.deepEqual(judged(path), ['cannot determine which programs its PATH finds'], path);
  const many = Array.from({ length: 300 }, (_, i) => `/none/${i}`).join(':');
  assert.deepEqual(judged(many), ['cannot determine which programs its PATH finds']);
  assert.deepEqual(judged(usual, theirs), [`${theirs} belongs to user ${NOBODY}`]);
  assert.deepEqual(judged(usual, '/tmp'), ['/tmp is writable by others']);
  const python = interpreted(t, 'python3', `${own}/app.py`, { environment: ['PATH=/usr/bin', 'X=1'], cwd: theirs });
  assert.equal(notRootsLaunch(python), undefined, 'what is no shell is not looked at so');
});

test('a Python that is called by the path of a venv, or finds one in PATH or HOME, loads what lies there', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const called = (argv0: string, environment: readonly string[]): string | undefined => {
    const { executable } = interpreted(t, 'python3', '');
    return notRootsLaunch(record(executable, [argv0, `${own}/app.py`], { environment }));
  };
  assert.equal(called(`${own}/python3`, []), undefined);
  assert.match(called(`${theirs}/python3`, []) ?? '', /theirs belongs to user 65534$/);
  assert.match(called('python3', [`PATH=${theirs}:/usr/bin`]) ?? '', /theirs belongs to user 65534$/);
  assert.match(called(`${own}/python3`, [`HOME=${theirs}`]) ?? '', /theirs belongs to user 65534$/);
  assert.equal(called(`${own}/python3`, ['HOME=/root']), undefined);
});

test('what the environment makes a program load counts', asRoot, (t) => {
  const { own, theirs } = twoFolders(t);
  const within = (...environment: string[]): string => notRootsLaunch(record('/bin/sleep', ['x'], { environment })) ?? 'own';
  for (const harmless of [
    `LD_LIBRARY_PATH=${own}:/usr/lib`,
    'LD_LIBRARY_PATH=',
    `PYTHONPATH=:${own}/not-yet`,
    'NODE_OPTIONS=--max-old-space-size=4096',
    'PERL5OPT=-w',
    'ENV=production',
    `APP_HOME=${theirs}`,
    `PATH=${theirs}`,
  ])
    assert.equal(within('A=1', harmless), 'own', harmless);
  for (const theirs_ of [
    `LD_PRELOAD=/usr/lib/x.so ${theirs}/x.so`,
    `LD_LIBRARY_PATH=${own}:${theirs}`,
    `LD_AUDIT=${theirs}/x.so`,
    `PYTHONPATH=${own}:${theirs}`,
    `BASH_ENV=${theirs}/x`,
    `ENV=${theirs}/x`,
    `CLASSPATH=${theirs}/*`,
  ])
    assert.match(
      within('A=1', theirs_),
      /^its [A-Z_]+ names what is not root's alone: .*theirs belongs to user 65534$/,
      theirs_,
    );
  for (const unknown of [
    'LD_PRELOAD=x.so',
    'LD_LIBRARY_PATH=:/usr/lib',
    'LD_LIBRARY_PATH=$ORIGIN/lib',
    'PYTHONPATH=lib',
    `NODE_OPTIONS=--max-old-space-size=4 --require ${theirs}/x`,
    `JAVA_TOOL_OPTIONS=-javaagent:${theirs}/x.jar`,
    'RUBYOPT=-rx',
  ])
    assert.match(within('A=1', unknown), /^cannot determine what its [A-Z0-9_]+ loads$/, unknown);
});

test('BusyBox is what it is called; if that executes others it cannot be determined', asRoot, (t) => {
  const box = join(tempDir(t), 'busybox');
  symlinkSync('/bin/sleep', box);
  assert.equal(notRootsLaunch(record(box, ['/usr/sbin/crond', '-f'])), undefined);
  assert.match(notRootsLaunch(record(box, ['sh', 'x'])) ?? '', /^cannot determine what .* executes$/);
  assert.match(notRootsLaunch(record(box, ['busybox', 'crond'])) ?? '', /^cannot determine what .* executes$/);
});
