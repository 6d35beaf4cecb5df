import { setTimeout as delay } from 'node:timers/promises';
import type { Sections } from '../helpers/daemon-world.ts';
import type { Mariadb } from '../helpers/mariadb.ts';
import { type BenchPart, BenchWorld, firstFound, RESTART_S } from './bench-world.ts';
import { BareSpawner, OWN_CPU, xargsSeconds } from './floors.ts';
import { cpuMs, median } from './measure.ts';
import { type BenchRow, ratioRow } from './report.ts';

/** The default of max_concurrent_restarts. */
const SLOTS = 4;
const INTERVAL_S = 0.5;
const COMMAND = `sleep ${RESTART_S}`;
/** Promised of a hundred alarms and more. */
const ALLOWED = 1.2;

/** Many alarms at once, all of which one restart heals. */
export const bursts: BenchPart = async (server, tell) => {
  const rows: BenchRow[] = [];
  for (const { count, rounds, bash } of BURSTS) {
    tell(`${count} alarms at once`);
    const { seconds, floor, cpu, bareCpu } = await burst(server, count, count, rounds, {});
    rows.push(burstRow(`burst of ${count}`, count, { seconds, floor }, bash));
    if (count !== 1000) continue;
    rows.push(
      ratioRow({
        what: `burst of ${count}: our own CPU an alarm`,
        value: cpu,
        unit: 'ms',
        floor: bareCpu,
        atMost: OWN_CPU,
        of: 'a bare Node that spawns the command',
        bash: 345,
      }),
    );
  }
  return rows;
};

const BURSTS = [
  { count: 1, rounds: 7, bash: undefined },
  { count: 10, rounds: 5, bash: undefined },
  { count: 100, rounds: 3, bash: 38.5 },
  { count: 1000, rounds: 1, bash: 388 },
];

/** The same with every tenth process never getting healthy: how long until all the others are clear. */
export const sick: BenchPart = async (server, tell) => {
  const rows: BenchRow[] = [];
  for (const { count, bash } of SICK_BURSTS) {
    const healthy = count - count / 10;
    tell(`${count} alarms at once, ${count / 10} never healthy`);
    const measured = await burst(server, count, healthy, 1, {
      'process.default': { health_check_command: 'test $((MONITOR_PROCESS_ID % 10)) != 0' },
    });
    // The sick ones have a first attempt too: that they are sick is only seen by it. The floor knows no health checks.
    rows.push(burstRow(`burst of ${count}, 1 in 10 never healthy: until the others are well`, count, measured, bash));
  }
  return rows;
};

const SICK_BURSTS = [
  { count: 10, bash: 18.7 },
  { count: 100, bash: undefined },
  { count: 1000, bash: 1833 },
];

/**
 * From the end of the poll that sees `count` alarms to the clearing of `healthy` of them, and our CPU an alarm; in turns with the
 * same commands under xargs and a bare Node.
 */
async function burst(server: Mariadb, count: number, healthy: number, rounds: number, sections: Sections): Promise<Burst> {
  return BenchWorld.use(server, count, { monitor: { check_interval: INTERVAL_S }, ...sections }, async (bench) => {
    const daemon = await bench.startDaemon();
    const bare = await BareSpawner.open(COMMAND);
    const [times, floors, cpus, bareCpus]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let round = 0; round < rounds; round++) {
      floors.push(await xargsSeconds(count, COMMAND));
      bareCpus.push(await bare.cpuMs(Math.min(count, MANY)));
      const cpu = cpuMs(daemon.pid);
      const raised = await bench.raise(count);
      const cleared = await bench.cleared(healthy, 300_000);
      cpus.push((cpuMs(daemon.pid) - cpu) / count);
      times.push((cleared - firstFound(daemon.stdout(), raised)) / 1000);
      // The next one begins after a poll that saw no alarm.
      await delay(INTERVAL_S * 1000 + 500);
    }
    await bare.close();
    await daemon.stop();
    return { seconds: median(times), floor: median(floors), cpu: median(cpus), bareCpu: median(bareCpus) };
  });
}

/** Enough to know what one costs. */
const MANY = 200;

/** Seconds, and milliseconds of CPU an alarm. */
interface Burst {
  readonly seconds: number;
  readonly floor: number;
  readonly cpu: number;
  readonly bareCpu: number;
}

function burstRow(
  what: string,
  count: number,
  { seconds, floor }: Pick<Burst, 'seconds' | 'floor'>,
  bash: number | undefined,
): BenchRow {
  const ideal = Math.ceil(count / SLOTS) * RESTART_S;
  return ratioRow({
    what,
    value: seconds,
    unit: 's',
    floor,
    atMost: count >= 100 ? ALLOWED : undefined,
    of: `the commands under xargs; ideal ${ideal.toFixed(1)} s`,
    bash,
  });
}
