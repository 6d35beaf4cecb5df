import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashRounds } from '../helpers/crash-rounds.ts';
import { deathRounds } from '../helpers/death-rounds.ts';

/**
 * `npm run soak -- [--rounds N] [--seed N]`: 200 rounds (a multiple of 10) of 50 alarms with the daemon killed at a random moment,
 * and half as many of watched programs that are killed, and the daemon with them. Exit code 1 where the promise was broken; the
 * seed it names makes the same moments again.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const CHUNK = 10;
const chunks = Math.ceil(Number(values.rounds ?? 200) / CHUNK);
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const dir = mkdtempSync(join(tmpdir(), 'monitor-soak-'));
const startedMs = performance.now();
let [repeated, deaths, births] = [0, 0, 0];
try {
  for (let chunk = 0; chunk < chunks; chunk++) {
    const seed = firstSeed + chunk;
    const [place, deathPlace] = [join(dir, String(chunk)), join(dir, `${chunk}-deaths`)];
    mkdirSync(place);
    mkdirSync(deathPlace);
    try {
      repeated += (await crashRounds(place, CHUNK, seed)).repeated;
      const report = await deathRounds(deathPlace, CHUNK / 2, seed);
      deaths += report.deaths;
      births += report.births;
    } catch (error) {
      console.error(`soak: broken with --rounds ${CHUNK} --seed ${seed}`);
      throw error;
    }
    rmSync(place, { recursive: true });
    rmSync(deathPlace, { recursive: true });
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(
      `soak: ${(chunk + 1) * CHUNK} of ${chunks * CHUNK} rounds kept the promise, ${repeated} attempts repeated; ` +
        `${deaths} programs killed, ${births} started; ${seconds} s`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
