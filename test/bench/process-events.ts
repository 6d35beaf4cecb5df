import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchPart } from './bench-world.ts';
import { emptyNodeMb } from './floors.ts';
import { LineProgram } from './line-program.ts';
import { cpuMs, median, residentMb } from './measure.ts';
import { type BenchRow, plainRow, ratioRow } from './report.ts';

const TURNS = 2;
const TURN_MS = 5000;
/** Until a listener is compiled. */
const WARM_UP_MS = 3000;

/**
 * Two loops that make processes as fast as the machine goes, and a process that listens to all of it, in turns with one that does
 * no more than to receive.
 */
export const processEvents: BenchPart = async (_server, tell) => {
  const folder = mkdtempSync(join(tmpdir(), 'process-events-bench-'));
  try {
    const empty = await emptyNodeMb({ typescript: true });
    const rows: BenchRow[] = [];
    for (const [storm, argv] of storms(folder)) {
      const [ours, bare]: [Weather[], Weather[]] = [[], []];
      for (let turn = 1; turn <= TURNS; turn += 1) {
        tell(`process events: a storm of ${storm}, turn ${turn} of ${TURNS}`);
        ours.push(await weather('event-listener.ts', argv));
        bare.push(await weather('bare-listener.ts', argv));
      }
      rows.push(...stormRows(storm, ours, bare, empty));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** What a listener came to while two of these ran. */
export async function weather(file: string, argv: readonly [string, ...string[]]): Promise<Weather> {
  const listener = await LineProgram.open(file);
  const [command, ...args] = argv;
  const storms: ChildProcess[] = [0, 1].map(() => spawn(command, args, { stdio: 'ignore' }));
  const look = async (): Promise<Look> => {
    const heard = await listener.ask<Heard>();
    return { ...heard, cpuMs: cpuMs(listener.pid), atMs: performance.now() };
  };
  try {
    await delay(WARM_UP_MS);
    const before = await look();
    await delay(TURN_MS);
    const after = await look();
    const [received, cpu] = [after.received - before.received, after.cpuMs - before.cpuMs];
    const elapsedMs = after.atMs - before.atMs;
    return {
      received,
      lost: after.lost,
      rate: (received / elapsedMs) * 1000,
      cpuPercent: (cpu / elapsedMs) * 100,
      cpuUsAnEvent: (cpu * 1000) / received,
      residentMb: residentMb(listener.pid),
    };
  } finally {
    for (const storm of storms) {
      storm.kill('SIGKILL');
      if (storm.exitCode === null && storm.signalCode === null) await once(storm, 'exit');
    }
    await listener.close();
  }
}

function stormRows(storm: string, ours: readonly Weather[], bare: readonly Weather[], emptyMb: number): BenchRow[] {
  const middle = (of: readonly Weather[], key: keyof Weather): number => median(of.map((one) => one[key]));
  const sum = (key: 'received' | 'lost'): number => ours.reduce((total, one) => total + one[key], 0);
  return [
    plainRow(`storm of ${storm}: events received`, middle(ours, 'rate'), '/s'),
    {
      ...plainRow('lost', sum('lost'), ''),
      against: `0 of ${sum('received').toLocaleString('en')}`,
      reached: sum('lost') === 0,
    },
    plainRow('our CPU', middle(ours, 'cpuPercent'), '%'),
    ratioRow({
      what: 'our CPU, an event',
      value: middle(ours, 'cpuUsAnEvent'),
      unit: 'µs',
      floor: middle(bare, 'cpuUsAnEvent'),
      atMost: AN_EVENT,
      of: 'a bare recvmmsg loop',
    }),
    ratioRow({
      what: 'resident memory',
      value: middle(ours, 'residentMb'),
      unit: 'MB',
      floor: emptyMb,
      atMost: RESIDENT,
      of: 'an empty Node that takes TypeScript',
    }),
  ];
}

/** Chosen: 0.9 to 1.2 were measured; most of an event's cost is the kernel's. Each of ours is parsed, judged and delivered too. */
const AN_EVENT = 2;
/** Chosen: 1.5 was measured (93 MB to 61); most of it is the buffer of 256 datagrams, koffi, and what a storm leaves on the heap. */
const RESIDENT = 1.75;

/** Rates are a second, memory is MB. */
export interface Weather {
  readonly received: number;
  readonly lost: number;
  readonly rate: number;
  readonly cpuPercent: number;
  readonly cpuUsAnEvent: number;
  readonly residentMb: number;
}

interface Heard {
  readonly received: number;
  readonly lost: number;
}

interface Look extends Heard {
  readonly cpuMs: number;
  readonly atMs: number;
}

/** Small C programs where there is a compiler, for perl forks only some thousand times a second. */
function storms(folder: string): (readonly [string, readonly [string, ...string[]]])[] {
  const program = join(folder, 'storm');
  try {
    execFileSync('cc', ['-O2', '-static', '-o', program, join(import.meta.dirname, 'storm.c')], { stdio: 'ignore' });
    return [
      ['programs', [program, 'exec']],
      ['forks', [program, 'fork']],
    ];
  } catch {
    return [
      ['programs (perl)', ['perl', '-e', 'while (1) { my $pid = fork; exec "true" if !$pid; waitpid $pid, 0 }']],
      ['forks (perl)', ['perl', '-e', 'while (1) { my $pid = fork; exit if !$pid; waitpid $pid, 0 }']],
    ];
  }
}
