import { test } from 'node:test';
import { deathRounds } from '../helpers/death-rounds.ts';
import { tempDir } from '../helpers/temp-dir.ts';

for (const seed of [1, 2]) {
  test(`watched programs and the daemon are killed at random moments, seed ${seed}: of every program one runs`, async (t) => {
    const { deaths, births } = await deathRounds(tempDir(t), 3, seed);
    t.diagnostic(`${deaths} deaths, ${births} starts`);
  });
}
