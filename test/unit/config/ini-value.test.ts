import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readValue, type ValueKind } from '../../../src/config/ini-value.ts';

function check(kind: ValueKind, cases: readonly (readonly [raw: string, text: string])[]): void {
  for (const [raw, text] of cases) assert.equal(readValue(kind, raw).text, text, `${kind}:${raw}`);
}

describe('a plain value', () => {
  it('ends before a blank and ; or #', () => {
    check('plain', [
      [' 300   # Check interval', '300'],
      [' 300\t; x', '300'],
      ['300', '300'],
      [' a;b#c', 'a;b#c'],
      [' a\\; b', 'a\\; b'],
      [' a\\ ; b', 'a\\'],
      [' ; nothing', ''],
      [' # nothing', ''],
      ['#data', '#data'],
      ['   ', ''],
      ['', ''],
      ['\u00a0300\u00a0# pasted from a page', '300'],
    ]);
  });

  it('is taken verbatim between quotes', () => {
    check('plain', [
      [' "a ; b # c" # comment', 'a ; b # c'],
      [" ' a '", ' a '],
      [' ""', ''],
      [' "a"#c', 'a'],
      [' "a\\"', 'a\\'],
      [' \'"ok"\'', '"ok"'],
    ]);
  });

  it('keeps quotes that do not surround it', () => {
    check('plain', [
      [' "status":"ok"', '"status":"ok"'],
      [' {"a":"b"} # c', '{"a":"b"}'],
      [' a "b" c', 'a "b" c'],
      [' "open # c', '"open'],
      [' "', '"'],
    ]);
    assert.match(readValue('plain', ' "open').remark ?? '', /not closed/);
    assert.equal(readValue('plain', ' "status":"ok"').remark, undefined);
  });
});

describe('a command', () => {
  it('is the rest of the line', () => {
    check('command', [
      [' systemctl stop x; systemctl start x', 'systemctl stop x; systemctl start x'],
      [' "a b" c # d', '"a b" c # d'],
      [" echo '#' ; x=1 # done ", "echo '#' ; x=1 # done "],
      [' echo a\\ ', 'echo a\\ '],
      [' true', 'true'],
      [' ; x', '; x'],
    ]);
  });

  it('is empty if it is only a comment', () => {
    check('command', [
      [' # none', ''],
      ['#none', ''],
      ['   ', ''],
    ]);
  });

  it('has a remark if quotes make it one word', () => {
    assert.match(readValue('command', ' "systemctl restart x" ').remark ?? '', /one word/);
    for (const fine of [' "/opt/my app/run" --now', ' "a" "b"', ' "true"', ' x']) {
      assert.equal(readValue('command', fine).remark, undefined);
    }
  });
});

describe('a secret', () => {
  it('is the rest of the line, less blanks and one pair of double quotes', () => {
    check('secret', [
      [' pa#ss;word', 'pa#ss;word'],
      [' pass # word ', 'pass # word'],
      ['\t" x "\t', ' x '],
      [' ""', ''],
      [' "', '"'],
      [' ""a""', '"a"'],
      [" 'x'", "'x'"],
      [' a"b"', 'a"b"'],
      [' true', 'true'],
      [' \u00a0x', '\u00a0x'],
      ['', ''],
    ]);
  });

  it('has a remark if a comment seems to follow it, which never quotes it', () => {
    assert.match(readValue('secret', ' hunter2 # mine').remark ?? '', /^extends to the end of the line/);
    assert.doesNotMatch(readValue('secret', ' hunter2 # mine').remark ?? '', /hunter2/);
    assert.equal(readValue('secret', ' "hunter2 # mine"').remark, undefined);
    assert.equal(readValue('secret', ' hunter2#mine').remark, undefined);
    const single = readValue('secret', " 'hunter2' ");
    assert.equal(single.text, "'hunter2'");
    assert.match(single.remark ?? '', /^is in single quotes, which belong to it/);
    assert.doesNotMatch(single.remark ?? '', /hunter2/);
    assert.equal(readValue('secret', ' "\'hunter2\'"').remark, undefined);
  });
});

it('values take time linear in their length', () => {
  const before = process.cpuUsage();
  const long = 65_000;
  const raws = [
    ' '.repeat(long),
    `"${' '.repeat(long)}x`,
    `x${' '.repeat(long)}x`,
    `"${'" '.repeat(long / 2)}`,
    ' ;'.repeat(long / 2),
  ];
  for (const raw of raws) {
    for (const kind of ['plain', 'command', 'secret'] as const) readValue(kind, raw);
  }
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 5e6, `${user + system} µs`);
});
