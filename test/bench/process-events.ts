import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchPart, nodeArgs } from './bench-world.ts';
import { cpuMs, residentMb } from './measure.ts';
import type { BenchRow } from './report.ts';

const STORM_MS = 10_000;

/** Two loops that make processes as fast as the machine goes, and a process that listens to all of it. */
export const processEvents: BenchPart = async (_server, tell) => {
  const folder = mkdtempSync(join(tmpdir(), 'process-events-bench-'));
  try {
    const rows: BenchRow[] = [];
    for (const [storm, argv] of storms(folder)) {
      tell(`process events: a storm of ${storm}`);
      rows.push(...stormRows(storm, await weather(argv)));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** What the listener came to while two of these ran; rates are a second, memory is MB. */
async function weather(argv: readonly [string, ...string[]]): Promise<Weather> {
  const children: ChildProcess[] = [];
  const [command, ...args] = argv;
  try {
    const listener = spawn(process.execPath, [...nodeArgs(), join(import.meta.dirname, 'event-listener.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(listener);
    const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
    if ((await lines.next()).value !== 'ready') throw new Error('process events are not to be had here');
    const pid = listener.pid ?? 0;
    const look = async (): Promise<Look> => {
      listener.stdin.write('\n');
      const heard: Heard = JSON.parse((await lines.next()).value ?? '');
      return { ...heard, cpuMs: cpuMs(pid), atMs: performance.now() };
    };
    for (let i = 0; i < 2; i += 1) children.push(spawn(command, args, { stdio: 'ignore' }));
    // Until the listener is compiled.
    await delay(3000);
    const before = await look();
    await delay(STORM_MS);
    const after = await look();
    const [received, cpu] = [after.received - before.received, after.cpuMs - before.cpuMs];
    const elapsedMs = after.atMs - before.atMs;
    return {
      received,
      lost: after.lost,
      rate: (received / elapsedMs) * 1000,
      cpuPercent: (cpu / elapsedMs) * 100,
      cpuUsAnEvent: (cpu * 1000) / received,
      residentMb: residentMb(pid),
    };
  } finally {
    for (const child of children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  }
}

function stormRows(storm: string, { received, lost, rate, cpuPercent, cpuUsAnEvent, residentMb }: Weather): BenchRow[] {
  const none = { against: '', reached: undefined };
  return [
    { what: `storm of ${storm}: events received`, value: rate, unit: '/s', ...none },
    { what: 'lost', value: lost, unit: '', against: `0 of ${received.toLocaleString('en')}`, reached: lost === 0 },
    { what: 'our CPU', value: cpuPercent, unit: '%', ...none },
    {
      what: 'our CPU, an event',
      value: cpuUsAnEvent,
      unit: 'µs',
      // A bare loop takes 5.3 % at 35,000 to 57,000 events a second; each of ours is parsed, judged and delivered too.
      against: 'under 5 µs (a bare loop 0.9 to 1.5)',
      reached: cpuUsAnEvent < 5,
    },
    { what: 'resident memory', value: residentMb, unit: 'MB', against: 'under 100 MB', reached: residentMb < 100 },
  ];
}

interface Weather {
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
