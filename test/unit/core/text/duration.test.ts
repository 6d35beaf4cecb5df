import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, withinWords } from '../../../../src/core/text/duration.ts';

test('a duration has no more digits than a person wants, whatever was measured', () => {
  for (const [ms, text] of [
    [0, '0 s'],
    [0.2, '0 s'],
    [60, '0.1 s'],
    [246.7060000000056, '0.2 s'],
    [1999.998999999836, '2 s'],
    [60_000, '60 s'],
    [600_000.0000001, '10 min'],
  ] as const)
    assert.equal(formatDuration(ms), text);
  assert.equal(withinWords(1.999998999999836), 'in the time that was left');
  assert.equal(withinWords(1999.998999999836), 'within 2 s');
});
