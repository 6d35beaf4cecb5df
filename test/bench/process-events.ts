import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchPart } from './bench-world.ts';
import { cpuMs, residentMb } from './measure.ts';

const STORM_MS = 20_000;

/** Two loops of fork, exec and exit as fast as the machine goes, and a process that listens to all of it. */
export const processEvents: BenchPart = async (_server, tell) => {
  const folder = mkdtempSync(join(tmpdir(), 'process-events-bench-'));
  const children: ChildProcess[] = [];
  try {
    const listener = spawn(process.execPath, [...FLAGS, join(import.meta.dirname, 'event-listener.ts')], {
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
    tell('process events: the storm');
    const argv = stormProgram(folder);
    for (let i = 0; i < 2; i += 1) children.push(spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' }));
    // Until the listener is compiled.
    await delay(3000);
    const before = await look();
    await delay(STORM_MS);
    const after = await look();
    const resident = residentMb(pid);
    const elapsedMs = after.atMs - before.atMs;
    const [received, cpu] = [after.received - before.received, after.cpuMs - before.cpuMs];
    const share = (cpu / elapsedMs) * 100;
    const lost = after.lost;
    return [
      {
        what: 'process events, storm: received',
        value: (received / elapsedMs) * 1000,
        unit: '/s',
        against: argv[0] === 'perl' ? 'perl loops' : 'vfork loops',
        reached: undefined,
      },
      {
        what: 'process events, storm: lost',
        value: lost,
        unit: '',
        against: `0 of ${received.toLocaleString('en')}`,
        reached: lost === 0,
      },
      { what: 'process events, storm: our CPU', value: share, unit: '%', against: 'under 10 %', reached: share < 10 },
      {
        what: 'process events, storm: resident memory',
        value: resident,
        unit: 'MB',
        against: 'under 100 MB',
        reached: resident < 100,
      },
    ];
  } finally {
    for (const child of children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  }
};

interface Heard {
  readonly received: number;
  readonly lost: number;
}

interface Look extends Heard {
  readonly cpuMs: number;
  readonly atMs: number;
}

/** A small C program where there is a compiler, for perl forks only some thousand times a second. */
function stormProgram(folder: string): readonly string[] {
  const program = join(folder, 'storm');
  try {
    execFileSync('cc', ['-O2', '-static', '-o', program, join(import.meta.dirname, 'storm.c')], { stdio: 'ignore' });
    return [program];
  } catch {
    return ['perl', '-e', 'while (1) { my $pid = fork; exec "true" if !$pid; waitpid $pid, 0 }'];
  }
}

/** As the unit starts the daemon. */
const FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--no-maglev'];
