import { setTimeout as delay } from 'node:timers/promises';
import { type BenchPart, BenchWorld } from './bench-world.ts';
import { BareSpawner, emptyNodeMb, medianResidentMb, OWN_CPU } from './floors.ts';
import { cpuMs, median } from './measure.ts';
import { plainRow, ratioRow } from './report.ts';

const BATCH = 500;
const FEW = 1000;
const MANY = 10_000;
const COMMAND = 'true';
/** Chosen: 1.57 to 1.65 were measured (71 MB to 45, 73 to 44); what a heap differs by from one start to the next is the air. */
const AT_REST = 1.75;
/** Chosen: 0.06 to 0.13 were measured. The heap levels off: over 20,000 recoveries it grew as much as over 10,000. */
const GROWTH = 0.15;

/** Resident memory at rest, and over ten thousand recoveries with a command that ends at once. */
export const memory: BenchPart = (server, tell) =>
  BenchWorld.use(server, BATCH, SECTIONS, async (bench) => {
    const daemon = await bench.startDaemon();
    tell('memory at rest');
    await delay(5000);
    const rest = await medianResidentMb(daemon.pid);
    const empty = await emptyNodeMb();
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
    const growth = many - few;
    return [
      ratioRow({
        what: 'resident memory at rest',
        value: rest,
        unit: 'MB',
        floor: empty,
        atMost: AT_REST,
        of: 'an empty Node',
      }),
      plainRow('resident memory after 1,000 recoveries', few, 'MB'),
      plainRow('resident memory after 10,000 recoveries', many, 'MB'),
      ratioRow({
        what: 'growth between these',
        value: growth,
        unit: 'MB',
        floor: rest,
        atMost: GROWTH,
        of: 'the daemon at rest',
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
