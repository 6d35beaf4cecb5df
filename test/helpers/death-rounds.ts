import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonProcess } from './daemon.ts';
import { seededRandom } from './seeded-random.ts';
import { WatchedPrograms } from './watched-programs.ts';

/** What a number of rounds showed. */
export interface DeathReport {
  readonly rounds: number;
  /** Programs that were killed, in all. */
  readonly deaths: number;
  /** Programs that were started, in all, by the daemons. */
  readonly births: number;
}

const PROGRAMS = 8;
const DEATHS_A_ROUND = 12;
const SETTLED_WITHIN_MS = 90_000;
/** For as long nothing more may happen. */
const STILL_MS = 500;

/**
 * Rounds of: programs with `watch_exit` are killed at random moments, and so is the daemon, which polls every 300 s; a new daemon,
 * until every program runs again. Each round asserts that of every program one runs and no more, that no alarm is left, and that
 * no program was started more often than programs and daemon were killed. With an odd seed new processes are told of by the
 * kernel, where it does so; with an even one they are looked for.
 */
export async function deathRounds(dir: string, rounds: number, seed = 1): Promise<DeathReport> {
  const programs = new WatchedPrograms(dir, {
    names: Array.from({ length: PROGRAMS }, (_, i) => `d${process.pid}${seed}-${i}`),
    folder: dir,
    section: (program) => `start_command = ${program}\nwatch_exit = true\n`,
    withEvents: seed % 2 === 1,
  });
  const random = seededRandom(seed);
  let deaths = 0;
  let daemon = new DaemonProcess(programs.configFile);
  try {
    await daemon.line(/started/);
    startAll(programs);
    await programs.settled(daemon, 'the beginning', SETTLED_WITHIN_MS, STILL_MS);
    for (let round = 0; round < rounds; round++) {
      const crashAt = Math.floor(random() * DEATHS_A_ROUND);
      for (let death = 0; death < DEATHS_A_ROUND; death++) {
        await delay(random() * 150);
        if (death === crashAt) await daemon.stop('SIGKILL');
        if (programs.kill(Math.floor(random() * PROGRAMS))) deaths++;
      }
      daemon = new DaemonProcess(programs.configFile);
      await programs.settled(daemon, `round ${round}`, SETTLED_WITHIN_MS, STILL_MS);
      const births = programs.allBirths() - PROGRAMS;
      // Of a start that was under way, the next daemon may not know that it came to something.
      assert(births >= deaths && births <= deaths + round + 1, `round ${round}: ${deaths} deaths, ${births} births`);
    }
    const end = await daemon.stop();
    assert.equal(end.code, 0, 'the last daemon ended in order');
    assert.deepEqual(
      programs.running().map(({ length }) => length),
      programs.names.map(() => 1),
      'the programs outlive it',
    );
    return { rounds, deaths, births: programs.allBirths() - PROGRAMS };
  } finally {
    await daemon.stop('SIGKILL');
    programs.end();
  }
}

/** Starts every program, as nobody's child. */
function startAll(programs: WatchedPrograms): void {
  for (const name of programs.names)
    spawn('/bin/sh', ['-c', `setsid ${programs.pathOf(name)} >/dev/null 2>&1 &`], { stdio: 'ignore' });
}
