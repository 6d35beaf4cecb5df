import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, fstatSync, readlinkSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineScript, openScript, programScript, type Script, withScript } from '../../../../src/system/spawn/script.ts';
import { shellPath } from '../../../../src/system/spawn/shell.ts';

/** Runs a script as it is meant to be run; `shell` in the place of its own. */
function run({ argv, text }: Script, shell?: readonly string[]) {
  const input = openScript({ text });
  const [file = '', ...rest] = [...(shell ?? argv.slice(0, -2)), ...argv.slice(-2)];
  try {
    return spawnSync(file, rest, { stdio: [input, 'pipe', 'pipe'], encoding: 'utf8', env: {} });
  } finally {
    closeSync(input);
  }
}

/** What a program finds that was started so. */
function started(
  environment: Record<string, string>,
  argv: readonly string[],
  cwd = '/',
): { argv: string[]; environment: string[] } {
  const script = programScript({ executable: '/bin/sh', argv, cwd, environment: new Map(Object.entries(environment)) });
  assert(script !== undefined);
  const [first = '', second = ''] = run(script).stdout.split('\0\0\0');
  return { argv: first.split('\0'), environment: second.split('\0').filter(Boolean) };
}

const TELL = 'cat /proc/$$/cmdline; printf "\\0\\0"; cat /proc/$$/environ; cat';
const shells = [undefined, ['/bin/sh']] as const;

test('a program finds argv[0], arguments and environment as they were', () => {
  const value = 'a\nb\t$HOME `id` $(id) %n "\'\\ \u0001\u001b é =x';
  const environment = {
    SECRET: value,
    PATH: '/usr/bin:/bin',
    EMPTY: '',
    LC_ALL: 'xx_YY',
    POSIXLY_CORRECT: '1',
    BASH_ENV: '/x',
    IFS: 'x',
    PWD: '/y',
  };
  const found = started(environment, ['-login $0', '-c', TELL, '$x', '', '%n']);
  assert.deepEqual(found.argv, ['-login $0', '-c', TELL, '$x', '', '%n']);
  const wanted = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  assert.deepEqual(found.environment.filter((entry) => !/^(?:_|SHLVL)=/.test(entry)).sort(), wanted.sort());
});

test('what no shell can hold stays behind, and does no harm', () => {
  const environment = {
    'BASH_FUNC_exec%%': '() { echo broken; }',
    'a.b': '1',
    UID: '7',
    SHELLOPTS: 'noexec',
    '-n': '1',
    PATH: '/bin',
  };
  const found = started(environment, ['sh', '-c', TELL]);
  assert.deepEqual(
    found.environment.filter((entry) => !/^(?:_|SHLVL)=/.test(entry)),
    ['PATH=/bin'],
  );
});

test('a program that cannot enter its directory does not start elsewhere', () => {
  const script = programScript({ executable: '/bin/echo', argv: ['echo', 'here'], cwd: '/no/such', environment: new Map() });
  assert(script !== undefined);
  const { status, stdout } = run(script);
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
});

