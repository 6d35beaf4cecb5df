import { type BenchPart, BenchWorld } from './bench-world.ts';
import { BareSpawner, medianResidentMb, OWN_CPU } from './floors.ts';
import { cpuMs, median } from './measure.ts';
import { differenceRow, plainRow, ratioRow } from './report.ts';

const BATCH = 500;
const FEW = 1000;
const MANY = 10_000;
const COMMAND = 'true';
/** MB. */
const GROWTH = 5;

/** Resident memory over ten thousand recoveries with a command that ends at once. */
export const memory: BenchPart = (server, tell) =>
  BenchWorld.use(server, BATCH, SECTIONS, async (bench) => {
    const daemon = await bench.startDaemon();
    const bare = await BareSpawner.open(COMMAND);
    const bareCpus: number[] = [];
    const cpu = cpuMs(daemon.pid);
    const after = new Map<number, number>();
    for (let done = BATCH; done <= MANY; done += BATCH) {
      tell(`recoveries: ${done} of ${MANY}`);
      await bench.raise(BATCH);
      await bench.cleared(BATCH, 120_000);
      bareCpus.push(await bare.cpuMs(BATCH / 10));
      if (done === FEW || done === MANY) after.set(done, await medianResidentMb(daemon.pid));
    }
    const perAlarm = (cpuMs(daemon.pid) - cpu) / MANY;
    await bare.close();
    await daemon.stop();
    const [few, many] = [after.get(FEW) ?? Number.NaN, after.get(MANY) ?? Number.NaN];
    return [
      plainRow('resident memory after 1,000 recoveries', few, 'MB'),
      differenceRow({
        what: 'resident memory after 10,000 recoveries',
        value: many,
        unit: 'MB',
        floor: few,
        atMostMore: GROWTH,
        of: 'the same daemon after 1,000',
      }),
      ratioRow({
        what: 'our own CPU an alarm, over 10,000 recoveries',
        value: perAlarm,
        unit: 'ms',
        floor: median(bareCpus),
        atMost: OWN_CPU,
        of: 'a bare Node that spawns the command',
      }),
    ];
  });

const SECTIONS = { monitor: { check_interval: 0.2 }, 'process.default': { restart_command: COMMAND } };
