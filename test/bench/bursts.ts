import { setTimeout as delay } from 'node:timers/promises';
import type { Sections } from '../helpers/daemon-world.ts';
import type { Mariadb } from '../helpers/mariadb.ts';
import { type BenchPart, BenchWorld, firstFound, RESTART_S } from './bench-world.ts';
import { cpuMs, median } from './measure.ts';
import type { BenchRow } from './report.ts';

/** The default of max_concurrent_restarts. */
const SLOTS = 4;
const INTERVAL_S = 0.5;
/** Over the ideal. */
const ALLOWED = 1.2;

/** How long the restarts alone take that stand between `processes` and their clearing. */
function idealS(processes: number): number {
  return Math.ceil(processes / SLOTS) * RESTART_S;
}

/** Many alarms at once, all of which one restart heals. */
export const bursts: BenchPart = async (server, tell) => {
  const rows: BenchRow[] = [];
  for (const { count, rounds, bash } of BURSTS) {
    tell(`${count} alarms at once`);
    const { seconds, cpu } = await burst(server, count, count, rounds, {});
    rows.push({ what: `burst of ${count}`, value: seconds, bash, ...held(seconds, count) });
    if (count === 1000)
      rows.push({
        what: `burst of ${count}: our own CPU an alarm`,
        value: cpu,
        unit: 'ms',
        against: 'under 20 ms',
        reached: cpu < 20,
        bash: 345,
      });
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
    const { seconds } = await burst(server, count, healthy, 1, {
      'process.default': { health_check_command: 'test $((MONITOR_PROCESS_ID % 10)) != 0' },
    });
    // The sick ones have a first attempt too: that they are sick is only seen by it.
    rows.push({
      what: `burst of ${count}, 1 in 10 never healthy: until the others are well`,
      value: seconds,
      bash,
      ...held(seconds, count),
    });
  }
  return rows;
};

const SICK_BURSTS = [
  { count: 10, bash: 18.7 },
  { count: 100, bash: undefined },
  { count: 1000, bash: 1833 },
];

/** Seconds from the end of the poll that sees `count` alarms to the clearing of `healthy` of them, and our CPU an alarm. */
async function burst(server: Mariadb, count: number, healthy: number, rounds: number, sections: Sections): Promise<Burst> {
  return BenchWorld.use(server, count, { monitor: { check_interval: INTERVAL_S }, ...sections }, async (bench) => {
    const daemon = await bench.startDaemon();
    const times: number[] = [];
    const cpus: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const cpu = cpuMs(daemon.pid);
      const raised = await bench.raise(count);
      const cleared = await bench.cleared(healthy, 300_000);
      cpus.push((cpuMs(daemon.pid) - cpu) / count);
      times.push((cleared - firstFound(daemon.stdout(), raised)) / 1000);
      // The next one begins after a poll that saw no alarm.
      await delay(INTERVAL_S * 1000 + 500);
    }
    await daemon.stop();
    return { seconds: median(times), cpu: median(cpus) };
  });
}

interface Burst {
  readonly seconds: number;
  readonly cpu: number;
}

function held(seconds: number, count: number): Pick<BenchRow, 'unit' | 'against' | 'reached'> {
  const ideal = idealS(count);
  const over = Math.round((seconds / ideal - 1) * 100);
  return {
    unit: 's',
    against: `ideal ${ideal.toFixed(1)} s: ${over} % over, under ${Math.round((ALLOWED - 1) * 100)} % promised at 100 and 1,000`,
    reached: count >= 100 ? seconds < ideal * ALLOWED : undefined,
  };
}
