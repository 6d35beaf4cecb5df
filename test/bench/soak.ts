import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashRounds } from '../helpers/crash-rounds.ts';
import { deathRounds } from '../helpers/death-rounds.ts';
import { strangerSoak } from '../helpers/stranger-soak.ts';

/**
 * `npm run soak -- [--rounds N] [--seconds N] [--seed N]`: 200 rounds (a multiple of 10) of 50 alarms with the daemon killed at a
 * random moment, and half as many of watched programs that are killed, and the daemon with them; then 300 s beside a stranger who
 * does at random what any user may. 0 leaves out the one or the other. Exit code 1 where the promise was broken; the seed it
 * names makes the same moments again.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' } },
});
const CHUNK = 10;
const chunks = Math.ceil(Number(values.rounds ?? 200) / CHUNK);
const seconds = Number(values.seconds ?? 300);
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const dir = mkdtempSync(join(tmpdir(), 'monitor-soak-'));
// The stranger has a folder of its own in there.
chmodSync(dir, 0o755);
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
    const tookS = Math.round((performance.now() - startedMs) / 1000);
    console.log(
      `soak: ${(chunk + 1) * CHUNK} of ${chunks * CHUNK} rounds kept the promise, ${repeated} attempts repeated; ` +
        `${deaths} programs killed, ${births} started; ${tookS} s`,
    );
  }
  if (seconds > 0) {
    const place = join(dir, 'stranger');
    mkdirSync(place);
    try {
      const report = await strangerSoak(place, seconds, firstSeed);
      console.log(`soak: ${seconds} s beside a stranger kept the promise: ${JSON.stringify(report)}`);
    } catch (error) {
      console.error(`soak: broken with --rounds 0 --seconds ${seconds} --seed ${firstSeed}`);
      throw error;
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
