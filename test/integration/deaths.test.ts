import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deathRounds } from '../helpers/death-rounds.ts';
import { leftovers } from '../helpers/leftovers.ts';
import { tempDir } from '../helpers/temp-dir.ts';

for (const seed of [1, 2]) {
  test(`watched programs and the daemon are killed at random moments, seed ${seed}: of every program one runs`, async (t) => {
    const dir = tempDir(t);
    const { deaths, births } = await deathRounds(dir, 3, seed);
    t.diagnostic(`${deaths} deaths, ${births} starts`);
    assert.deepEqual(leftovers(dir), []);
  });
}
