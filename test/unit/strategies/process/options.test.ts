import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SectionReader } from '../../../../src/core/config.ts';
import { parseProcessOptions } from '../../../../src/strategies/process/options.ts';

function read(values: Record<string, string>, section = 'process.x') {
  const problems: string[] = [];
  const get = (key: string) => values[key];
  const reader: SectionReader = {
    section,
    has: (key) => key in values,
    text: get,
    command: get,
    secret: get,
    keys: () => Object.keys(values),
    integer: (key, { default: fallback }) => Number(values[key] ?? fallback),
    secondsAsMs: (key, { default: fallback }) => Number(values[key] ?? fallback) * 1000,
    boolean: (_, fallback) => fallback,
    choice: (_, __, fallback) => fallback,
    list: () => [],
    problem: (key, problem) => void problems.push(`${key}: ${problem}`),
    refuse: () => {},
    warning: () => {},
  };
  return { options: parseProcessOptions(reader), problems };
}

test('defaults', () => {
  assert.deepEqual(read({}), {
    options: {
      configured: true,
      startCommand: undefined,
      stopCommand: undefined,
      stopSignal: 15,
      stopTimeoutMs: 10_000,
      supervisorWaitMs: 10_000,
      maxMatches: 1,
      anyUser: false,
      pidFile: undefined,
      argument: undefined,
      user: undefined,
      commandTimeoutMs: 60_000,
      stableTimeMs: 1000,
    },
    problems: [],
  });
  assert.equal(read({}, 'process.default').options.configured, false);
});

test('stop_signal takes names with and without SIG, in any case, and numbers', () => {
  const signals = { TERM: 15, SIGTERM: 15, sigint: 2, hup: 1, Quit: 3, '9': 9, '15': 15, WINCH: 28, '34': 34, usr1: 10 };
  for (const [text, number] of Object.entries(signals)) {
    assert.deepEqual(
      [read({ stop_signal: text }).options.stopSignal, read({ stop_signal: text }).problems],
      [number, []],
      text,
    );
  }
  for (const text of ['0', '65', '-9', 'NOPE', 'constructor', '1e1', 'STOP', 'cont', '19', 'TERM; rm', 'SIGSIGTERM']) {
    assert.equal(read({ stop_signal: text }).problems.length, 1, text);
  }
});

test('pid_file and argument mean one program: never all those without a section', () => {
  const marks = { pid_file: '/run/x.pid', argument: '/opt/x.py' };
  const own = read(marks);
  assert.deepEqual([own.options.pidFile, own.options.argument, own.problems], ['/run/x.pid', '/opt/x.py', []]);
  const all = read(marks, 'process.default');
  assert.deepEqual([all.options.pidFile, all.options.argument, all.problems.length], [undefined, undefined, 2]);
  for (const pid_file of ['run/x.pid', '/run/'])
    assert.match(read({ pid_file }).problems.join(), /^pid_file: invalid value .*, expected a file's full path/);
  assert.match(read({ argument: 'x'.repeat(131_072) }).problems.join(), /^argument: invalid value, expected at most/);
});

test('user is a name or a uid', () => {
  for (const user of ['www-data', '33', 'ana.maria', 'svc$', '_x', 'DOMAIN\\ana', 'ștefan']) {
    assert.deepEqual([read({ user }).options.user, read({ user }).problems], [user, []]);
  }
  for (const user of ['-x', 'a b', 'a;b', '$(id)', 'a\nb', '../x']) assert.equal(read({ user }).problems.length, 1, user);
});
