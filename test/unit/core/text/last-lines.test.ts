import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastLines, withLines, withoutLines } from '../../../../src/core/text/last-lines.ts';

test('the last lines that are not blank, printable and cut', () => {
  assert.deepEqual(lastLines('one\n\n two \n\u001b[31mred\n', 2), [' two ', '?[31mred']);
  assert.deepEqual(lastLines('', 3), []);
  assert.equal(lastLines('x'.repeat(5000), 3)[0]?.length, 200);
});

test('a reason takes three of them at most, and can be read without them again', () => {
  const lines = ['a', 'b', 'c', 'd'];
  const told = withLines('exit code 1', lines);
  assert.equal(told, 'exit code 1: b | c | d');
  assert.equal(withoutLines(told, lines), 'exit code 1');
  assert.equal(withLines('exit code 1', []), 'exit code 1');
  for (const reason of ['exit code 1', ': b | c | d', '']) assert.equal(withoutLines(reason, lines), reason);
  assert.equal(withoutLines('exit code 1', []), 'exit code 1');
});
