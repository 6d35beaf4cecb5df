import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readArguments } from '../../../src/cli/arguments.ts';
import { exitCodeHelp, exitCodes } from '../../../src/cli/exit-codes.ts';
import { listenForSignals } from '../../../src/cli/process-signals.ts';
import { displayWidth, ellipsize, padTo } from '../../../src/cli/terminal/display-width.ts';
import { formatDuration, parseDuration } from '../../../src/cli/terminal/duration.ts';
import { jsonText } from '../../../src/cli/terminal/json-output.ts';
import { createOutput } from '../../../src/cli/terminal/output.ts';

describe('durations', () => {
  it('are read with or without a unit', () => {
    const good = {
      '90': 90e3,
      '90s': 90e3,
      '30m': 1800e3,
      '2h': 7200e3,
      '1d': 86_400e3,
      ' 5m ': 300e3,
      '3650d': 3650 * 86_400e3,
    };
    for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms, text);
    for (const text of ['', '0', '0d', '-1', '1.5h', '1w', 'h', '1h30m', '3651d', '1e3', '０', '99999999999'])
      assert.equal(parseDuration(text), undefined, text);
  });

  it('are written in two units', () => {
    const shown = {
      0: '0 s',
      340: '0.3 s',
      9999: '10 s',
      45000: '45 s',
      720000: '12 min',
      12000000: '3 h 20 min',
      187200000: '2 d 4 h',
      '-5': '0 s',
    };
    for (const [ms, text] of Object.entries(shown)) assert.equal(formatDuration(Number(ms)), text);
  });
});

describe('text on a terminal', () => {
  it('is measured in columns', () => {
    for (const [text, width] of [
      ['abc', 3],
      ['名前', 4],
      ['e\u0301', 1],
      ['', 0],
      ['🚀', 2],
      ['ăîșț', 4],
      ['한글', 4],
    ] as const)
      assert.equal(displayWidth(text), width, text);
  });

  it('is cut and padded by columns', () => {
    assert.equal(ellipsize('abcdef', 4), 'abc…');
    assert.equal(ellipsize('名前名前', 4), '名…');
    assert.equal(ellipsize('abc', 3), 'abc');
    assert.equal(ellipsize('abc', 0), '');
    assert.equal(padTo('名', 4), '名  ');
  });

  it('has colour if that is allowed', () => {
    const stream = { write: () => {}, on: () => {} };
    const colour = (isTTY: boolean, env: Record<string, string>): boolean => createOutput({ ...stream, isTTY }, env).colour;
    assert.deepEqual(
      [
        colour(true, {}),
        colour(true, { NO_COLOR: '1' }),
        colour(true, { TERM: 'dumb' }),
        colour(false, {}),
        colour(false, { FORCE_COLOR: '1' }),
        colour(true, { FORCE_COLOR: '1', NO_COLOR: '1' }),
      ],
      [true, false, false, false, true, false],
    );
  });

  it('of JSON shows nothing that a terminal obeys, and is the same value', () => {
    const value = { 'a\u009b': '\u001b\u007f\u202e\u2028\ufeff\u200b\u3164\u{e0041}\u{e0100}名\ud800' };
    const text = jsonText(value);
    assert.doesNotMatch(text, /(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\u2028]/u);
    assert.deepEqual(JSON.parse(text), value);
  });
});

describe('arguments', () => {
  it('in the spelling of the bash service become commands', () => {
    const cases: [string, string][] = [
      ['--status', 'status'],
      ['--config c --status --json', '--config c status --json'],
      ['--restart n', 'restart -- n'],
      ['--restart --config', 'restart -- --config'],
      ['--restart n --config c', 'restart --config c -- n'],
      ['status --status', 'status --status'],
      ['alarm x --notes --restart', 'alarm x --notes --restart'],
      ['--config --status', '--config --status'],
      ['--config=c --verbose', '--config=c --verbose'],
      ['-- --status', '-- --status'],
    ];
    for (const [given, expected] of cases) {
      assert.deepEqual(readArguments(given.split(' '), ['status', 'alarm']), { kind: 'arguments', argv: expected.split(' ') });
    }
  });
});

describe('signals', () => {
  it('are stop, then abort; and reload; and none is lost before somebody listens', () => {
    const listeners = new Map<string, () => void>();
    const signals = listenForSignals({ on: (name, listener) => listeners.set(name, listener) });
    const seen: string[] = [];
    listeners.get('SIGTERM')?.();
    listeners.get('SIGHUP')?.();
    signals.onStop(() => seen.push('stop'));
    signals.onAbort(() => seen.push('abort'));
    signals.onReload(() => seen.push('reload'));
    listeners.get('SIGINT')?.();
    listeners.get('SIGHUP')?.();
    assert.deepEqual(seen, ['stop', 'reload', 'abort', 'reload']);
  });
});

describe('exit codes', () => {
  it('are distinct, and each is explained', () => {
    const codes = Object.values(exitCodes);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.match(exitCodeHelp(), new RegExp(`^  ${code} +\\S`, 'm'));
  });
});
