import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calledWords } from '../../../../src/core/shell/called-words.ts';
import { simpleCommands } from '../../../../src/core/shell/simple-commands.ts';

/** `DEPTH: word|word` each. */
function read(text: string, environment: Record<string, string> = {}): string[] {
  return simpleCommands(text, environment).map(({ words, targets, depth }) => {
    const to = targets.length === 0 ? '' : ` > ${targets.join('|')}`;
    return `${depth}: ${words.join('|')}${to}`;
  });
}

test('words, quotes and separators are the shell’s', () => {
  for (const [text, ...expected] of [
    [`a 'b c' "d e"f g\\ h`, '0: a|b c|d ef|g h'],
    ['a; b & c | d && e || f\ng', '0: a', '0: b', '0: c', '0: d', '0: e', '0: f', '0: g'],
    [`a ';' "&" \\| x`, '0: a|;|&|||x'],
    [`a $'b\\'c' $"d"`, "0: a|b'c|d"],
    ['a "b\\"c" "d\\e"', '0: a|b"c|d\\e'],
    ['a # b; c', '0: a'],
    ['a b#c $# ; d', '0: a|b#c|$#', '0: d'],
    ['(a; b) && { c; }', '0: a', '0: b', '0: {|c', '0: }'],
    ['f() { a; }; f', '0: f', '0: {|a', '0: }', '0: f'],
    ['case $x in a|b) c;; esac', '0: case|$x|in|a', '0: b', '0: c', '0: esac'],
    ['a \\\nb', '0: a|b'],
    ['a\tb\u00a0c', '0: a|b\u00a0c'],
    ['', ...[]],
    ['# a', ...[]],
    [')', ...[]],
  ] as const)
    assert.deepEqual(read(text), expected, text);
});

test('redirections are not words', () => {
  for (const [text, expected] of [
    ['a >/x 2>&1 <y', '0: a > /x|1|y'],
    ['a>x b', '0: a|b > x'],
    ['a 2>>x &>y', '0: a > x|y'],
    ['a 5', '0: a|5'],
    ['a <<< "b c"', '0: a > b c'],
    ['a <<EOF', '0: a'],
  ] as const)
    assert.deepEqual(read(text), [expected], text);
});

test('what substitutions run is found, however deep, before what uses it', () => {
  for (const [text, ...expected] of [
    ['a $(b "$(c d)" e) f', '2: c|d', '1: b|$()|e', '0: a|$()|f'],
    ['a `b \\`c\\`` d', '2: c', '1: b|$()', '0: a|$()|d'],
    [`a "x $(b ')' "y") z"`, '1: b|)|y', '0: a|x $() z'],
    ['a $(( $(b) - 1 ))', '2: b', '1: $()|-|1', '0: a|$()'],
    [`a "\${x:-$(b)}" \${y%%.*}`, '2: b', `0: a|\${x:-$()}|\${y%%.*}`],
    ['a <(b c) >(d)', '1: b|c', '1: d', '0: a|$()|$()'],
    ['a $(b; (c) | d) e', '1: b', '1: c', '1: d', '0: a|$()|e'],
    ["a '$(b)' \\$\\(c\\)", '0: a|$(b)|$(c)'],
    ['x=$(a) y', '1: a', '0: x=$()|y'],
  ] as const)
    assert.deepEqual(read(text), expected, text);
});

test('a variable that the text sets, or that is given, is its value', () => {
  assert.deepEqual(read(`A=b; $A "\${A}c" '$A'`), ['0: A=b', '0: b|bc|$A']);
  assert.deepEqual(read('export A=b; $A $B'), ['0: export|A=b', '0: b|$B']);
  assert.deepEqual(read('x "$NAME"', { NAME: 'a b' }), ['0: x|a b']);
});

test('what a command calls stands behind the shell’s own words', () => {
  const called = (text: string): string => calledWords(simpleCommands(text)[0]?.words ?? []).join(' ');
  for (const [text, expected] of [
    ['A=b C="d e" f g', 'f g'],
    ['! exec -a x f g', 'f g'],
    ['if command -p f g', 'f g'],
    ['{ then do while time f', 'f'],
    ['a[1]=2 f', 'f'],
    ['A=b', ''],
    ['exec', ''],
    ['f A=b exec', 'f A=b exec'],
  ] as const)
    assert.equal(called(text), expected, text);
});

test('whatever a text is, it is read to its end, and soon', () => {
  const pieces = [
    '$(',
    '`',
    '"',
    "'",
    '${',
    '\\',
    '(',
    ')',
    '}',
    ' ',
    ';',
    '<',
    '>',
    '<(',
    '$',
    '&',
    '#',
    'a',
    '=',
    '\n',
    "$'",
    '<<',
  ];
  let seed = 7;
  for (let round = 0; round < 20_000; round++) {
    let text = '';
    for (let length = 0; length < 12; length++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += pieces[Math.floor(seed / 65_536) % pieces.length];
    }
    simpleCommands(text);
  }
  for (const piece of pieces) simpleCommands(piece.repeat(100_000));
  // Each doubles the one before.
  const doubling = `A=${'x'.repeat(100)}; ${'A=$A$A; '.repeat(1000)} echo $A`;
  assert.ok(read(doubling).join('').length < 10_000_000);
});
