import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSecretKey, readValue } from '../../../src/config/ini-value.ts';

function check(key: string, cases: readonly (readonly [raw: string, text: string])[]): void {
  for (const [raw, text] of cases) assert.equal(readValue(key, raw).text, text, `${key} =${raw}`);
}

describe('a plain value', () => {
  it('ends before a blank and ; or #', () => {
    check('key', [
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
    check('key', [
      [' "a ; b # c" # comment', 'a ; b # c'],
      [" ' a '", ' a '],
      [' ""', ''],
      [' "a"#c', 'a'],
      [' "a\\"', 'a\\'],
      [' \'"ok"\'', '"ok"'],
    ]);
  });

  it('keeps quotes that do not surround it', () => {
    check('key', [
      [' "status":"ok"', '"status":"ok"'],
      [' {"a":"b"} # c', '{"a":"b"}'],
      [' a "b" c', 'a "b" c'],
      [' "open # c', '"open'],
      [' "', '"'],
    ]);
    assert.match(readValue('key', ' "open').remark ?? '', /not closed/);
    assert.equal(readValue('key', ' "status":"ok"').remark, undefined);
  });
});

describe('a *_command', () => {
  it('is the rest of the line', () => {
    check('restart_command', [
      [' systemctl stop x; systemctl start x', 'systemctl stop x; systemctl start x'],
      [' "a b" c # d', '"a b" c # d'],
      [" echo '#' ; x=1 # done ", "echo '#' ; x=1 # done "],
      [' echo a\\ ', 'echo a\\ '],
      [' true', 'true'],
      [' ; x', '; x'],
    ]);
  });

  it('is empty if it is only a comment', () => {
    check('health_check_command', [
      [' # none', ''],
      ['#none', ''],
      ['   ', ''],
    ]);
  });

  it('has a remark if quotes make it one word', () => {
    assert.match(readValue('a_command', ' "systemctl restart x" ').remark ?? '', /one word/);
    for (const fine of [' "/opt/my app/run" --now', ' "a" "b"', ' "true"', ' x']) {
      assert.equal(readValue('a_command', fine).remark, undefined);
    }
  });
});

describe('a password', () => {
  it('is the rest of the line, less blanks and one pair of double quotes', () => {
    check('password', [
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
    assert.match(readValue('password', ' hunter2 # mine').remark ?? '', /^extends to the end of the line/);
    assert.doesNotMatch(readValue('password', ' hunter2 # mine').remark ?? '', /hunter2/);
    assert.equal(readValue('password', ' "hunter2 # mine"').remark, undefined);
    assert.equal(readValue('password', ' hunter2#mine').remark, undefined);
    const single = readValue('password', " 'hunter2' ");
    assert.equal(single.text, "'hunter2'");
    assert.match(single.remark ?? '', /^is in single quotes, which belong to it/);
    assert.doesNotMatch(single.remark ?? '', /hunter2/);
    assert.equal(readValue('password', ' "\'hunter2\'"').remark, undefined);
  });

  it('is known by the name of its key', () => {
    for (const key of ['password', 'smtp_password', 'api_token', 'apikey', 'webhook_secret']) assert.ok(isSecretKey(key), key);
    for (const key of ['password_file', 'user', 'ssl_ca']) assert.ok(!isSecretKey(key), key);
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
    for (const key of ['a', 'a_command', 'password']) readValue(key, raw);
  }
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 5e6, `${user + system} µs`);
});
