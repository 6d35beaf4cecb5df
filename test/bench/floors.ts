import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LineProgram, nodeArgs } from './line-program.ts';
import { cpuMs, median, residentMb } from './measure.ts';

// What this machine takes for the least that the work consists of, measured in the same run: targets are ratios to these.

/**
 * Resident memory of a Node with the unit's options that does nothing, MB, the median of some looks; `typescript`: one that was
 * started from a source file, as the parts are that do not run the bundle.
 */
export async function emptyNodeMb({ typescript = false } = {}): Promise<number> {
  const kind = typescript ? ['--input-type=module-typescript'] : [];
  const argv = [...nodeArgs(), ...kind, '-e', 'console.log("ready"); setInterval(() => {}, 1e6)'];
  const node = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(node, 'close');
  try {
    await once(node.stdout, 'data');
    await delay(500);
    return await medianResidentMb(node.pid ?? 0);
  } finally {
    node.kill('SIGKILL');
    await closed;
  }
}

/** Resident memory of a process, MB: the median over three seconds. */
export async function medianResidentMb(pid: number): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 20; i++) {
    await delay(150);
    looks.push(residentMb(pid));
  }
  return median(looks);
}

/** How long xargs(1) takes to run `bash -c COMMAND` `count` times, four at once like the daemon; seconds. */
export async function xargsSeconds(count: number, command: string): Promise<number> {
  const startedMs = performance.now();
  const xargs = spawn('xargs', ['-P', '4', '-n', '1', 'bash', '-c', command], { stdio: ['pipe', 'ignore', 'inherit'] });
  const closed = once(xargs, 'close');
  xargs.stdin.end(Array.from({ length: count }, (_, i) => `${i}\n`).join(''));
  const [code] = await closed;
  if (code !== 0) throw new Error(`xargs: exit code ${code}`);
  return (performance.now() - startedMs) / 1000;
}

/**
 * What it costs a bare Node with the unit's options to begin `bash -c COMMAND` and to hear of its end: its own CPU, like the
 * daemon's own, not the command's.
 */
export class BareSpawner {
  readonly #program: LineProgram;

  private constructor(program: LineProgram) {
    this.#program = program;
  }

  static async open(command: string): Promise<BareSpawner> {
    return new BareSpawner(await LineProgram.open('bare-spawner.ts', command));
  }

  /** Milliseconds of CPU a command, over `count` of them. */
  async cpuMs(count: number): Promise<number> {
    const before = cpuMs(this.#program.pid);
    await this.#program.ask(String(count));
    return (cpuMs(this.#program.pid) - before) / count;
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}

/**
 * The daemon's own CPU an alarm to that, at most. Chosen: 5 to 6 were measured, 7 on a busy machine. Beside the spawning a
 * row is read, state is kept, lines are logged, the command's output is taken, and the row is read again and cleared.
 */
export const OWN_CPU = 8;
