import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../helpers/wait-for.ts';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { childFaults, childrenOf, cpuMs } from './measure.ts';
import type { BenchRow } from './report.ts';

const MEASURED_MS = 12_000;

/** What a poll costs that finds nothing, by the number of rows. */
export const idle: BenchPart = async (server, tell) => {
  const rows: BenchRow[] = [];
  for (const count of [16, 1000, 100_000]) {
    tell(`idle polls, ${count} rows`);
    const sections = { monitor: { check_interval: 0.1 }, logging: { level: 'debug' } };
    rows.push(...(await BenchWorld.use(server, count, sections, (bench) => measure(bench, count))));
  }
  return rows;
};

async function measure(bench: BenchWorld, count: number): Promise<BenchRow[]> {
  const daemon = await bench.startDaemon();
  const polls = (): number => daemon.stdout().split('"Poll completed').length - 1;
  // At debug every poll is told of, so that queries can be counted against polls; it is the warming up as well.
  await waitFor('some polls', () => polls() >= 20);
  const [before, questionsBefore] = [polls(), await bench.counter('Questions')];
  await waitFor('more polls', () => polls() >= before + 40);
  const queries = ((await bench.counter('Questions')) - questionsBefore - 1) / (polls() - before);

  bench.world.configure({ logging: { level: 'info' } });
  process.kill(daemon.pid, 'SIGHUP');
  await waitFor('the reload', () => daemon.stdout().includes('Configuration reloaded'));
  await delay(1000);
  const start = {
    questions: await bench.counter('Questions'),
    connections: await bench.counter('Connections'),
    cpu: cpuMs(daemon.pid),
    faults: childFaults(daemon.pid),
  };
  await delay(MEASURED_MS);
  const cpu = cpuMs(daemon.pid) - start.cpu;
  const connections = (await bench.counter('Connections')) - start.connections;
  const done = ((await bench.counter('Questions')) - start.questions - 3) / Math.max(1, Math.round(queries));
  const spawned = childFaults(daemon.pid) - start.faults + childrenOf(daemon.pid).length;
  await daemon.stop();

  const first = count === 16;
  const place = `idle poll, ${count.toLocaleString('en')} rows`;
  const perPoll = cpu / done;
  const promised = count !== 1000;
  return [
    {
      what: `${place}: CPU`,
      value: perPoll,
      unit: 'ms',
      against: 'under 2 ms',
      reached: promised ? perPoll < 2 : undefined,
      bash: first ? 25.5 : undefined,
    },
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
      against: `0, in ${Math.round(done)} polls`,
      reached: connections === 0,
      bash: first ? 1 : undefined,
    },
  ];
}
