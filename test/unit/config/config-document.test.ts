import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfigText } from '../../../src/config/config-file.ts';
import { closest } from '../../../src/config/did-you-mean.ts';
import { ConfigError, formatProblem } from '../../../src/core/errors.ts';

const lines = (document: ReturnType<typeof loadConfigText>): string[] =>
  document.problems.map((problem) => formatProblem(document.file, problem));

describe('ConfigDocument', () => {
  it('reports a problem once, however often it is met, at the line of the value', () => {
    const document = loadConfigText('f', '[process.default]\nmax_attempts = x\n[process.a]\n[process.b]\nmax_attempts = y\n');
    for (const name of ['a', 'b', 'c', undefined, 'a'])
      document.member('process', name).integer('max_attempts', { default: 2 });
    assert.deepEqual(lines(document), [
      'f:2: [process.default] max_attempts: invalid value "x", expected a whole number (at least 0)',
      'f:5: [process.b] max_attempts: invalid value "y", expected a whole number (at least 0)',
    ]);
  });

  it('reports a missing key at its section, and a missing section without a line', () => {
    const document = loadConfigText('f', '\n[process.a]\n');
    document.member('process', 'a').problem('restart_command', 'is missing');
    document.section('database').problem('user', 'is missing');
    assert.deepEqual(lines(document), ['f: [database] user: is missing', 'f:2: [process.a] restart_command: is missing']);
  });

  it('reports a problem of a process at its own section, though all have the value from the default', () => {
    const text = '[process.default]\nrestart_strategy = process\n[process.a]\n[process.b]\nrestart_strategy = process\n';
    const document = loadConfigText('f', text);
    for (const name of ['a', 'b', 'c']) document.warnOfProcess(name, 'restart_strategy', 'cannot be started');
    assert.deepEqual(lines(document), [
      'f:2: [process.c] restart_strategy: cannot be started',
      'f:3: [process.a] restart_strategy: cannot be started',
      'f:5: [process.b] restart_strategy: cannot be started',
    ]);
  });

  it('returns the default if a value is invalid, so that reading continues', () => {
    const section = loadConfigText('f', '[s]\na = x\nb = 9\n').section('s');
    assert.equal(section.integer('a', { default: 3 }), 3);
    assert.equal(section.integer('b', { default: 3, max: 8 }), 3);
    assert.equal(section.secondsAsMs('a', { default: 1.5 }), 1500);
    assert.equal(section.boolean('a', true), true);
    assert.equal(section.choice('a', ['p', 'q'], 'q'), 'q');
  });

  it('reads numbers, switches, choices and lists', () => {
    const text = '[s]\nn = -12\ns = .25\nt = 3.\nb = YES\no = off\nc = Json\nl = a, b c ,,d,\nq = "a, b"\n';
    const document = loadConfigText('f', text);
    const section = document.section('s');
    assert.equal(section.integer('n', { default: 0, min: -20 }), -12);
    assert.equal(section.secondsAsMs('s', { default: 0 }), 250);
    assert.equal(section.secondsAsMs('t', { default: 0 }), 3000);
    assert.equal(section.boolean('b', false), true);
    assert.equal(section.boolean('o', true), false);
    assert.equal(section.choice('c', ['text', 'json'], 'text'), 'json');
    assert.deepEqual(section.list('l'), ['a', 'b c', 'd']);
    assert.deepEqual(section.list('q'), ['a', 'b']);
    assert.deepEqual(section.list('none'), []);
    assert.deepEqual(document.finish(), []);
  });

  it('makes what it shows of the file fit for a line', () => {
    const document = loadConfigText('f', `[a\u202e]\n[s]\nn = \u009b31m${'x'.repeat(5000)}\n${'k'.repeat(5000)} = 1\n`);
    document.section('s').integer('n', { default: 0 });
    assert.throws(() => document.finish(), ConfigError);
    const text = lines(document).join('\n');
    assert.doesNotMatch(text, /[\u0080-\u009f\u202e]/);
    assert.match(text, /value "\?31mx{56}…"/);
    assert.ok(text.length < 1000);
  });

  it('never shows a password or what a URL hides', () => {
    const document = loadConfigText('f', '[s]\npassword = hunter2\nurl = ftp://me:hunter2@h/p?token=hunter2\n');
    const section = document.section('s');
    section.secret('password');
    section.choice('url', ['a'], 'a');
    section.problem('url', 'cannot be used (expected http, got "ftp://me:hunter2@h/p?token=hunter2")');
    assert.doesNotMatch(lines(document).join(), /hunter2/);
    assert.match(lines(document).join(), /got "ftp:\/\/\*\*\*@h\/p\?\*\*\*"/);
  });

  it('lists the keys that stand, of a section and of its default, and makes none of them known', () => {
    const document = loadConfigText('f', '[check.default]\nb = 1\na = 1\n[check.x]\nc = 1\na = 2\n[urls]\nz = 1\ny = 2\n');
    assert.deepEqual(document.member('check', 'x').keys(), ['c', 'a', 'b']);
    assert.deepEqual(document.member('check', undefined).keys(), ['b', 'a']);
    assert.deepEqual(document.section('urls').keys(), ['z', 'y']);
    assert.deepEqual(document.section('none').keys(), []);
    assert.equal(document.finish().length, 6);
  });

  it('keeps the families of sections apart: names, defaults, known keys, refusals', () => {
    const text =
      '[process.web]\ntype = 1\n[check.default]\ninterval = 5\n[check.web]\ntype = url\nmax_attempts = 3\n[check.b]\nn = x\n';
    const document = loadConfigText('f', text);
    assert.deepEqual([document.names('process'), document.names('check')], [['web'], ['web', 'b']]);
    document.member('process', 'web').integer('max_attempts', { default: 2 });
    const checks = document.names('check').map((name) => {
      const section = document.member('check', name);
      return [section.text('type'), section.integer('interval', { default: 60 }), section.integer('n', { default: 1 })];
    });
    assert.deepEqual(checks, [
      ['url', 5, 1],
      [undefined, 5, 1],
    ]);
    document.complete();
    assert.deepEqual(lines(document), [
      'f:2: [process.web] type: unknown key, ignored (it is a key of [check.NAME])',
      'f:7: [check.web] max_attempts: unknown key, ignored (it is a key of [process.NAME])',
      'f:9: [check.b] n: invalid value "x", expected a whole number (at least 0)',
    ]);
    assert.deepEqual([...document.refusals('process').keys(), ...document.refusals('check').keys()], ['b']);
    assert.ok(document.usable, 'only that check is refused');
  });

  it('has no hint for a section of a family that nobody asks for', () => {
    const document = loadConfigText('f', '[check.web]\ntype = url\n[chek.web]\n');
    document.member('process', undefined);
    document.complete();
    assert.deepEqual(lines(document), [
      'f:1: [check.web] unknown section, ignored',
      'f:3: [chek.web] unknown section, ignored (did you mean [check.web]?)',
    ]);
  });

  it('counts what is too much to be read', () => {
    const document = loadConfigText('f', `[s]\n${Array.from({ length: 50_000 }, (_, i) => `key_${i} = 1`).join('\n')}`);
    document.section('s').text('key');
    const problems = document.finish();
    assert.equal(problems.length, 201);
    assert.equal(problems.at(-1)?.problem, 'and 49800 more warnings');
  });

  it('does not let warnings hide an error', () => {
    const document = loadConfigText('f', `[s]\n${'x = 1\n'.repeat(1000)}y = x\n`);
    document.section('s').integer('y', { default: 1 });
    assert.throws(() => document.finish(), /f:1002: \[s\] y: invalid value/);
  });
});

