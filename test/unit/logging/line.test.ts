import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanFields, cleanMessage, textLine, withError } from '../../../src/logging/line.ts';

test('the line that operators grep for', () => {
  const line = textLine(new Date(2026, 0, 2, 3, 4, 5), 'warning', 'RESTART LOG: x');
  assert.equal(line, '2026-01-02 03:04:05  [WARNING] - RESTART LOG: x');
});

test('messages are printable and of bounded length', () => {
  assert.equal(cleanMessage('a\nb\u001b[2Jc\u202e\u0000 \ud800'), 'a b?[2Jc? \ufffd');
  assert.equal(cleanMessage('ngi\u200bnx \u3164\u{e0041}x\ufe0f'), 'nginx x');
  const long = cleanMessage('x'.repeat(1_000_000));
  assert.ok(long.length < 4_100);
  assert.match(long, /… \(996000 more characters\)$/);
  assert.match(cleanMessage('x'.repeat(4_001)), /… \(1 more character\)$/);
});

test('fields are plain, printable and bounded at any depth', () => {
  const circle: Record<string, unknown> = { name: 'a\u001bb' };
  circle.self = circle;
  const error = new Error('outer\n', { cause: new TypeError('inner\u0007') });
  const clean = cleanFields({
    'na\u001bme': 'x\ny',
    gone: undefined,
    level: 'emergency',
    msg: 'other',
    big: 10n,
    nan: Number.NaN,
    date: new Date(0),
    map: new Map([['k', 'v\u0000']]),
    list: Array.from({ length: 1_000 }, (_, i) => i),
    fn: Symbol('s'),
    circle,
    err: Object.assign(error, { code: 'ECODE' }),
  });
  assert.equal(clean['na?me'], 'x y');
  assert.equal(clean.level_, 'emergency');
  assert.equal(clean.msg_, 'other');
  assert.ok(!('gone' in clean) && !('level' in clean));
  assert.equal(clean.big, '10');
  assert.equal(clean.nan, 'NaN');
  assert.equal(clean.date, '1970-01-01T00:00:00.000Z');
  assert.deepEqual(clean.map, { k: 'v?' });
  assert.equal((clean.list as unknown[]).length, 50);
  assert.deepEqual(clean.circle, {
    name: 'a?b',
    self: { name: 'a?b', self: { name: 'a?b', self: { name: 'a?b', self: '…' } } },
  });
  const { stack, cause, ...rest } = clean.err as Record<string, unknown>;
  assert.deepEqual(rest, { type: 'Error', message: 'outer ', code: 'ECODE' });
  assert.equal((cause as Record<string, unknown>).message, 'inner?');
  assert.ok(typeof stack === 'string' && !stack.includes('\n'));
});

test("an error's words are added once", () => {
  assert.equal(withError('failed', { message: 'no such file' }), 'failed: no such file');
  assert.equal(withError('failed: no such file', { message: 'no such file' }), 'failed: no such file');
  assert.equal(withError('failed', 'text'), 'failed');
  assert.equal(withError('failed', undefined), 'failed');
});
