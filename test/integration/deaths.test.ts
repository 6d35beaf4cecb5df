import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deathRounds } from '../helpers/death-rounds.ts';
import { leftovers } from '../helpers/leftovers.ts';
import { tempDir } from '../helpers/temp-dir.ts';

// Mostly they wait.
describe('watched programs and the daemon are killed at random moments: of every program one runs', {
  concurrency: true,
}, () => {
  for (const seed of [1, 2]) {
    test(`seed ${seed}`, async (t) => {
      const dir = tempDir(t);
      const { deaths, births } = await deathRounds(dir, 3, seed);
      t.diagnostic(`${deaths} deaths, ${births} starts`);
      assert.deepEqual(leftovers(dir), []);
    });
  }
});
