import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWhen } from '../../../../src/cli/terminal/when.ts';

test('a point in time: ago, a local day or time, or with an offset; anything else is none', () => {
  const now = new Date('2026-11-26T12:00:00Z');
  const local = (text: string) => new Date(text).getTime();
  for (const [text, ms] of [
    ['2h', now.getTime() - 7_200_000],
    ['90', now.getTime() - 90_000],
    ['2026-11-26', local('2026-11-26T00:00')],
    ['2026-11-26 22:08', local('2026-11-26T22:08')],
    ['2026-11-26T22:08:07', local('2026-11-26T22:08:07')],
    ['2026-11-26T22:08:07.5Z', Date.UTC(2026, 10, 26, 22, 8, 7, 500)],
    ['2026-11-26 22:08:07 +0100', Date.UTC(2026, 10, 26, 21, 8, 7)],
    ['2026-11-26T22:08+01:00', Date.UTC(2026, 10, 26, 21, 8)],
  ] as const)
    assert.equal(parseWhen(text, now)?.getTime(), ms, text);
  for (const text of ['', 'now', 'yesterday', '-2h', '0s', '2026-13-01', '26.11.2026', '2026-11-26 25:00', '1e3', '99999999d'])
    assert.equal(parseWhen(text, now), undefined, text);
});
