import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../helpers/seeded-random.ts';
import { type BenchPart, BenchWorld, firstFound, RESTART_S } from './bench-world.ts';
import { BareSpawner, OWN_CPU, xargsSeconds } from './floors.ts';
import { cpuMs, median } from './measure.ts';
import { ratioRow } from './report.ts';

const ROUNDS = 15;
const COMMAND = `sleep ${RESTART_S}`;

/** From an alarm to its clearing, one at a time, at a poll each second; in turns with the same command alone. */
export const alarm: BenchPart = (server, tell) =>
  BenchWorld.use(server, 16, { monitor: { check_interval: 1 } }, async (bench) => {
    const daemon = await bench.startDaemon();
    const bare = await BareSpawner.open(COMMAND);
    const random = seededRandom(1);
    const [totals, handled, cpus]: [number[], number[], number[]] = [[], [], []];
    const [floors, bareCpus]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      tell(`one alarm, ${round + 1} of ${ROUNDS}`);
      floors.push(await xargsSeconds(1, COMMAND));
      bareCpus.push(await bare.cpuMs(1));
      // At any moment between two polls, and after one that saw no alarm.
      await delay(1100 + random() * 1000);
      const cpu = cpuMs(daemon.pid);
      const raised = await bench.raise(1);
      const cleared = await bench.cleared(1, 30_000);
      await delay(100);
      cpus.push(cpuMs(daemon.pid) - cpu);
      totals.push((cleared - raised) / 1000);
      handled.push((cleared - firstFound(daemon.stdout(), raised)) / 1000);
    }
    await bare.close();
    await daemon.stop();
    const floor = median(floors);
    return [
      ratioRow({
        what: 'one alarm, check_interval 1 s: raised to cleared, median',
        value: median(totals),
        unit: 's',
        floor: 0.5 + floor,
        // No promise: half of it is the chance of where between two polls an alarm falls.
        of: `half an interval, and the command under xargs; ideal ${0.5 + RESTART_S} s`,
        bash: 0.89,
      }),
      ratioRow({
        what: 'of it after detection, median',
        value: median(handled),
        unit: 's',
        floor,
        // Chosen: what is promised of bursts.
        atMost: 1.2,
        of: `the command under xargs; ideal ${RESTART_S} s`,
        bash: 0.24,
      }),
      ratioRow({
        what: 'our own CPU, median',
        value: median(cpus),
        unit: 'ms',
        floor: median(bareCpus),
        atMost: OWN_CPU,
        of: 'a bare Node that spawns it',
        bash: 260,
      }),
    ];
  });
