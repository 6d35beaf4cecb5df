import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startMariadb } from '../helpers/mariadb.ts';
import { BenchWorld } from './bench-world.ts';
import { bootForExits, exitTimes } from './exit-detection.ts';
import { median } from './measure.ts';
import { short } from './report.ts';
import { systemdFigures } from './systemd.ts';
import type { SystemdFigures } from './systemd-figures.ts';

/**
 * `node test/bench/compare.ts [--pairs N] OLD_CHECKOUT`: what the daemon does through systemd, this checkout to an older one, which has
 * its node_modules and is built. Both in one container, in turns, ten times each. Prints the medians and their ratio.
 */
const { values, positionals } = parseArgs({ options: { pairs: { type: 'string' } }, allowPositionals: true });
const PAIRS = Number(values.pairs ?? 10);
/** In each turn. */
const ROUNDS = 5;
/** Of each kind of alarm, fifty each: the first are of a daemon that has just started. */
const BURSTS = 3;
/** As long as this checkout's: how long the paths of its modules are shows in a daemon's memory. */
const OLD = '/srv/monitor_earlier';

/** All that was measured of one checkout; each value is one round's, of the resident memory one daemon's. */
type Figures = Record<Exclude<keyof SystemdFigures, 'residentMb'> | 'exit' | 'residentMb', number[]>;

const WORDS: Readonly<Record<keyof Figures, string>> = {
  show: 'state of a unit, ms',
  firstShow: 'state of a unit, no link open, ms',
  restart: 'restart of a unit, ms',
  check: 'command true as check, ms',
  action: 'command true as action, ms',
  launch: "a launched program's first act, ms",
  exit: 'a death to its replacement running, through a transient unit, ms',
  commandCpu: 'CPU an alarm, healed by a command, ms',
  restartCpu: 'CPU an alarm, healed by the restart of a unit, ms',
  residentMb: 'resident memory at rest, MB',
};

const [checkout] = positionals;
if (checkout === undefined) {
  console.error('usage: compare.ts [--pairs N] OLD_CHECKOUT');
  process.exitCode = 2;
} else await compare(resolve(checkout));

async function compare(old: string): Promise<void> {
  const server = await startMariadb();
  try {
    await BenchWorld.use(server, 16, {}, async ({ world: { database } }) => {
      const container = await bootForExits(server, [`--bind-ro=${old}:${OLD}`]);
      const [before, after] = [emptyFigures(), emptyFigures()];
      const turn = async (project: string, figures: Figures): Promise<void> => {
        const { residentMb, ...turns } = await systemdFigures(container, { project, rounds: ROUNDS, bursts: BURSTS });
        figures.residentMb.push(residentMb);
        for (const [key, { ours }] of Object.entries(turns)) figures[key as keyof Figures].push(...ours);
        figures.exit.push(...(await exitTimes(container, { database, rounds: ROUNDS, how: 'transient', project })).ours);
      };
      try {
        for (let pair = 1; pair <= PAIRS; pair++) {
          const turns = [() => turn(OLD, before), () => turn(container.project, after)];
          // Which of them is first in turns too.
          for (const one of pair % 2 === 1 ? turns : turns.toReversed()) await one();
          console.error(`pair ${pair} of ${PAIRS}`);
        }
      } finally {
        await container.stop();
      }
      print(before, after);
    });
  } finally {
    await server.stop();
  }
}

function emptyFigures(): Figures {
  return Object.fromEntries(Object.keys(WORDS).map((key) => [key, []])) as unknown as Figures;
}

function print(before: Figures, after: Figures): void {
  const keys = Object.keys(WORDS) as (keyof Figures)[];
  const width = Math.max(...Object.values(WORDS).map((words) => words.length));
  console.log(`${''.padEnd(width)}      old      new    ratio`);
  for (const key of keys) {
    const [old, now] = [median(before[key]), median(after[key])];
    const cells = [short(old), short(now), (now / old).toFixed(2)].map((cell) => cell.padStart(9));
    console.log(`${WORDS[key].padEnd(width)}${cells.join('')}`);
  }
}