for (const shell of shells) {
  const name = shell === undefined ? shellPath() : shell.join(' ');

  test(`${name}: any line and any value arrive as they are`, () => {
    const text = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', '#', ' ', ';', '}', '%', 'é', 'a', '\u0001', '!', '*'),
    });
    fc.assert(
      fc.property(text, text, (value, other) => {
        const script = lineScript(`printf '%s|' "$A" "$B"`, { A: value, B: other });
        assert.equal(run(script, shell).stdout, `${value}|${other}|`);
      }),
      { numRuns: 60 },
    );
  });

  test(`${name}: standard input is empty, no descriptor is left over, the text is in no argument`, () => {
    const script = lineScript('cat; for fd in /proc/self/fd/*; do readlink $fd; done; tr "\\0" " " </proc/$$/cmdline', {
      A: 'hunter2',
    });
    const { stdout } = run(script, shell);
    assert.match(stdout, /^\/dev\/null\n/);
    assert.doesNotMatch(stdout, /memfd|deleted|hunter2|readlink/);
  });

  test(`${name}: exit codes and faults are the line's own, and lines are counted as they stand`, () => {
    const direct = (line: string) => {
      const [file = '', ...options] = shell ?? [shellPath()];
      return spawnSync(file, [...options, '-c', '--', line], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: {} });
    };
    const lines = [
      'exit 7',
      'false',
      'true',
      '',
      '# nothing',
      'nosuch',
      'kill -TERM $$',
      "echo 'x",
      'a=1\n\nif',
      'trap "echo bye" EXIT; exit 4',
      'set -e; false; true',
    ];
    for (const line of lines) {
      const [through, plain] = [run(lineScript(line, { A: '1' }), shell), direct(line)];
      assert.deepEqual([through.status, through.signal, through.stdout], [plain.status, plain.signal, plain.stdout], line);
    }
    assert.match(run(lineScript('true\n\nnosuch', {}), shell).stderr, /\b3: .*nosuch.* not found/);
  });

  test(`${name}: it says that it begins, even if the line cannot be parsed, and then nothing more`, () => {
    const { stdout, stderr } = run(lineScript("echo out; echo err >&2; echo 'x", {}, 'begun!'), shell);
    assert.equal(stderr, 'begun!\n');
    assert.match(stdout, /unterminated|unexpected EOF/i);
    assert.equal(run(lineScript('echo out; echo err >&2', {}, 'begun!'), shell).stdout, 'out\nerr\n');
  });
}

test('one simple command becomes its program; anything else stays below the shell', () => {
  // What the parent of a program is: the shell, or who has started that.
  const isBelow = (line: string): boolean => run(lineScript(line, {})).stdout.includes('/dev/stdin');
  const tell = `sh -c 'ps -o args= -p $PPID'`;
  for (const line of [tell, ` /bin/${tell}`, `${tell} 2>/dev/null`, `${tell} 2>&1 # told`])
    assert.equal(isBelow(line), false, line);
  for (const line of [`${tell}; true`, `A=1 ${tell}`, `time ${tell}`, `(${tell})`, `${tell} &&\ntrue`, `$UNSET ${tell}`])
    assert.equal(isBelow(line), true, line);
  assert.equal(run(lineScript('sh -c "kill -SEGV $$"', {})).signal, 'SIGSEGV');
  for (const line of [
    'echo a',
    'exit 3',
    'kill -TERM $$',
    'test -e /',
    'cd /',
    ': x',
    '-x',
    'exec echo a',
    '.nosuch',
    'true',
  ]) {
    const plain = spawnSync(shellPath(), ['-c', '--', line], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: {} });
    const through = run(lineScript(line, {}));
    assert.deepEqual([through.status, through.signal, through.stdout], [plain.status, plain.signal, plain.stdout], line);
  }
});

test('pgrep -f and pkill -f find nothing of a line that holds their text', () => {
  const text = `never-runs-${process.pid}`;
  assert.equal(run(lineScript(`pgrep -f ${text}`, {})).status, 1);
  const killed = run(lineScript(`pkill -f ${text}; echo survived`, {}));
  assert.equal(killed.stdout, 'survived\n');
});

test('the text is a file without a name, which nobody can write', async () => {
  const result = await withScript({ text: 'x' }, async (input) => {
    assert.match(readlinkSync(`/proc/self/fd/${input}`), /deleted/);
    assert.throws(() => writeSync(input, 'y'), { code: 'EBADF' });
    assert.equal(fstatSync(input).mode & 0o777, 0o444);
    return 'used' as const;
  });
  assert.equal(result, 'used');
  const large = 'x'.repeat(3_000_000);
  assert.equal(run(lineScript(': "$A"; echo through', { A: large })).stdout, 'through\n');
  assert.deepEqual(await withScript({ text: 'a\0b' }, async () => 'used'), {
    kind: 'not_started',
    reason: 'the command holds a NUL byte',
  });
});

test('another user can run it', { skip: process.geteuid?.() === 0 ? false : 'needs root' }, () => {
  const script = lineScript('id -u', {});
  const input = openScript(script);
  const argv = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', ...script.argv];
  assert.equal(execFileSync('setpriv', argv, { stdio: [input, 'pipe', 'inherit'], encoding: 'utf8' }), '65534\n');
  closeSync(input);
});