describe('what no editor shows', () => {
  it('is reported for names, keys and values by its code point, and for a password without it', () => {
    const text = '[process.ngi\u200bnx]\nsystem_name = a\u3164\nmax_attempt\u00ads = 2\n[s]\npassword = a\u2060b\n';
    const document = loadConfigText('f', text);
    document.member('process', 'ngi\u200bnx').text('system_name');
    document.section('s').secret('password');
    document.finish();
    assert.deepEqual(lines(document), [
      'f:1: [process.ngi\\u200bnx] the name holds U+200B, which is invisible',
      'f:2: [process.ngi\\u200bnx] system_name: holds U+3164, which is invisible',
      'f:3: [process.ngi\\u200bnx] max_attempt\\u00ads: unknown key, ignored',
      'f:3: [process.ngi\\u200bnx] max_attempt\\u00ads: the key holds U+00AD, which is invisible',
      'f:5: [s] password: holds an invisible character',
    ]);
  });
});

describe("what the bash service's successor has beside ours", () => {
  const text = `[self_recovery]
enabled = true
check_intervall = x
[predictive]
enabled = yes
window =
[logging]
json_pretty = true
jsonpretty = true
[host]
host_ids = 3
`;

  it('is reported as what it is; no key of a whole section is judged, and all else is', () => {
    const document = loadConfigText('f', text);
    document.section('logging').text('format');
    document.section('host').text('host_id');
    assert.deepEqual(
      document.finish().map((problem) => formatProblem('f', problem)),
      [
        'f:1: [self_recovery] not needed: systemd does this by WatchdogSec= and Restart= of the unit',
        'f:4: [predictive] not supported: a process is restarted when it is in alarm, not on a forecast',
        'f:8: [logging] json_pretty: not needed: format = json writes one object per line, and jq can indent it',
        'f:9: [logging] jsonpretty: unknown key, ignored',
        'f:11: [host] host_ids: unknown key, ignored (did you mean host_id?)',
      ],
    );
  });
});

describe('closest', () => {
  it('finds the name that was meant', () => {
    const keys = ['check_interval', 'max_attempts', 'mode', 'user', 'restart_delay'];
    const cases = {
      Check_Interval: 'check_interval',
      'max-attempt': 'max_attempts',
      mdoe: 'mode',
      restartdelay: 'restart_delay',
    };
    for (const [name, meant] of Object.entries(cases)) assert.equal(closest(name, keys), meant);
    for (const name of ['timeout', 'x', '', 'password', 'k'.repeat(100_000)]) assert.equal(closest(name, keys), undefined);
  });
});
