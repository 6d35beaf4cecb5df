import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../helpers/wait-for.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { LineProgram } from './line-program.ts';
import { childFaults, childrenOf, cpuMs, median } from './measure.ts';
import { type BenchRow, ratioRow } from './report.ts';

const INTERVAL_S = 0.1;
const TURNS = 5;
const TURN_MS = 2000;

/** What a poll costs that finds nothing, by the number of rows. */
export const idle: BenchPart = async (server, tell) => {
  const rows: BenchRow[] = [];
  for (const count of [16, 1000, 100_000]) {
    tell(`idle polls, ${count} rows`);
    const sections = { monitor: { check_interval: INTERVAL_S }, logging: { level: 'debug' } };
    const measured = await BenchWorld.use(server, count, sections, async (bench) => {
      const daemon = await bench.startDaemon();
      // At debug every poll is told of, so that queries can be counted against polls; it is the warming up as well.
      const polls = (): number => daemon.stdout().split('"Poll completed').length - 1;
      await waitFor('some polls', () => polls() >= 20);
      const sql = await pollQuery(bench);
      const bare = await LineProgram.open('bare-poller.ts', server.socket, bench.world.database, sql, `${INTERVAL_S * 1000}`);
      try {
        process.kill(bare.pid, 'SIGSTOP');
        const queries = await queriesAPoll(bench, polls);
        bench.world.configure({ logging: { level: 'info' } });
        process.kill(daemon.pid, 'SIGHUP');
        await waitFor('the reload', () => daemon.stdout().includes('Configuration reloaded'));
        await delay(1000);
        return { queries, ...(await inTurns(bench, daemon.pid, bare.pid)) };
      } finally {
        await bare.close();
        process.kill(daemon.pid, 'SIGCONT');
        await daemon.stop();
      }
    });
    rows.push(...idleRows(count, measured));
  }
  return rows;
};

/** What the daemon asks the server at each poll, as the server hears it. */
async function pollQuery(bench: BenchWorld): Promise<string> {
  await bench.sql("SET GLOBAL log_output = 'TABLE', general_log = 1");
  await delay(INTERVAL_S * 10_000);
  await bench.sql('SET GLOBAL general_log = 0');
  const [row] = await bench.sql(
    "SELECT CONVERT(argument USING utf8mb4) AS sql_text FROM mysql.general_log WHERE command_type = 'Execute' ORDER BY event_time DESC LIMIT 1",
  );
  await bench.sql('TRUNCATE mysql.general_log');
  return String(row?.sql_text);
}

async function queriesAPoll(bench: BenchWorld, polls: () => number): Promise<number> {
  const [before, questions] = [polls(), await bench.counter('Questions')];
  await waitFor('more polls', () => polls() >= before + 40);
  return ((await bench.counter('Questions')) - questions - 1) / (polls() - before);
}

/** CPU milliseconds a query of the daemon and of the bare poller, of which one stands still while the other polls. */
async function inTurns(bench: BenchWorld, daemon: number, bare: number): Promise<Idle> {
  const cpus: Record<'daemon' | 'bare', number[]> = { daemon: [], bare: [] };
  const [connections, faults] = [await bench.counter('Connections'), childFaults(daemon)];
  let polls = 0;
  const turn = async (running: number, resting: number): Promise<{ cpu: number; done: number }> => {
    process.kill(resting, 'SIGSTOP');
    process.kill(running, 'SIGCONT');
    // Not the poll that has become overdue.
    await delay(INTERVAL_S * 5000);
    const [questions, cpu] = [await bench.counter('Questions'), cpuMs(running)];
    await delay(TURN_MS);
    const spent = cpuMs(running) - cpu;
    return { cpu: spent, done: (await bench.counter('Questions')) - questions - 1 };
  };
  for (let i = 0; i < TURNS; i++) {
    const own = await turn(daemon, bare);
    polls += own.done;
    cpus.daemon.push(own.cpu / own.done);
    const floor = await turn(bare, daemon);
    cpus.bare.push(floor.cpu / floor.done);
  }
  process.kill(daemon, 'SIGCONT');
  return {
    cpu: median(cpus.daemon),
    floor: median(cpus.bare),
    polls,
    spawned: childFaults(daemon) - faults + childrenOf(daemon).length,
    connections: (await bench.counter('Connections')) - connections,
  };
}

/** CPU is milliseconds a query; `spawned` is 0 where no process was. */
interface Idle {
  readonly cpu: number;
  readonly floor: number;
  readonly polls: number;
  readonly spawned: number;
  readonly connections: number;
}

function idleRows(count: number, { cpu, floor, queries, polls, spawned, connections }: Idle & { queries: number }): BenchRow[] {
  const first = count === 16;
  const place = `idle poll, ${count.toLocaleString('en')} rows`;
  return [
    ratioRow({
      what: `${place}: CPU`,
      value: cpu * queries,
      unit: 'ms',
      floor,
      atMost: count === 1000 ? undefined : TARGET,
      of: 'a bare poller',
      bash: first ? 25.5 : undefined,
    }),
    {
      what: `${place}: queries`,
      value: Math.round(queries * 10) / 10,
      unit: '',
      against: '1',
      reached: Math.round(queries) === 1,
    },
    {
      what: `${place}: processes spawned`,
      value: spawned === 0 ? 0 : 1,
      unit: '',
      against: '0',
      reached: spawned === 0,
      bash: first ? 6 : undefined,
    },
    {
      what: `${place}: connections opened`,
      value: connections,
      unit: '',
      against: `0, in ${polls} polls`,
      reached: connections === 0,
      bash: first ? 1 : undefined,
    },
  ];
}

/**
 * Chosen: 1.4 to 1.7 were measured. Beside the bare query that is a deadline on each call, the pool, the loop's own sleep, and what it
 * keeps for status and metrics.
 */
const TARGET = 2;
