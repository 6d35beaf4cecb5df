import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  escapeInvisible,
  escapeUnfit,
  invisibleIn,
  nameWords,
  printable,
  quoted,
} from '../../../../src/core/text/printable.ts';

/** Every code point that the property holds for. */
function pointsOf(property: RegExp): number[] {
  return Array.from({ length: 0x110000 }, (_, point) => point).filter((point) => property.test(String.fromCodePoint(point)));
}

test('format and default-ignorable characters are left out, every one of them, and known by their code point', () => {
  const points = pointsOf(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u);
  assert.ok(points.length > 4000, `${points.length}`);
  for (const point of points) {
    const text = `ngi${String.fromCodePoint(point)}nx`;
    const name = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    assert.equal(printable(text), 'nginx', name);
    assert.equal(invisibleIn(text), name);
    assert.match(escapeInvisible(text), /^ngi(?:\\u[0-9a-f]{4}){1,2}nx$/, name);
    assert.equal(JSON.parse(quoted(text)), text, name);
    assert.doesNotMatch(quoted(text), /[^ -~]/, name);
  }
});

test('only a name that could be taken for more of a sentence, or for less, is in quotes', () => {
  for (const plain of ['nginx', 'php-fpm@8.2.service', '/opt/app:1', 'a_b+c=d', 'größe', '都'] as const)
    assert.equal(nameWords(plain), plain);
  for (const odd of [
    '',
    ' ',
    'web by root',
    'web, strict',
    'web,',
    'a"b',
    "web'",
    'web (x)',
    'a\nb',
    'ngi\u200bnx',
    'a\u3164',
    '*',
  ])
    assert.equal(nameWords(odd), quoted(odd), odd);
});

test('so is what is drawn as nothing, though it counts as a letter, a mark or a sign', () => {
  const points = [
    0x00ad, 0x034f, 0x061c, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180e, 0x180f, 0x200b, 0x200d, 0x200e, 0x202e, 0x2060,
    0x2065, 0x2800, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9, 0xfffb, 0x13441, 0x13442, 0x16fe4, 0x1d159, 0x1d173,
    0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe01ef, 0xe0fff,
  ];
  const text = points.map((point) => `${String.fromCodePoint(point)}x`).join('');
  assert.equal(printable(text), 'x'.repeat(points.length));
  assert.equal(invisibleIn(text), 'U+00AD, U+034F, U+061C, U+115F and others');
  assert.equal(invisibleIn('a\u200bb\u200bc\u3164'), 'U+200B, U+3164');
});

test('control characters and noncharacters stay visible, breaks are blanks, half a pair is what UTF-8 makes of it', () => {
  for (const point of pointsOf(/[\p{Cc}\p{Noncharacter_Code_Point}]/u)) {
    const shown = printable(`a${String.fromCodePoint(point)}b`);
    assert.ok(shown === 'a?b' || (shown === 'a b' && /[\t-\r\u0085]/.test(String.fromCodePoint(point))), `${point}: ${shown}`);
  }
  assert.equal(printable('a\r\nb\u2028c\u2029d'), 'a b c d');
  assert.equal(printable('\ud83da\udc00'), '\ufffda\ufffd');
  assert.equal(invisibleIn('\u0000\ud800\uffff'), undefined);
});

test('what is seen stays: letters of any script, blanks, signs, what has no character yet', () => {
  for (const text of [
    'nginx',
    'café ñ',
    'Ωμέγα',
    '名前',
    'עברית',
    'e\u0301',
    '🚀',
    '\u00a0',
    '\u3000',
    '\ue000',
    '…→“”',
    '\u0378',
    '',
  ]) {
    assert.equal(printable(text), text);
    assert.equal(invisibleIn(text), undefined, text);
    assert.equal(escapeInvisible(text), text);
  }
  // A sequence of emoji loses its joiners alone.
  assert.equal(printable('👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿'), '👩👩👧 ❤ 🏴');
});

test('whatever comes in: one line that stays as it is, and JSON of the same value', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const shown = printable(text);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.equal(printable(shown), shown);
      const json = escapeUnfit(JSON.stringify({ text }));
      assert.equal(JSON.parse(json).text, text);
      assert.equal(printable(json), json.replace(/\p{Noncharacter_Code_Point}/gu, '?'));
    }),
  );
});
