import { setTimeout as delay } from 'node:timers/promises';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { cpuMs, median, residentMb } from './measure.ts';

const BATCH = 500;
const FEW = 1000;
const MANY = 10_000;
/** What a heap may differ by from one look to the next. */
const GROWTH_MB = 5;

/** Resident memory at rest, and over ten thousand recoveries with a command that ends at once. */
export const memory: BenchPart = (server, tell) =>
  BenchWorld.use(server, BATCH, SECTIONS, async (bench) => {
    const daemon = await bench.startDaemon();
    tell('memory at rest');
    await delay(5000);
    const rest = await resident(daemon.pid);
    const cpu = cpuMs(daemon.pid);
    const after = new Map<number, number>();
    for (let done = BATCH; done <= MANY; done += BATCH) {
      tell(`recoveries: ${done} of ${MANY}`);
      await bench.raise(BATCH);
      await bench.cleared(BATCH, 120_000);
      if (done === FEW || done === MANY) after.set(done, await resident(daemon.pid));
    }
    const perAlarm = (cpuMs(daemon.pid) - cpu) / MANY;
    await daemon.stop();
    const [few, many] = [after.get(FEW) ?? Number.NaN, after.get(MANY) ?? Number.NaN];
    return [
      { what: 'resident memory at rest', value: rest, unit: 'MB', against: 'under 75 MB', reached: rest < 75 },
      { what: 'resident memory after 1,000 recoveries', value: few, unit: 'MB', against: '', reached: undefined },
      {
        what: 'resident memory after 10,000 recoveries',
        value: many,
        unit: 'MB',
        against: `no growth: within ${GROWTH_MB} MB of that after 1,000`,
        reached: many < few + GROWTH_MB,
      },
      {
        what: 'our own CPU an alarm, over 10,000 recoveries',
        value: perAlarm,
        unit: 'ms',
        against: 'under 20 ms',
        reached: perAlarm < 20,
      },
    ];
  });

const SECTIONS = { monitor: { check_interval: 0.2 }, 'process.default': { restart_command: 'true' } };

/** The median over some seconds in which nothing happens. */
async function resident(pid: number): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 20; i++) {
    await delay(150);
    looks.push(residentMb(pid));
  }
  return median(looks);
}
