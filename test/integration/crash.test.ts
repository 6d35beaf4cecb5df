import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashRounds } from '../helpers/crash-rounds.ts';
import { tempDir } from '../helpers/temp-dir.ts';

test('8 rounds of 50 alarms with the daemon killed at a random moment keep the promise', { timeout: 600_000 }, async (t) => {
  const report = await crashRounds(tempDir(t), 8);
  t.diagnostic(`${report.kills} kills, ${report.repeated} attempts repeated`);
  assert.equal(report.rounds, 8);
});
